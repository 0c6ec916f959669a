"""The noises a memory can suffer: engine channel, 50-digit Kraus operators, capacity.

One row per noise. Everything that a bound needs to know about a noise is in its row:
adding a noise means adding a row and the lemma that proves its capacity.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import mpmath
import sympy as sp
from jaxtyping import Array, Float, Num

from qjax._linalg import as_complex
from qjax._types import ArrayLike
from qjax.bounds.bound import Variable
from qjax.bounds.memory.capacities import (
    damping_bits,
    depolarizing_bits,
    generalized_damping_bits,
    relaxation_bits,
)
from qjax.circuits import Circuit, Repeat
from qjax.circuits.operation import Channel, Unitary
from qjax.noise import (
    amplitude_damping,
    depolarizing,
    generalized_amplitude_damping,
    phase_damping,
    reset_error,
    thermal_relaxation,
    two_qubit_depolarizing,
)

T = sp.Symbol("T", integer=True, nonnegative=True)
lam, eta, coh, exc, mu = sp.symbols("lam eta coh exc mu", real=True, nonnegative=True)

Values = Mapping[str, Any]
Kraus = list[mpmath.matrix]

SURVIVAL = Variable(lam, 0, 1, "survival per layer", "survival")
COHERENCE_ONLY = Variable(lam, 0, 1, "coherence factor per layer", quiet=1)
POPULATION = Variable(
    eta, 0, 1, "survival of an excitation per layer, 1 - gamma", quiet=1
)
COHERENCE = Variable(
    coh, 0, 1, "coherence factor per layer, at most sqrt(eta)", quiet=1
)
EXCITED = Variable(exc, 0, 1, "excited population at equilibrium", quiet=0)
REPLACED = Variable(mu, 0, 1, "probability per layer of being replaced", quiet=0)


@dataclasses.dataclass(frozen=True)
class MemoryNoise:
    """One kind of noise on a memory.

    Attributes:
        name: Key of `MEMORY_NOISES`.
        title: In words.
        parameter: Key of `NOISE_PARAMETERS`: what the symbols mean.
        place: "storage" or "interleaved": whether unitaries may act between layers.
        variables: Symbols of one layer.
        kappa: Bits per memory qubit after T layers, at most.
        channels: (values, num_wires) -> channels of one layer, on the engine.
        stages: values -> lists of Kraus operators in mpmath, applied in turn to each
            qubit (or block) in one layer; shares no code with `channels`.
        draw: Uniform numbers of shape (2 len(variables),) -> values, with the edges.
        block: Qubits that are hit together.
    """

    name: str
    title: str
    parameter: str
    place: str
    variables: tuple[Variable, ...]
    kappa: sp.Expr
    channels: Callable[[Values, int], tuple[Channel, ...]]
    stages: Callable[[Values], list[Kraus]]
    draw: Callable[[Float[Array, " k"]], dict[str, Array]]
    block: int = 1

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters of one layer."""
        return tuple(variable.symbol.name for variable in self.variables)

    def circuit(
        self,
        values: Values,
        layers: int,
        num_wires: int,
        between: Sequence[Num[ArrayLike, "d d"]] = (),
    ) -> Circuit:
        """T layers of the noise, with unitaries on the whole memory between them.

        Args:
            values: Numbers by parameter name; may be traced.
            layers: T >= 0. Static.
            num_wires: m.
            between: T - 1 unitaries, or none.
        """
        layer = Circuit(self.channels(values, num_wires), num_wires)
        if layers == 0:
            return Circuit((), num_wires)
        if between:
            wires = tuple(range(num_wires))
            steps = layer.operations
            for matrix in between:
                steps += (Unitary(as_complex(matrix), wires), *layer.operations)
            return Circuit(steps, num_wires)
        if layers == 1:
            return layer
        body = jax.tree.map(lambda leaf: jnp.stack([leaf] * layers), layer)
        return Circuit((Repeat(body, layers),), num_wires)


def _near_edges(uniform: Float[Array, " k"], index: int) -> Float[Array, ""]:
    """A number in [0, 1]: half of the time at or within 1e-6 .. 1e-2 of an edge."""
    kind, value = uniform[2 * index], uniform[2 * index + 1]
    small = 10.0 ** -(2 + 4 * value)
    options = [jnp.zeros_like(small), jnp.ones_like(small), small, 1 - small]
    options += [value] * 4
    chosen = jnp.minimum((kind * len(options)).astype(jnp.int32), len(options) - 1)
    return jnp.stack(options)[chosen]


