"""Circuit families: hardware-efficient layers, data encodings, the QFT."""

from collections.abc import Callable
from itertools import pairwise
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from qjax._checks import as_float, checked, require
from qjax._linalg import as_complex, has_unit_norm
from qjax._types import ArrayLike
from qjax.circuits.builders import cphase, cx, cz, h, phase, rx, ry, rz, swap
from qjax.circuits.circuit import Circuit, Repeat
from qjax.circuits.operation import AbstractOperation, Gate

Entanglement = Literal["linear", "circular", "brickwork", "all"]
Entangler = Literal["CX", "CZ"]
Links = list[tuple[int, int]]

_ENTANGLERS: dict[str, Callable[[int, int], Gate]] = {"CX": cx, "CZ": cz}
_ROTATIONS: dict[str, Callable[[ArrayLike, int], Gate]] = {"X": rx, "Y": ry, "Z": rz}


def hardware_efficient(
    params: Float[Array, "depth n r"] | Float[np.ndarray, "depth n r"],
    rotations: str = "YZ",
    entanglement: Entanglement = "linear",
    entangler: Entangler = "CX",
) -> Circuit:
    """Build layers of rotations on every wire and of entangling gates, as one Repeat.

    Args:
        params: Angles in radians, shape (depth, n, r): layer, wire, rotation.
        rotations: r letters of X, Y, Z, in time order.
        entanglement: "linear" couples q to q + 1; "circular" also n - 1 to 0 (n >= 3);
            "brickwork" pairs of a ring, in turn those that start at even and at odd
            wires (n even, at least 4); "all" in turn all pairs at distance 1, 2, ...,
            n // 2 of a ring (n >= 3).
        entangler: "CX" or "CZ".

    Returns:
        Circuit of n wires with depth * n * r angles. Layers that differ are repeated
        together: compile time does not grow with depth.

    Raises:
        ValueError: If the shape, the letters or the number of wires do not fit.

    Source: Kandala et al., Nature 549, 242 (2017).

    Example:
        >>> import jax.numpy as jnp
        >>> from qjax.circuits import hardware_efficient
        >>> print(hardware_efficient(jnp.zeros((4, 2, 2))).draw())
        0: ─4×[─RY─RZ─●─]─
        1: ─4×[─RY─RZ─X─]─
    """
    params = as_float(params, "params")
    fits = params.ndim == 3 and params.shape[2] == len(rotations) and params.size > 0
    rule = f"have shape (depth, num_wires, {len(rotations)})"
    require(fits, "params", rule, f"of shape {params.shape}")
    require(set(rotations) <= set("XYZ"), "rotations", "use X, Y, Z", repr(rotations))
    known = entangler in _ENTANGLERS
    require(known, "entangler", "be CX or CZ", repr(entangler))
    depth, num_wires, _ = params.shape
    couple = _ENTANGLERS[entangler]
    cycle = _links(num_wires, entanglement)

    def layer(angles: Float[Array, "n r"], links: Links) -> list[AbstractOperation]:
        # One split, which compiles to less than as many indexings do.
        pieces = iter(jax.lax.split(angles.T.reshape(-1), (1,) * angles.size))
        turns = [
            _ROTATIONS[letter](next(pieces).reshape(()), wire)
            for letter in rotations
            for wire in range(num_wires)
        ]
        return [*turns, *(couple(*link) for link in links)]

    def layers(angles: Float[Array, "period n r"]) -> Circuit:
        each = zip(angles, cycle, strict=True)
        return Circuit(
            [op for own, links in each for op in layer(own, links)], num_wires
        )

    period = len(cycle)
    whole = depth // period
    operations: list[AbstractOperation] = []
    if whole:
        together = params[: whole * period].reshape(whole, period, *params.shape[1:])
        operations.append(Repeat(jax.vmap(layers)(together), whole))
    for own, links in zip(params[whole * period :], cycle, strict=False):
        operations += layer(own, links)
    return Circuit(operations, num_wires)


