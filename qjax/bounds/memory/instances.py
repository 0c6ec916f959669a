"""Concrete membership structures: SIC filter, QRACs, bit vectors, repetition, Bloom.

Encodings are prepared by circuits on the engine; queries are projectors or diagonal
effects. `STRUCTURES` names them, so that a witness can say how to build its instance.
"""

import itertools
import math
from collections.abc import Callable, Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from qjax._checks import require
from qjax.bounds.memory.structure import QuantumDataStructure, membership_table
from qjax.circuits import Circuit, ry, rz
from qjax.simulate import run
from qjax.states import DensityMatrix, StateVector

# Angles (theta, phi) of Ry(theta) then Rz(phi) on |0>: Bloch vectors of a regular
# tetrahedron; cos(theta) = -1/3 for the three lower corners.
TETRAHEDRON = ((0.0, 0.0),) + tuple(
    (math.acos(-1 / 3), 2 * math.pi * corner / 3) for corner in range(3)
)


def product_states(
    angles: np.ndarray, dtype: np.dtype | type | None = None
) -> Complex[Array, "sets d d"]:
    """Density matrices of Rz(phi) Ry(theta) |0> on every wire, run on the engine.

    Args:
        angles: (theta, phi) in radians, shape (sets, m, 2).
        dtype: Complex dtype; by default JAX's at the time of the call.

    Returns:
        Shape (sets, 2^m, 2^m).
    """
    # Padded to a power of two, so that many small structures share one compilation.
    count = len(angles)
    padded = np.zeros((max(16, 1 << (count - 1).bit_length()), *angles.shape[1:]))
    padded[:count] = angles
    return _run_product(jnp.asarray(padded), dtype)[:count]


@eqx.filter_jit
def _run_product(
    angles: Float[Array, "sets m 2"], dtype: np.dtype | type | None
) -> Complex[Array, "sets d d"]:
    num_wires = angles.shape[1]

    def one(row):
        gates = []
        for wire in range(num_wires):
            gates += [ry(row[wire, 0], wire), rz(row[wire, 1], wire)]
        start = StateVector.zeros(num_wires, dtype)
        state = run(Circuit(tuple(gates), num_wires), start)
        return DensityMatrix.from_state(state).matrix()

    return jax.vmap(one)(angles)


def _digits(num_blocks: int, block_size: int) -> np.ndarray:
    """x_1 ... x_n of every set, shape (b^n, n)."""
    values = itertools.product(range(block_size), repeat=num_blocks)
    return np.asarray(list(values))


def _on_wire(effect: np.ndarray, wire: int, num_wires: int) -> np.ndarray:
    left, right = np.eye(2**wire), np.eye(2 ** (num_wires - wire - 1))
    return np.kron(np.kron(left, effect), right)


def _table(
    states: Array, effects: np.ndarray, num_blocks: int, block_size: int, name: str
) -> QuantumDataStructure:
    kraus = jnp.asarray(effects).astype(states.dtype)
    return QuantumDataStructure(states[None], kraus[None], num_blocks, block_size, name)


def sic_filter(num_blocks: int = 1) -> QuantumDataStructure:
    """One qubit per block of four: tetrahedral states, measured by themselves.

    M_x = rho_x, |<psi_x|psi_y>|^2 = 1/3. With depolarizing noise lambda: p =
    (1 + lambda)/2, alpha_b = 1/2, so that A1 is an equality at every lambda.

    Args:
        num_blocks: n >= 1; the n-fold product, m = n.

    Source: theory of bounds, section 3.2 (exact tightness).

    Example:
        >>> from qjax.bounds import sic_filter
        >>> sic_filter(2).states.shape
        (1, 16, 4, 4)
    """
    angles = np.asarray(TETRAHEDRON)
    sets = angles[_digits(num_blocks, 4)]
    states = product_states(sets)
    single = np.asarray(product_states(angles[:, None]))
    effects = np.stack(
        [
            _on_wire(single[x], i, num_blocks)
            for i in range(num_blocks)
            for x in range(4)
        ]
    )
    return _table(states, effects, num_blocks, 4, f"SIC filter n={num_blocks}")


def qrac(num_bits: int) -> QuantumDataStructure:
    """Random access code of 2 or 3 bits in one qubit: Bloch axes X, Z (and Y).

    The state's Bloch vector has components (-1)^{x_i}/sqrt(n); query i measures axis i.

    Args:
        num_bits: n, 2 or 3.

    Raises:
        ValueError: If `num_bits` is neither.

    Source: Ambainis, Nayak, Ta-Shma and Vazirani, J. ACM 49, 496 (2002).
    """
    require(num_bits in (2, 3), "num_bits", "be 2 or 3", num_bits)
    signs = 1 - 2 * _digits(num_bits, 2)
    vectors = signs / math.sqrt(num_bits)
    x, z = vectors[:, 0], vectors[:, 1]
    y = vectors[:, 2] if num_bits == 3 else np.zeros_like(x)
    angles = np.stack([np.arccos(z), np.arctan2(y, x)], axis=-1)[:, None]
    axes = [[[0, 1], [1, 0]], [[1, 0], [0, -1]], [[0, -1j], [1j, 0]]]
    effects = np.stack(
        [
            (np.eye(2) + sign * np.asarray(axes[i])) / 2
            for i in range(num_bits)
            for sign in (1, -1)
        ]
    )
    states = product_states(angles)
    return _table(states, effects, num_bits, 2, f"QRAC {num_bits} to 1")