def _draw(*names: str) -> Callable[[Float[Array, " k"]], dict[str, Array]]:
    def draw(uniform: Float[Array, " k"]) -> dict[str, Array]:
        return {name: _near_edges(uniform, i) for i, name in enumerate(names)}

    return draw


def _draw_relaxation(uniform: Float[Array, " k"]) -> dict[str, Array]:
    """eta in [1e-6, 1], c <= sqrt(eta): half of the time at sqrt(eta) itself."""
    population = jnp.maximum(_near_edges(uniform, 0), 1e-6)
    share = jnp.maximum(_near_edges(uniform, 1), 1e-6)
    excited = _near_edges(uniform, 2)
    return {"eta": population, "coh": share * jnp.sqrt(population), "exc": excited}


def _each(
    build: Callable[[Values, int], Channel],
) -> Callable[[Values, int], tuple[Channel, ...]]:
    def channels(values: Values, num_wires: int) -> tuple[Channel, ...]:
        return tuple(build(values, wire) for wire in range(num_wires))

    return channels


def _relaxation(values: Values, wire: int) -> Channel:
    """Times T1, T2 with exp(-1/T1) = eta and exp(-1/T2) = c, for a time 1."""
    population, coherence = jnp.asarray(values["eta"]), jnp.asarray(values["coh"])
    t1 = -1 / jnp.log(jnp.minimum(population, 1 - 1e-15))
    t2 = -1 / jnp.log(jnp.minimum(coherence, 1 - 1e-15))
    return thermal_relaxation(t1, jnp.minimum(t2, 2 * t1), 1.0, values["exc"], wire)


def _blocks(values: Values, num_wires: int) -> tuple[Channel, ...]:
    """Pairs of qubits; a last single one is a block of its own."""
    strength = 1 - jnp.asarray(values["lam"])
    pairs = [
        two_qubit_depolarizing(strength, (wire, wire + 1))
        for wire in range(0, num_wires - 1, 2)
    ]
    if num_wires % 2:
        pairs.append(depolarizing(strength, num_wires - 1))
    return tuple(pairs)


def _mp(rows: Sequence[Sequence[Any]]) -> mpmath.matrix:
    return mpmath.matrix([[mpmath.mpmathify(x) for x in row] for row in rows])


def _mp_paulis() -> Kraus:
    x, z = _mp([[0, 1], [1, 0]]), _mp([[1, 0], [0, -1]])
    return [mpmath.eye(2), x, z, x * z]


def _mp_depolarizing(values: Values) -> list[Kraus]:
    level = mpmath.mpf(values["lam"])
    weights = [(1 + 3 * level) / 4] + [(1 - level) / 4] * 3
    paulis = _mp_paulis()
    return [[mpmath.sqrt(w) * p for w, p in zip(weights, paulis, strict=True)]]


