"""Hypothesis strategies for states, tests, noise and structures (extra `test`).

Import this module only where hypothesis is installed; `qjax.bounds` does not. Arrays
are NumPy complex128, wire 0 is the leading bit. Drawn objects are valid to rounding:
states are positive with trace one, POVMs sum to the identity, channels keep the trace.
They shrink to simple ones: |0...0>, the trivial measurement, no noise. Sizes are meant
for one to three qubits.

Example:
    >>> import numpy as np
    >>> from hypothesis import HealthCheck, given, settings
    >>> from qjax.bounds.strategies import ensembles, povms
    >>> slow = [HealthCheck.too_slow]
    >>> @settings(max_examples=20, deadline=None, suppress_health_check=slow)
    ... @given(ensembles(1, 2), povms(1, 2))
    ... def guessing_two_states_is_no_better_than_certain(ensemble, povm):
    ...     hits = np.einsum("x,xij,xji->", ensemble.weights, ensemble.states, povm)
    ...     assert hits.real < 1 + 1e-12
    >>> guessing_two_states_is_no_better_than_certain()
"""

import dataclasses
import functools
from collections.abc import Mapping, Sequence

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from qjax.bounds.memory.ensembles import helstrom_effect
from qjax.bounds.memory.memory_noise import MEMORY_NOISES
from qjax.bounds.state_strategies import Arrays as Arrays
from qjax.bounds.state_strategies import Draw as Draw
from qjax.bounds.state_strategies import any_states as any_states
from qjax.bounds.state_strategies import channels as channels
from qjax.bounds.state_strategies import classical_states as classical_states
from qjax.bounds.state_strategies import clifford_unitaries as clifford_unitaries
from qjax.bounds.state_strategies import complex_matrices as complex_matrices
from qjax.bounds.state_strategies import density_matrices as density_matrices
from qjax.bounds.state_strategies import haar_states as haar_states
from qjax.bounds.state_strategies import mixed_states as mixed_states
from qjax.bounds.state_strategies import probabilities as probabilities
from qjax.bounds.state_strategies import probability_pairs as probability_pairs
from qjax.bounds.state_strategies import probability_vectors as probability_vectors
from qjax.bounds.state_strategies import product_states as product_states
from qjax.bounds.state_strategies import pure_states as pure_states
from qjax.bounds.state_strategies import stabilizer_states as stabilizer_states
from qjax.bounds.state_strategies import strengths as strengths
from qjax.bounds.state_strategies import unitaries as unitaries

STORAGE_NOISES = tuple(
    name for name, row in MEMORY_NOISES.items()
    if row.place == "storage" and row.block == 1
)  # fmt: skip
"""Keys of `MEMORY_NOISES` that act on one qubit at a time: depolarizing, dephasing,
damping at zero and at any temperature, T1/T2 relaxation, replacement."""


# --- ensembles ---


@dataclasses.dataclass(frozen=True)
class Ensemble:
    """States with probabilities.

    Attributes:
        states: Density matrices, shape (k, d, d).
        weights: Probabilities, shape (k,); some may be zero.
    """

    states: np.ndarray
    weights: np.ndarray

    @property
    def average(self) -> np.ndarray:
        """Mean state, shape (d, d)."""
        return np.einsum("x,xij->ij", self.weights, self.states)


@st.composite
def ensembles(
    draw: Draw, num_wires: int, size: int, states: Arrays | None = None
) -> Ensemble:
    """Weighted ensembles of `size` states of n qubits.

    Args:
        num_wires: n.
        size: k.
        states: Where each state comes from; by default `any_states`.

    Example:
        >>> from hypothesis import find
        >>> find(ensembles(1, 2), lambda e: e.weights.min() > 0.2).weights
        array([0.5, 0.5])
    """
    source = any_states(num_wires) if states is None else states
    drawn = np.stack([draw(source) for _ in range(size)])
    return Ensemble(drawn, draw(probability_vectors(size)))


@st.composite
def commuting_ensembles(draw: Draw, num_wires: int, size: int) -> Ensemble:
    """Classical ensembles: states that are diagonal in one Clifford or random basis."""
    diagonal = draw(ensembles(num_wires, size, classical_states(num_wires)))
    basis = draw(st.one_of(clifford_unitaries(num_wires), unitaries(num_wires)))
    return Ensemble(basis @ diagonal.states @ basis.conj().T, diagonal.weights)


# --- measurements ---


