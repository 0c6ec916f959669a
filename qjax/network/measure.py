"""Amplitudes, expectations, marginals and reduced states by contraction."""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from qjax._checks import check_wires, require
from qjax._types import Wires
from qjax.circuits import Circuit
from qjax.circuits.observables import AbstractObservable, PauliSum
from qjax.network.circuit import Bits, Pieces
from qjax.network.contract import contract
from qjax.network.network import Network
from qjax.network.order import Optimizer
from qjax.network.plan import plan_contraction, require_contraction_fits
from qjax.network.sketch import Sketch, bind


class _Options(NamedTuple):
    """How to plan."""

    max_bytes: int | None
    optimizer: Optimizer


def amplitude(
    circuit: Circuit,
    bits: Bits,
    *,
    start: Bits | None = None,
    max_bytes: int | None = None,
    optimizer: Optimizer = "auto",
    dtype: np.dtype | type | None = None,
) -> Complex[Array, ""]:
    """Compute <bits| U |start> exactly, without the state's 2^n numbers.

    Args:
        circuit: Unitary circuit of n wires; a `Repeat` is written out, so that the time
            to trace and compile grows with its depth.
        bits: n bits.
        start: n bits of the product state before the circuit; by default zeros.
        max_bytes: As in `plan_contraction`.
        optimizer: As in `plan_contraction`.
        dtype: Complex dtype; by default JAX's at the time of the call.

    Raises:
        ValueError: If there are not n bits, or the contraction does not fit.
        TypeError: If an operation is not unitary.

    Example:
        >>> from qjax.circuits import Circuit, cx, h
        >>> from qjax.network import amplitude
        >>> ghz = Circuit([h(0), *(cx(i, i + 1) for i in range(59))], 60)
        >>> complex(amplitude(ghz, (1,) * 60)).real
        0.707106...
    """
    pieces = Pieces(circuit, start, dtype)
    sketch = pieces.vector(closed=True)
    pieces.set_bits(bits)
    return _contract_all(pieces, [sketch], _Options(max_bytes, optimizer))[0]