def mp_kron(first: mpmath.matrix, second: mpmath.matrix) -> mpmath.matrix:
    """Kronecker product of two mpmath matrices."""
    rows, columns = second.rows, second.cols
    product = mpmath.matrix(first.rows * rows, first.cols * columns)
    for i in range(product.rows):
        for j in range(product.cols):
            left = first[i // rows, j // columns]
            product[i, j] = left * second[i % rows, j % columns]
    return product


def _mp_block(values: Values) -> list[Kraus]:
    level = mpmath.mpf(values["lam"])
    paulis = _mp_paulis()
    words = [mp_kron(first, second) for first in paulis for second in paulis]
    weights = [(1 + 15 * level) / 16] + [(1 - level) / 16] * 15
    return [[mpmath.sqrt(w) * p for w, p in zip(weights, words, strict=True)]]


def _mp_dephasing(coherence: Any) -> Kraus:
    level = mpmath.mpf(coherence)
    keep, flip = mpmath.sqrt((1 + level) / 2), mpmath.sqrt((1 - level) / 2)
    return [keep * mpmath.eye(2), flip * _mp([[1, 0], [0, -1]])]


def _mp_damping(population: Any, excited: Any) -> Kraus:
    kept, e = mpmath.mpf(population), mpmath.mpf(excited)
    root, lost = mpmath.sqrt(kept), mpmath.sqrt(1 - kept)
    down, up = mpmath.sqrt(1 - e), mpmath.sqrt(e)
    return [
        down * _mp([[1, 0], [0, root]]),
        down * _mp([[0, lost], [0, 0]]),
        up * _mp([[root, 0], [0, 1]]),
        up * _mp([[0, 0], [lost, 0]]),
    ]


def _mp_relaxation(values: Values) -> list[Kraus]:
    """Generalized damping, then the dephasing that is left: c / sqrt(eta)."""
    root = mpmath.sqrt(mpmath.mpf(values["eta"]))
    rest = min(mpmath.mpf(values["coh"]) / root, mpmath.mpf(1)) if root else 0
    return [_mp_damping(values["eta"], values["exc"]), _mp_dephasing(rest)]


def _mp_reset(values: Values) -> list[Kraus]:
    level, e = mpmath.mpf(values["mu"]), mpmath.mpf(values["exc"])
    down, up = mpmath.sqrt(level * (1 - e)), mpmath.sqrt(level * e)
    return [[
        mpmath.sqrt(1 - level) * mpmath.eye(2),
        down * _mp([[1, 0], [0, 0]]), down * _mp([[0, 1], [0, 0]]),
        up * _mp([[0, 0], [1, 0]]), up * _mp([[0, 0], [0, 1]]),
    ]]  # fmt: skip


_ROWS = (
    MemoryNoise(
        "depolarizing", "depolarizing storage noise", "replacement", "storage",
        (SURVIVAL,), depolarizing_bits(lam**T),
        _each(lambda v, wire: depolarizing(1 - jnp.asarray(v["lam"]), wire)),
        _mp_depolarizing, _draw("lam"),
    ),
    MemoryNoise(
        "dephasing", "dephasing storage noise", "coherence", "storage",
        (COHERENCE_ONLY,), sp.S.One,
        _each(lambda v, wire: phase_damping(1 - jnp.asarray(v["lam"]) ** 2, wire)),
        lambda v: [_mp_dephasing(v["lam"])], _draw("lam"),
    ),
    MemoryNoise(
        "damping", "zero-temperature amplitude damping", "survival", "storage",
        (POPULATION,), damping_bits(eta**T),
        _each(lambda v, wire: amplitude_damping(1 - jnp.asarray(v["eta"]), wire)),
        lambda v: [_mp_damping(v["eta"], 0)], _draw("eta"),
    ),
    MemoryNoise(
        "generalized-damping", "amplitude damping at any temperature", "survival",
        "storage", (POPULATION, EXCITED), generalized_damping_bits(eta**T, exc),
        _each(lambda v, wire: generalized_amplitude_damping(
            1 - jnp.asarray(v["eta"]), v["exc"], wire)),
        lambda v: [_mp_damping(v["eta"], v["exc"])], _draw("eta", "exc"),
    ),
    MemoryNoise(
        "relaxation", "T1/T2 relaxation", "relaxation", "storage",
        (POPULATION, COHERENCE, EXCITED), relaxation_bits(eta**T, coh**T),
        _each(_relaxation), _mp_relaxation, _draw_relaxation,
    ),
    MemoryNoise(
        "replacement", "replacement by a fixed state (Doeblin)", "erasure", "storage",
        (REPLACED, EXCITED), (1 - mu) ** T,
        _each(lambda v, wire: reset_error(
            v["mu"] * (1 - jnp.asarray(v["exc"])), v["mu"] * v["exc"], wire)),
        _mp_reset, _draw("mu", "exc"),
    ),
    MemoryNoise(
        "interleaved", "depolarizing noise between any unitaries", "replacement",
        "interleaved", (SURVIVAL,), lam ** (2 * T),
        _each(lambda v, wire: depolarizing(1 - jnp.asarray(v["lam"]), wire)),
        _mp_depolarizing, _draw("lam"),
    ),
    MemoryNoise(
        "block", "two-qubit depolarizing blocks between any unitaries", "replacement",
        "interleaved", (SURVIVAL,), lam**T, _blocks, _mp_block, _draw("lam"), block=2,
    ),
)  # fmt: skip

MEMORY_NOISES: dict[str, MemoryNoise] = {row.name: row for row in _ROWS}
"""Every noise of the memory by name."""