@st.composite
def effects(draw: Draw, num_wires: int) -> np.ndarray:
    """POVM elements 0 <= M <= I: projectors and unsharp ones."""
    size = 2**num_wires
    raw = draw(complex_matrices(size, size))
    _, vectors = np.linalg.eigh(raw + raw.conj().T)
    sharp = st.sampled_from([0.0, 1.0])
    value = draw(st.sampled_from([sharp, st.floats(0, 1)]))
    spectrum = draw(hnp.arrays(np.float64, size, elements=value))
    return (vectors * spectrum) @ vectors.conj().T


def _inverse_root(matrix: np.ndarray) -> np.ndarray:
    """Inverse square root where eigenvalues exceed 1e-6 of the largest one.

    Rounding errors grow by the inverse of the smallest eigenvalue that is kept.
    """
    values, vectors = np.linalg.eigh(matrix)
    inside = values > 1e-6 * values[-1]
    roots = np.where(inside, np.where(inside, values, 1.0) ** -0.5, 0)
    return (vectors * roots) @ vectors.conj().T


@st.composite
def povms(draw: Draw, num_wires: int, outcomes: int) -> np.ndarray:
    """POVMs with k outcomes, shape (k, d, d): trivial, projective and unsharp.

    Projective ones sort the vectors of a basis into outcomes, of which some may be
    empty; unsharp ones are S^(-1/2) G_i G_i^dagger S^(-1/2), S = sum G_i G_i^dagger.

    Example:
        >>> from hypothesis import find
        >>> find(povms(1, 2), lambda povm: True).real
        array([[[1., 0.],
                [0., 1.]],
        <BLANKLINE>
               [[0., 0.],
                [0., 0.]]])
    """
    size = 2**num_wires
    kind = draw(st.sampled_from(["trivial", "projective", "unsharp"]))
    if kind == "trivial":
        weights = draw(probability_vectors(outcomes))
        return weights[:, None, None] * np.eye(size, dtype=complex)
    if kind == "projective":
        basis = draw(st.one_of(clifford_unitaries(num_wires), unitaries(num_wires)))
        places = st.integers(0, outcomes - 1)
        labels = draw(st.lists(places, min_size=size, max_size=size))
        chosen = np.arange(outcomes)[:, None] == np.asarray(labels)
        return (basis * chosen[:, None, :]) @ basis.conj().T
    factors = [draw(complex_matrices(size, size)) for _ in range(outcomes)]
    # A hundredth of the identity keeps S well conditioned.
    raw = np.stack([g @ g.conj().T + 0.01 * np.eye(size) for g in factors])
    root = _inverse_root(raw.sum(axis=0))
    return root @ raw @ root


def helstrom_povm(ensemble: Ensemble) -> np.ndarray:
    """The best measurement of two states: shape (2, d, d).

    The projector on the positive part of w_0 rho_0 - w_1 rho_1, and the rest.
    """
    weighted = ensemble.weights[:, None, None] * ensemble.states
    accept = helstrom_effect(weighted[0] - weighted[1] + 0j)
    return np.stack([accept, np.eye(len(accept)) - accept])


def pretty_good_povm(ensemble: Ensemble) -> np.ndarray:
    """M_x = rho^(-1/2) w_x rho_x rho^(-1/2), rho the mean: shape (k, d, d).

    Where rho is below 1e-6 of its norm nothing is measured: that part goes to the first
    outcome.

    Source: Hausladen and Wootters, J. Mod. Opt. 41, 2385 (1994).
    """
    root = _inverse_root(ensemble.average)
    povm = root @ (ensemble.weights[:, None, None] * ensemble.states) @ root
    povm[0] += np.eye(root.shape[0]) - povm.sum(axis=0)
    return povm


@st.composite
def informed_povms(draw: Draw, ensemble: Ensemble) -> np.ndarray:
    """Measurements that suit an ensemble: Helstrom's for two states, pretty good, any.

    Random measurements alone are far from the best, and such a test never bites.

    Args:
        ensemble: k states of n qubits.

    Returns:
        Shape (k, d, d): outcome x speaks for state x.
    """
    count, size = ensemble.states.shape[:2]
    kinds = ["pretty good", "random"] + ["Helstrom"] * (count == 2)
    kind = draw(st.sampled_from(kinds))
    if kind == "Helstrom":
        return helstrom_povm(ensemble)
    if kind == "pretty good":
        return pretty_good_povm(ensemble)
    return draw(povms(size.bit_length() - 1, count))


# --- storage noise ---


