"""Quantum data structures for approximate membership, simulated on the engine.

A structure stores one element in each of n blocks of b elements. It is a table of
density matrices (one per stored set) and of effects (one per query); noise is a circuit
of channels. Everything a bound speaks of is computed from the simulated states.
"""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Complex, Float, Int

from qjax._checks import check_shots, require
from qjax._types import ArrayLike, Key
from qjax.circuits import Circuit, Hermitian, Repeat
from qjax.noise import depolarizing
from qjax.simulate import expectation, run, trajectory
from qjax.states import DensityMatrix, StateVector
from qjax.statistics import clopper_pearson


class QuantumDataStructure(eqx.Module):
    """Encodings and queries of a membership structure with block sets.

    Set s = (x_1, ..., x_n) holds element x_i of block i; s is the number with digits
    x_1 ... x_n in base b. Query (i, x), number i b + x, asks whether x_i = x.

    Attributes:
        states: Encoded density matrices, shape (seeds, b^n, 2^m, 2^m). The first axis
            is public randomness, uniform, known to encoder and querier.
        effects: Accepting POVM elements 0 <= M <= I, shape (seeds, n b, 2^m, 2^m).
        num_blocks: n. Static.
        block_size: b. Static.
        name: For reports. Static.

    Raises:
        ValueError: If the shapes do not fit together.

    Source: theory of bounds, section 1 (quantum cell-probe model).
    """

    states: Complex[Array, "seeds sets d d"]
    effects: Complex[Array, "seeds queries d d"]
    num_blocks: int = eqx.field(static=True)
    block_size: int = eqx.field(static=True)
    name: str = eqx.field(static=True)

    def __check_init__(self):
        n, b = self.num_blocks, self.block_size
        sizes = (self.states.shape[-3], self.effects.shape[-3])
        rule = f"hold {b**n} sets and {n * b} queries for n={n}, b={b}"
        require(sizes == (b**n, n * b), "states and effects", rule, sizes)
        dims = (self.states.shape[-1], self.effects.shape[-1])
        require(dims[0] == dims[1], "effects", f"act on {dims[0]} dimensions", dims[1])

    @property
    def num_wires(self) -> int:
        """m, the qubits of one memory."""
        return self.states.shape[-1].bit_length() - 1


class Statistics(eqx.Module):
    """What an attacker of a bound needs to know about a noisy structure.

    Attributes:
        member: p, mean acceptance of members over blocks and sets.
        other: a, mean acceptance of non-members of the same block.
        holevo: chi of the uniform ensemble of stored states, in bits.
    """

    member: float
    other: float
    holevo: float