def _links(num_wires: int, entanglement: str) -> list[Links]:
    """Return the pairs of each layer of a cycle."""
    line = list(pairwise(range(num_wires)))
    if entanglement == "linear":
        return [line]
    if entanglement == "circular":
        require(num_wires >= 3, "num_wires", "be at least 3 for a ring", num_wires)
        return [[*line, (num_wires - 1, 0)]]
    if entanglement == "brickwork":
        fits = num_wires >= 4 and num_wires % 2 == 0
        require(fits, "num_wires", "be even and at least 4 for brickwork", num_wires)
        ring = [(wire, (wire + 1) % num_wires) for wire in range(num_wires)]
        return [ring[0::2], ring[1::2]]
    known = "linear, circular, brickwork or all"
    require(entanglement == "all", "entanglement", f"be {known}", entanglement)
    require(num_wires >= 3, "num_wires", "be at least 3 for all pairs", num_wires)
    found = []
    for gap in range(1, num_wires // 2 + 1):
        # At half the way round, a pair and its reverse are the same.
        count = gap if 2 * gap == num_wires else num_wires
        found.append([(wire, (wire + gap) % num_wires) for wire in range(count)])
    return found


def ghz(num_wires: int) -> Circuit:
    """Build (|0...0> + |1...1>) / sqrt(2) along a line, from its middle to both ends.

    Args:
        num_wires: Number of wires n >= 2.

    Returns:
        Circuit of one H and n - 1 CNOTs of neighbours, of depth ceil(n / 2) + 1.

    Raises:
        ValueError: If there are fewer than 2 wires.

    Source: Greenberger, Horne and Zeilinger, arXiv:0712.0921.

    Example:
        >>> from qjax.circuits import ghz
        >>> print(ghz(4).draw())
        0: ─────X─
        1: ─H─●─●─
        2: ───X─●─
        3: ─────X─
    """
    require(num_wires >= 2, "num_wires", "be at least 2", num_wires)
    middle = (num_wires - 1) // 2
    operations: list[AbstractOperation] = [h(middle)]
    for step in range(num_wires - middle - 1):
        operations.append(cx(middle + step, middle + step + 1))
        if middle - step > 0:
            operations.append(cx(middle - step, middle - step - 1))
    return Circuit(operations, num_wires)


def angle_encoding(
    features: Float[Array, " n"] | Float[np.ndarray, " n"], axis: str = "Y"
) -> Circuit:
    """Build prod_i exp(-i x_i P / 2) on wire i: one feature, one rotation.

    Args:
        features: x, shape (n,), in radians.
        axis: P, one of X, Y, Z.

    Raises:
        ValueError: If the shape is not (n,) with n >= 1 or the axis is unknown.

    Source: Schuld and Petruccione 2018, section 5.

    Example:
        >>> import jax.numpy as jnp
        >>> from qjax.circuits import angle_encoding
        >>> angle_encoding(jnp.ones(3)).num_wires
        3
    """
    features = as_float(features, "features")
    fits = features.ndim == 1 and features.size > 0
    require(fits, "features", "have shape (n,)", f"of shape {features.shape}")
    require(axis in _ROTATIONS, "axis", "be X, Y or Z", repr(axis))
    turns = [_ROTATIONS[axis](x, wire) for wire, x in enumerate(features)]
    return Circuit(turns, len(turns))


def qft(num_wires: int) -> Circuit:
    """Build the Fourier transform |x> -> 2^(-n/2) sum_y e^{2 pi i x y / 2^n} |y>.

    Args:
        num_wires: n, at least 1.

    Returns:
        Circuit of n (n + 1) / 2 gates and n // 2 swaps.

    Source: Nielsen and Chuang, section 5.1.

    Example:
        >>> from qjax.circuits import qft
        >>> qft(3).resources().num_operations
        7
    """
    require(num_wires >= 1, "num_wires", "be at least 1", num_wires)
    operations: list[AbstractOperation] = []
    for target in range(num_wires):
        operations.append(h(target))
        for control in range(target + 1, num_wires):
            angle = np.pi / 2 ** (control - target)
            operations.append(cphase(angle, control, target))
    ends = range(num_wires // 2)
    operations += [swap(wire, num_wires - 1 - wire) for wire in ends]
    return Circuit(operations, num_wires)


def amplitude_encoding(amplitudes: ArrayLike) -> Circuit:
    """Build a circuit with U |0...0> = sum_x a_x |x>, from rotations and CNOTs.

    A real vector takes a tree of uniformly controlled RY (2^n - 1 angles); a complex
    one also uniformly controlled RZ and a global phase. `StateVector.from_amplitudes`
    gives the same state at once; this circuit is what hardware, or noise, would see.

    Args:
        amplitudes: a, shape (2^n,), n >= 1, Euclidean norm 1, real or complex.

    Returns:
        Circuit of n wires, differentiable where the norms of the tree are not 0.

    Raises:
        ValueError: If the length is no power of two, or a concrete norm is not 1 to
            sqrt(eps); a traced one is reported at run time.

    Source: Mottonen et al., Quantum Inf. Comput. 5, 467 (2005).

    Example:
        >>> import jax.numpy as jnp
        >>> from qjax.circuits import amplitude_encoding
        >>> amplitude_encoding(jnp.full(4, 0.5)).resources().by_name
        {'RY': 3, 'CX': 2}
    """
    is_complex = np.iscomplexobj(amplitudes)
    vector = as_complex(checked(amplitudes, has_unit_norm, "amplitudes", "have norm 1"))
    num_wires = max(vector.size.bit_length() - 1, 1)
    fits = vector.shape == (2**num_wires,)
    rule = "have shape (2^n,) with n >= 1"
    require(fits, "amplitudes", rule, f"of shape {vector.shape}")
    # A real vector keeps its signs in the last level of RY angles.
    weights = jnp.abs(vector) if is_complex else vector.real
    operations: list[AbstractOperation] = []
    for level, angles in enumerate(_tree_angles(weights, num_wires)):
        operations += _uniformly_controlled(ry, angles, level)
    if is_complex:
        operations += _phases(vector, num_wires)
    return Circuit(operations, num_wires)


def _tree_angles(weights: Float[Array, " d"], num_wires: int) -> list[Array]:
    """RY angles 2 atan2(right, left), level by level from the root."""
    levels = []
    for _ in range(num_wires):
        left, right = weights[0::2], weights[1::2]
        # atan2(0, 0) has no gradient: an empty branch turns by 0.
        empty = (left == 0) & (right == 0)
        levels.append(2 * jnp.arctan2(right, jnp.where(empty, 1, left)))
        square = left**2 + right**2
        weights = jnp.where(empty, 0, jnp.sqrt(jnp.where(empty, 1, square)))
    return levels[::-1]


def _phases(vector: Complex[Array, " d"], num_wires: int) -> list[AbstractOperation]:
    empty = vector == 0
    angles = jnp.angle(jnp.where(empty, 1, vector))
    levels = []
    for _ in range(num_wires):
        left, right = angles[0::2], angles[1::2]
        levels.append(right - left)
        angles = (left + right) / 2
    operations: list[AbstractOperation] = []
    for level, differences in enumerate(levels[::-1]):
        operations += _uniformly_controlled(rz, differences, level)
    # diag(e^{ia}, e^{-ia}) diag(1, e^{2ia}) = e^{ia}: the phase of the whole state.
    overall = angles[0]
    return operations + [rz(-2 * overall, 0), phase(2 * overall, 0)]


def _uniformly_controlled(
    rotation: Callable[[ArrayLike, int], Gate], angles: Array, target: int
) -> list[AbstractOperation]:
    """Turn `target` by angles[j] where the wires before it read j, by 2^target CNOTs.

    The angles of the single rotations are a Walsh transform in Gray-code order.
    """
    count = 2**target
    if count == 1:
        return [rotation(angles[0], target)]
    gray = [i ^ (i >> 1) for i in range(count)]
    signs = np.asarray(
        [[(-1) ** (j & g).bit_count() for j in range(count)] for g in gray]
    )
    turned = jnp.asarray(signs / count, angles.dtype) @ angles
    operations: list[AbstractOperation] = []
    for i in range(count):
        operations.append(rotation(turned[i], target))
        changed = gray[i] ^ gray[(i + 1) % count]
        operations.append(cx(target - changed.bit_length(), target))
    return operations