@dataclasses.dataclass(frozen=True)
class NoiseSample:
    """One-qubit noise in the conventions of `MEMORY_NOISES`.

    Attributes:
        name: Key of `MEMORY_NOISES`, one of `STORAGE_NOISES`.
        values: Parameters of one layer by name: lam (survival, coherence), eta
            (survival of an excitation), coh (coherence, at most sqrt(eta)), exc
            (excited population), mu (replaced).
    """

    name: str
    values: Mapping[str, float]

    @functools.cached_property
    def kraus(self) -> np.ndarray:
        """Operators of one layer on one qubit, shape (k, 2, 2)."""
        total = np.eye(2, dtype=complex)[None]
        for stage in MEMORY_NOISES[self.name].stages(self.values):
            following = np.stack([np.asarray(k.tolist(), dtype=complex) for k in stage])
            total = np.einsum("aij,bjk->abik", following, total).reshape(-1, 2, 2)
        return total

    def on_every_wire(self, rho: np.ndarray, layers: int = 1) -> np.ndarray:
        """T layers of the noise on every qubit of a density matrix."""
        wires = rho.shape[0].bit_length() - 1
        for wire in [*range(wires)] * layers:
            tensor = rho.reshape(2**wire, 2, -1, 2**wire, 2, 2 ** (wires - wire - 1))
            both = (self.kraus, tensor, self.kraus.conj())
            rho = np.einsum("kab,ibjcdf,ked->iajcef", *both).reshape(rho.shape)
        return rho


@st.composite
def _noise_of_kind(draw: Draw, name: str) -> NoiseSample:
    names = [variable.symbol.name for variable in MEMORY_NOISES[name].variables]
    values = {each: draw(strengths()) for each in names}
    if "coh" in values:  # T2 <= 2 T1
        values["coh"] = values["coh"] * values["eta"] ** 0.5
    return NoiseSample(name, values)


def storage_noises(
    names: Sequence[str] = STORAGE_NOISES,
) -> st.SearchStrategy[NoiseSample]:
    """Noise of every kind with strengths at, near and away from 0 and 1.

    Args:
        names: Some of `STORAGE_NOISES`.

    Example:
        >>> from hypothesis import find
        >>> find(storage_noises(), lambda noise: noise.name == "relaxation").values
        {'eta': 1.0, 'coh': 1.0, 'exc': 1.0}
    """
    return st.sampled_from(names).flatmap(_noise_of_kind)


# --- membership structures ---


@dataclasses.dataclass(frozen=True)
class StructureSample:
    """A membership structure as NumPy arrays, with its noise.

    Attributes:
        states: Shape (b^n, d, d).
        effects: Shape (n b, d, d).
        num_blocks: n.
        block_size: b.
        survival: lambda of one layer of depolarizing noise on every qubit.
    """

    states: np.ndarray
    effects: np.ndarray
    num_blocks: int
    block_size: int
    survival: float


@st.composite
def membership_structures(draw: Draw) -> StructureSample:
    """Small structures: n, m in {1, 2}, b in {2, 3}; tests drawn or Helstrom-like."""
    blocks, wires = draw(st.integers(1, 2)), draw(st.integers(1, 2))
    size = draw(st.integers(2, 3))
    sets, queries = size**blocks, size * blocks
    states = np.stack([draw(density_matrices(wires)) for _ in range(sets)])
    if draw(st.booleans()):
        # The projector on where the stored element raises the mean state.
        digits = np.stack(np.unravel_index(np.arange(sets), (size,) * blocks))
        tests = []
        for query in range(queries):
            inside = digits[query // size] == query % size
            gap = states[inside].mean(axis=0) - states.mean(axis=0)
            tests.append(helstrom_effect(gap))
    else:
        tests = [draw(effects(wires)) for _ in range(queries)]
    survival = draw(probabilities())
    return StructureSample(states, np.stack(tests), blocks, size, survival)


@dataclasses.dataclass(frozen=True)
class NoisyStructure:
    """A membership structure under any storage noise.

    Attributes:
        structure: Encoded states and tests; its own `survival` is not used.
        noise: One layer on one qubit.
        layers: T.
    """

    structure: StructureSample
    noise: NoiseSample
    layers: int

    def noisy_states(self) -> np.ndarray:
        """States when they are queried, shape (b^n, d, d)."""
        rows = [self.noise.on_every_wire(s, self.layers) for s in self.structure.states]
        return np.stack(rows)


def noisy_membership_structures(
    names: Sequence[str] = STORAGE_NOISES,
) -> st.SearchStrategy[NoisyStructure]:
    """Structures of `membership_structures` with T = 0..2 layers of a storage noise.

    Args:
        names: Some of `STORAGE_NOISES`.
    """
    noise, layers = storage_noises(names), st.integers(0, 2)
    return st.builds(NoisyStructure, membership_structures(), noise, layers)