def tilted_pair(angle: float) -> QuantumDataStructure:
    """One bit in one qubit: cos(t/2)|0> +- sin(t/2)|1>, told apart along x.

    At small t most of the weight is on |0>, which damping spares.

    Args:
        angle: t in radians, in [0, pi].
    """
    angles = np.asarray([[[angle, 0.0]], [[angle, math.pi]]])
    plus = np.asarray([[1, 1], [1, 1]]) / 2
    effects = np.stack([plus, np.eye(2) - plus])
    return _table(product_states(angles), effects, 1, 2, f"tilted pair t={angle:g}")


def basis_code(num_wires: int) -> QuantumDataStructure:
    """One element of 2^m in m qubits, as a computational-basis state (n = 1)."""
    bits = _basis_bits(num_wires)
    accepts = np.eye(2**num_wires)
    shape = (1, 2**num_wires)
    return classical_structure(bits[None], accepts[None], shape, f"basis m={num_wires}")


def classical_structure(
    words: np.ndarray, accepts: np.ndarray, shape: tuple[int, int], name: str
) -> QuantumDataStructure:
    """A classical structure: computational-basis words, diagonal queries.

    Args:
        words: Stored bits, shape (seeds, b^n, m), entries 0 or 1.
        accepts: Acceptance per basis state, shape (seeds, n b, 2^m), entries in [0, 1].
        shape: (n, b).
        name: For reports.
    """
    seeds, sets, num_wires = words.shape
    angles = np.zeros((seeds * sets, num_wires, 2))
    angles[..., 0] = math.pi * words.reshape(seeds * sets, num_wires)
    states = product_states(angles).reshape(seeds, sets, 2**num_wires, -1)
    effects = np.asarray(accepts)[..., None] * np.eye(2**num_wires)
    kraus = jnp.asarray(effects).astype(states.dtype)
    return QuantumDataStructure(states, kraus, shape[0], shape[1], name)


def _basis_bits(num_wires: int) -> np.ndarray:
    """Bits of every basis state, wire 0 first, shape (2^m, m)."""
    return (np.arange(2**num_wires)[:, None] >> np.arange(num_wires)[::-1]) & 1


def bit_vector(num_blocks: int, block_size: int) -> QuantumDataStructure:
    """One bit per universe element, m = n b: set iff the element is stored."""
    table = membership_table(num_blocks, block_size)
    accepts = _basis_bits(table.shape[0]).T
    name = f"bit vector n={num_blocks} b={block_size}"
    shape = (num_blocks, block_size)
    return classical_structure(table.T[None], accepts[None], shape, name)


def repetition_code(copies: int) -> QuantumDataStructure:
    """One stored bit (n = 1, b = 2) in `copies` equal bits, read by majority.

    Args:
        copies: r, odd.

    Raises:
        ValueError: If r is even or below 1.
    """
    odd = copies >= 1 and copies % 2 == 1
    require(odd, "copies", "be odd and at least 1", copies)
    words = np.asarray([[0] * copies, [1] * copies])
    majority = _basis_bits(copies).sum(axis=1) > copies / 2
    accepts = np.stack([~majority, majority])
    name = f"repetition code r={copies}"
    return classical_structure(words[None], accepts[None], (1, 2), name)


def bloom_filter(
    num_blocks: int, block_size: int, num_bits: int, hashes: int, seeds: Sequence[int]
) -> QuantumDataStructure:
    """Bloom filters with random hash tables as public randomness.

    Args:
        num_blocks: n stored elements.
        block_size: b; the universe has n b elements.
        num_bits: m bits of memory.
        hashes: k cells per element.
        seeds: One filter per seed of NumPy's generator; the structure averages them.

    Source: Bloom, Commun. ACM 13, 422 (1970).
    """
    member = membership_table(num_blocks, block_size)
    words, accepts = [], []
    for seed in seeds:
        draw = np.random.default_rng(seed)
        cells = np.zeros((member.shape[0], num_bits), dtype=bool)
        for element in range(member.shape[0]):
            cells[element, draw.choice(num_bits, size=hashes, replace=False)] = True
        words.append((member.T @ cells) > 0)
        memory = _basis_bits(num_bits).astype(bool)
        accepts.append((~cells[:, None, :] | memory[None]).all(axis=-1))
    name = f"Bloom n={num_blocks} b={block_size} m={num_bits} k={hashes}"
    shape = (num_blocks, block_size)
    return classical_structure(np.asarray(words), np.asarray(accepts), shape, name)


STRUCTURES: dict[str, Callable[..., QuantumDataStructure]] = {
    "sic": sic_filter,
    "qrac": qrac,
    "tilted_pair": tilted_pair,
    "basis": basis_code,
    "bit_vector": bit_vector,
    "repetition": repetition_code,
    "bloom": bloom_filter,
}
"""Builders by name; each is a test case of every bound on membership structures."""