def membership_table(num_blocks: int, block_size: int) -> Bool[np.ndarray, "q s"]:
    """Whether set s contains the element of query q, shape (n b, b^n)."""
    sets = np.arange(block_size**num_blocks)
    places = block_size ** np.arange(num_blocks)[::-1]
    digits = (sets[:, None] // places) % block_size  # (sets, blocks)
    queries = np.arange(num_blocks * block_size)
    block, element = queries // block_size, queries % block_size
    return digits.T[block] == element[:, None]


def storage_noise(
    survival: Float[Array, ""] | float, layers: int, num_wires: int
) -> Circuit:
    """T layers of one-qubit depolarizing noise on every memory qubit.

    Each layer maps rho -> lambda rho + (1 - lambda) I/2 on every qubit.

    Args:
        survival: lambda in [0, 1].
        layers: T >= 0. Static.
        num_wires: m.

    Returns:
        Circuit of channels; one layer is stored once, whatever T.
    """
    survival = jnp.asarray(survival)
    layer = Circuit(
        tuple(depolarizing(1 - survival, wire) for wire in range(num_wires)), num_wires
    )
    if layers == 0:
        return Circuit((), num_wires)
    if layers == 1:
        return layer
    body = jax.tree.map(lambda leaf: jnp.stack([leaf] * layers), layer)
    return Circuit((Repeat(body, layers),), num_wires)


def noisy_states(
    states: Complex[Array, "*batch d d"], noise: Circuit
) -> Complex[Array, "*batch d d"]:
    """Run the noise circuit on every density matrix of a table."""

    def one(matrix):
        return run(noise, DensityMatrix.from_matrix(matrix)).matrix()

    size = states.shape[-1]
    flat = jax.vmap(one)(states.reshape(-1, size, size))
    return flat.reshape(states.shape)


def acceptances(
    states: Complex[Array, "sets d d"], effects: Complex[Array, "queries d d"]
) -> Float[Array, "queries sets"]:
    """Tr M_q rho_s for every query and set, as expectations on the engine."""
    wires = tuple(range(states.shape[-1].bit_length() - 1))

    def one(effect, matrix):
        state = DensityMatrix.from_matrix(matrix)
        return expectation(state, Hermitian(effect, wires))

    over_sets = jax.vmap(one, in_axes=(None, 0))
    return jax.vmap(over_sets, in_axes=(0, None))(effects, states)


def holevo_information(
    states: Complex[np.ndarray, "sets d d"], weights: Float[np.ndarray, " sets"]
) -> float:
    """chi = S(sum_s w_s rho_s) - sum_s w_s S(rho_s), in bits.

    In NumPy, like every eigendecomposition here. A compiled program that decomposed two
    tables of 64 x 64 matrices beside a map over shots compiled in a second and then
    stood still with idle cores (JAX 0.10.2, 2 CPU cores); without them it runs.
    """
    average = np.einsum("s,sij->ij", weights, states)
    return float(entropy_bits(average) - np.sum(weights * entropy_bits(states)))


def entropy_bits(matrices: Complex[np.ndarray, "*b d d"]) -> Float[np.ndarray, "*b"]:
    """Von Neumann entropy of each density matrix, in bits."""
    values = np.clip(np.linalg.eigvalsh(matrices), 0, 1)
    safe = np.where(values > 0, values, 1)
    return np.asarray(-np.sum(safe * np.log2(safe), axis=-1))


def block_average(
    table: Float[Array, "queries sets"],
    member: Bool[Array, "queries sets"],
    weights: Float[Array, "queries sets"],
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """Mean acceptance of members and of same-block non-members.

    Every query has weight 1/(n b), and given the query the set is uniform among those
    that (do not) contain its element: the block distribution of Theorem A1.
    """
    chosen, rest = (jnp.where(which, weights, 0) for which in (member, ~member))
    inside = jnp.sum(table * chosen) / jnp.sum(chosen)
    outside = jnp.sum(table * rest) / jnp.sum(rest)
    return inside, outside


_run_noise = eqx.filter_jit(noisy_states)


def simulate_noise(
    states: Complex[ArrayLike, "*batch d d"], noise: Circuit
) -> Complex[np.ndarray, "*batch d d"]:
    """`noisy_states`, compiled once for all tables of up to the same power of two.

    Tables are padded to a power of two, and at least 16, density matrices, so that the
    many small structures of a verification share compilations.
    """
    table = np.asarray(states)
    flat = table.reshape(-1, *table.shape[-2:])
    size = max(16, 1 << (len(flat) - 1).bit_length())
    padded = np.concatenate([flat, np.repeat(flat[:1], size - len(flat), axis=0)])
    noisy = np.asarray(_run_noise(jnp.asarray(padded), noise))
    return noisy[: len(flat)].reshape(table.shape)


def exact_statistics(structure: QuantumDataStructure, noise: Circuit) -> Statistics:
    """Acceptances and Holevo information from simulated density matrices.

    Args:
        structure: Any structure; complex128 for results to 1e-12.
        noise: Circuit of channels on the memory's wires.

    Returns:
        Averages over sets, queries and public randomness. With public randomness R the
        Holevo information is the mean of chi given R, which is what A1 bounds.
    """
    noisy = simulate_noise(structure.states, noise)
    member = membership_table(structure.num_blocks, structure.block_size)
    # Tr M rho for each seed, query and set: Born's rule.
    effects = np.asarray(structure.effects)
    table = np.einsum("kqij,ksji->kqs", effects, noisy).real
    uniform = np.full(noisy.shape[1], 1 / noisy.shape[1])
    holevo = [holevo_information(states, uniform) for states in noisy]
    # Every query has equally many member sets, and so has every seed.
    inside, outside = table[:, member].mean(), table[:, ~member].mean()
    return Statistics(float(inside), float(outside), float(np.mean(holevo)))


def ket_ensembles(
    states: Complex[np.ndarray, "*b d d"],
) -> tuple[Float[np.ndarray, "*b d"], Complex[np.ndarray, "*b d d"]]:
    """Probabilities and kets (last axis but one counts them) of each density matrix."""
    values, vectors = np.linalg.eigh(states)
    values = np.clip(values, 0, 1)
    return values / values.sum(axis=-1, keepdims=True), vectors.mT


class ShotPlan(eqx.Module):
    """What each run does: public randomness, stored set, query, and which ket.

    Attributes:
        seed, stored, query: Indices, shape (shots,).
        part: Uniform in [0, 1), shape (shots,): selects an eigenvector of the state.
        outcome: Uniform in [0, 1), shape (shots,): accepts if below Born's probability.
    """

    seed: Int[Array, " shots"]
    stored: Int[Array, " shots"]
    query: Int[Array, " shots"]
    part: Float[Array, " shots"]
    outcome: Float[Array, " shots"]


def plan_shots(
    key: Key,
    structure: QuantumDataStructure,
    shots: int,
    ask_member: Bool[Array, ""] | bool,
) -> ShotPlan:
    """Draw runs from the block distribution.

    A uniform seed, set and block; in the block the stored element or a uniform other.
    """
    keys = jax.random.split(key, 5)
    n, b = structure.num_blocks, structure.block_size
    seed = jax.random.randint(keys[0], (shots,), 0, structure.states.shape[0])
    stored = jax.random.randint(keys[1], (shots,), 0, b**n)
    block = jax.random.randint(keys[2], (shots,), 0, n)
    element = (stored // b ** (n - 1 - block)) % b
    shift = jax.random.randint(keys[3], (shots,), 1, b)
    element = (element + jnp.where(ask_member, 0, shift)) % b
    part, outcome = jax.random.uniform(keys[4], (2, shots))
    return ShotPlan(seed, stored, block * b + element, part, outcome)


def _run_shots(
    key: Key,
    plan: ShotPlan,
    cumulative: Float[Array, "seeds sets d"],
    kets: Complex[Array, "seeds sets d d"],
    effects: Complex[Array, "seeds queries d d"],
    noise: Circuit,
    shots: int,
    batch: int,
) -> Int[Array, ""]:
    """Number of accepting runs among the first `shots`, in equal batches."""
    keys = jax.random.split(key, plan.seed.shape[0])
    size = kets.shape[-1]
    wires = tuple(range(size.bit_length() - 1))

    def shot(args):
        key, run = args
        ket = jnp.sum(run.part >= cumulative[run.seed, run.stored, :-1])
        amplitudes = kets[run.seed, run.stored, ket]
        start = StateVector(amplitudes.reshape((2,) * len(wires)))
        state, _ = trajectory(key, noise, start)
        effect = Hermitian(effects[run.seed, run.query], wires)
        return run.outcome < expectation(state, effect)

    accepted = jax.lax.map(shot, (keys, plan), batch_size=batch)
    return jnp.sum(accepted[:shots])


@eqx.filter_jit
def _count_accepted(
    keys: Array,
    structure: QuantumDataStructure,
    cumulative: Float[Array, "seeds sets d"],
    kets: Complex[Array, "seeds sets d d"],
    noise: Circuit,
    shots: int,
    ask_member: Bool[Array, " keys"],
) -> Int[Array, " keys"]:
    """Accepting runs for each key and kind of query, all under one vmap."""
    # Each run in a batch gathers its own d x d effect: 64 MiB at most. Equal batches,
    # because a shorter last one would be compiled as a program of its own.
    most = max(1, min(4096, 2**22 // kets.shape[-1] ** 2))
    count = -(-shots // most)
    batch = -(-shots // count)

    def one(key, member):
        plan_key, run_key = jax.random.split(key)
        plan = plan_shots(plan_key, structure, count * batch, member)
        effects = structure.effects
        return _run_shots(run_key, plan, cumulative, kets, effects, noise, shots, batch)

    return jax.vmap(one)(keys, ask_member)


def sampled_acceptances(
    key: Key, structure: QuantumDataStructure, noise: Circuit, shots: int
) -> tuple[int, int]:
    """Count accepting runs: `shots` of member queries and as many of non-members.

    Each run draws public randomness, a set and a query, prepares a ket, follows one
    noise trajectory and measures the query once: a fresh copy per query.

    Args:
        key: JAX random key.
        structure: What is run.
        noise: Circuit of channels on the memory's wires.
        shots: Runs of each kind, at least 1. Static.

    Returns:
        Number of accepted member queries and of accepted non-member queries.

    Raises:
        ValueError: If `shots` < 1.
    """
    member, other = repeated_acceptances(key[None], structure, noise, shots)
    return int(member[0]), int(other[0])


def repeated_acceptances(
    keys: Array, structure: QuantumDataStructure, noise: Circuit, shots: int
) -> tuple[Int[np.ndarray, " keys"], Int[np.ndarray, " keys"]]:
    """`sampled_acceptances` for many keys at once, under one vmap.

    Args:
        keys: JAX random keys, shape (keys,).
        structure: What is run.
        noise: Circuit of channels on the memory's wires.
        shots: Runs of each kind and key, at least 1. Static.

    Returns:
        Accepted member queries and accepted non-member queries of each key.

    Raises:
        ValueError: If `shots` < 1.
    """
    check_shots(shots)
    probabilities, kets = ket_ensembles(np.asarray(structure.states))
    cumulative, kets = jnp.asarray(np.cumsum(probabilities, -1)), jnp.asarray(kets)
    # Static fields decide what is compiled: a name is for reports only.
    nameless = dataclasses.replace(structure, name="")
    both = jax.vmap(jax.random.split, out_axes=1)(keys)
    parts = both.reshape(-1, *both.shape[2:])
    ask_member = jnp.arange(len(parts)) < len(keys)
    accepted = np.asarray(
        _count_accepted(parts, nameless, cumulative, kets, noise, shots, ask_member)
    )
    return accepted[: len(keys)], accepted[len(keys) :]


def acceptance_intervals(
    accepted: tuple[int, int], shots: int, confidence: float
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Clopper-Pearson intervals of member and non-member acceptance.

    Each is two-sided at `confidence`, so that the two one-sided statements used in a
    comparison (p at least, a at most) hold together with the same confidence.
    """
    member = clopper_pearson(accepted[0], shots, confidence)
    other = clopper_pearson(accepted[1], shots, confidence)
    return member, other