def amplitudes(
    circuit: Circuit,
    bits: np.ndarray | Array | Sequence[Sequence[int]],
    *,
    start: Bits | None = None,
    max_bytes: int | None = None,
    optimizer: Optimizer = "auto",
    dtype: np.dtype | type | None = None,
) -> Complex[Array, " b"]:
    """Compute <x| U |start> for b strings x by one contraction with a batch axis.

    Args:
        circuit: As in `amplitude`.
        bits: Shape (b, n).
        start: As in `amplitude`.
        max_bytes: Memory for the whole batch.
        optimizer: As in `plan_contraction`.
        dtype: As in `amplitude`.

    Returns:
        Shape (b,).

    Raises:
        ValueError: If the shape is another, or the batch does not fit.
        TypeError: If an operation is not unitary.

    Example:
        >>> from qjax.circuits import Circuit, cx, h
        >>> from qjax.network import amplitudes
        >>> bell = Circuit([h(0), cx(0, 1)], 2)
        >>> amplitudes(bell, [(0, 0), (0, 1)]).real.tolist()
        [0.707106..., 0.0]
    """
    strings = jnp.asarray(bits)
    count = strings.shape[0] if strings.ndim else 0
    fits = strings.ndim == 2 and strings.shape[1] == circuit.num_wires and count > 0
    rule = f"have shape (b, {circuit.num_wires}) with b at least 1"
    require(fits, "bits", rule, f"of shape {strings.shape}")
    pieces = Pieces(circuit, start, dtype)
    sketch = pieces.vector(closed=True)
    share = None if max_bytes is None else max(max_bytes // count, 1)
    pieces.set_bits(np.zeros(circuit.num_wires, np.int32))
    plan = plan_contraction(
        pieces.network(sketch), max_bytes=share, optimizer=optimizer
    )
    require_contraction_fits(plan, count)

    def one(string: Array) -> Array:
        pieces.set_bits(string)
        return contract(pieces.network(sketch), plan)

    return jax.vmap(one)(strings)


def expectation(
    circuit: Circuit,
    observable: AbstractObservable | Sequence[AbstractObservable],
    *,
    start: Bits | None = None,
    max_bytes: int | None = None,
    optimizer: Optimizer = "auto",
    dtype: np.dtype | type | None = None,
) -> Float[Array, "*t"]:
    """Compute Tr(O E(|start><start|)) exactly, each term of O in its own light cone.

    The cost depends on the cone, not on the number of wires. Terms whose cones look the
    same, as of a chain in a circuit of equal layers, are one contraction with a batch
    axis, and compile once.

    Args:
        circuit: Circuit of n wires of unitaries, channels and resets; noise is exact,
            at the cost of joining the circuit and its conjugate.
        observable: A PauliSum, Projector or Hermitian on few wires, or a sequence of t.
        start: n bits of the product state before the circuit; by default zeros.
        max_bytes: Memory for the largest batch.
        optimizer: As in `plan_contraction`.
        dtype: Complex dtype; by default JAX's at the time of the call.

    Returns:
        A real scalar, or shape (t,) for a sequence.

    Raises:
        ValueError: If a wire is unknown, or a contraction does not fit.
        TypeError: If the circuit has measurements or conditions, or the observable is
            none.

    Source: Evenbly and Vidal, Phys. Rev. B 79, 144108 (2009), for causal cones.

    Example:
        >>> from qjax.circuits import Circuit, cz, pauli, ry
        >>> from qjax.network import expectation
        >>> turns = [ry(0.5, wire) for wire in range(100)]
        >>> links = [cz(wire, wire + 1) for wire in range(99)]
        >>> circuit = Circuit([*turns, *links, *turns], 100)
        >>> round(float(expectation(circuit, pauli("Z", 50))), 4)  # cos^4(0.5)
        0.5931
    """
    single = isinstance(observable, AbstractObservable)
    wanted = [observable] if single else list(observable)
    require(len(wanted) > 0, "observable", "hold at least one observable", "empty")
    pieces = Pieces(circuit, start, dtype)
    terms = [pieces.terms(one) for one in wanted]
    flat = [term for own in terms for term in own]
    sketches = pieces.averages(flat)
    options = _Options(max_bytes, optimizer)
    values = _contract_all(pieces, sketches, options).real
    sums, first = [], 0
    for one, own in zip(wanted, terms, strict=True):
        part = values[first : first + len(own)]
        first += len(own)
        if isinstance(one, PauliSum):
            part = part * jnp.asarray(one.coefficients).astype(part.dtype)
        sums.append(jnp.sum(part))
    return sums[0] if single else jnp.stack(sums)


def marginal(
    circuit: Circuit,
    wires: int | Sequence[int],
    *,
    start: Bits | None = None,
    max_bytes: int | None = None,
    optimizer: Optimizer = "auto",
    dtype: np.dtype | type | None = None,
) -> Float[Array, "*k"]:
    """Compute p(x) of measuring some wires and ignoring the others.

    Args:
        circuit: As in `expectation`.
        wires: k wires, in the order of the result's axes.
        start: As in `expectation`.
        max_bytes: As in `plan_contraction`.
        optimizer: As in `plan_contraction`.
        dtype: As in `expectation`.

    Returns:
        Real, shape (2,) * k; the sum is 1.

    Raises:
        ValueError: If a wire is unknown, or the contraction does not fit.
        TypeError: If the circuit has measurements or conditions.

    Example:
        >>> from qjax.circuits import Circuit, cx, h
        >>> from qjax.network import marginal
        >>> ghz = Circuit([h(0), *(cx(i, i + 1) for i in range(59))], 60)
        >>> [round(float(p), 3) for p in marginal(ghz, (0, 59)).ravel()]
        [0.5, 0.0, 0.0, 0.5]
    """
    wires = _some_wires(circuit, wires)
    pieces = Pieces(circuit, start, dtype)
    sketch = pieces.probabilities(wires)
    return _contract_all(pieces, [sketch], _Options(max_bytes, optimizer))[0].real


def reduced(
    circuit: Circuit,
    wires: int | Sequence[int],
    *,
    start: Bits | None = None,
    max_bytes: int | None = None,
    optimizer: Optimizer = "auto",
    dtype: np.dtype | type | None = None,
) -> Complex[Array, "d d"]:
    """Compute the reduced density matrix of some wires.

    Args:
        circuit: As in `expectation`.
        wires: k wires; the first is the leading bit of rows and columns.
        start: As in `expectation`.
        max_bytes: As in `plan_contraction`.
        optimizer: As in `plan_contraction`.
        dtype: As in `expectation`.

    Returns:
        Shape (2^k, 2^k).

    Raises:
        ValueError: If a wire is unknown, or the contraction does not fit.
        TypeError: If the circuit has measurements or conditions.

    Example:
        >>> from qjax.circuits import Circuit, cx, h
        >>> from qjax.network import reduced
        >>> ghz = Circuit([h(0), *(cx(i, i + 1) for i in range(59))], 60)
        >>> reduced(ghz, 30).real.round(3).tolist()
        [[0.5, 0.0], [0.0, 0.5]]
    """
    wires = _some_wires(circuit, wires)
    pieces = Pieces(circuit, start, dtype)
    sketch = pieces.reduced(wires)
    matrix = _contract_all(pieces, [sketch], _Options(max_bytes, optimizer))[0]
    return matrix.reshape(2 ** len(wires), 2 ** len(wires))


def _some_wires(circuit: Circuit, wires: int | Sequence[int]) -> Wires:
    found = check_wires(wires, circuit.num_wires)
    require(len(found) > 0, "wires", "have at least one wire", found)
    return found


def _contract_all(
    pieces: Pieces, sketches: Sequence[Sketch], options: _Options
) -> Array:
    """Contract sketches, those of one structure as a batch: stacked in their order."""
    groups: dict[object, list[int]] = {}
    for place, sketch in enumerate(sketches):
        groups.setdefault(sketch.structure, []).append(place)
    found: list[Array] = []
    order: list[int] = []
    for places in groups.values():
        batch = [sketches[place] for place in places]
        found.append(_contract_alike(pieces, batch, options))
        order += places
    together = jnp.concatenate(found)
    return together[np.argsort(np.asarray(order))]


def _contract_alike(
    pieces: Pieces, sketches: Sequence[Sketch], options: _Options
) -> Array:
    """Contract sketches of one structure: shape (number of sketches, *output)."""
    first, count = sketches[0], len(sketches)
    share = options.max_bytes
    share = None if share is None else max(share // count, 1)
    plan = plan_contraction(
        pieces.network(first), max_bytes=share, optimizer=options.optimizer
    )
    require_contraction_fits(plan, count)
    tensors, axes = bind(sketches, pieces.stacks)

    def one(*parts: Array) -> Array:
        return contract(Network(parts, first.indices, first.output), plan)

    if all(axis is None for axis in axes):
        value = one(*tensors)
        return jnp.broadcast_to(value, (count, *value.shape))
    return jax.vmap(one, in_axes=axes)(*tensors)
