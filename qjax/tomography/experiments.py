"""The circuits of a tomography and their simulated counts.

A stack of circuits is one `Circuit` whose leaves have a leading axis: `jax.vmap` runs
them all as one program, and `jax.tree.map(lambda leaf: leaf[i], stack)` is the i-th.
"""

import functools
import itertools
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from qjax._checks import check_shots, check_wires, require
from qjax._types import ArrayLike, Key, Wires
from qjax.circuits import Circuit, rx, u3
from qjax.noise import ReadoutConfusion
from qjax.simulate import run
from qjax.states import DensityMatrix
from qjax.states.sampling import draw_counts

Counts = Int[Array, "circuits d"] | Int[np.ndarray, "circuits d"]
"""How often each outcome was seen in each circuit, the first wire leading."""

KnownReadout = ReadoutConfusion | Float[Array, "d d"] | Float[np.ndarray, "d d"] | None
"""Errors of the final readout, or their matrix, rows observed."""

_HALF = np.pi / 2

PREPARATIONS = {
    "0": (0.0, 0.0, 0.0),
    "1": (np.pi, 0.0, 0.0),
    "+": (_HALF, 0.0, 0.0),
    "-": (_HALF, np.pi, 0.0),
    "r": (_HALF, _HALF, 0.0),
    "l": (_HALF, -_HALF, 0.0),
}
"""Angles of the U3 that makes each input from |0>; r and l are |0> +- i |1>."""

BASES = {"X": (-_HALF, 0.0, 0.0), "Y": (_HALF, -_HALF, _HALF), "Z": (0.0, 0.0, 0.0)}
"""Angles of the U3 that takes the eigenstates of each Pauli matrix to |0> and |1>."""

_VECTORS = {
    "0": (1, 0, 0, 1),
    "1": (1, 0, 0, -1),
    "+": (1, 1, 0, 0),
    "-": (1, -1, 0, 0),
    "r": (1, 0, 1, 0),
    "l": (1, 0, -1, 0),
}


def check_some(wires: Sequence[int], num_wires: int) -> Wires:
    """Return distinct wires below `num_wires`, at least one, or raise."""
    checked_wires = check_wires(wires, num_wires)
    require(len(checked_wires) > 0, "wires", "name at least one wire", checked_wires)
    return checked_wires


def check_preparations(preparations: str) -> None:
    """Raise unless the inputs are known, different and determine a channel."""
    fits = set(preparations) <= set(PREPARATIONS)
    fits = fits and len(set(preparations)) == len(preparations)
    fits = fits and bool(np.linalg.matrix_rank(input_vectors(preparations, 1)) == 4)
    rule = f"be different letters of {''.join(PREPARATIONS)} that span all operators"
    require(fits, "preparations", rule, repr(preparations))


def input_vectors(preparations: str, num_wires: int) -> np.ndarray:
    """Return Tr(P rho_i) for inputs i and words P: shape (inputs, 4^k)."""
    one = np.asarray([_VECTORS[letter] for letter in preparations], float)
    return functools.reduce(np.kron, [one] * num_wires)


def _stack(
    build: Callable[[Array], Circuit], rows: Sequence[Sequence[float]] | np.ndarray
) -> Circuit:
    """Build one circuit for each row of numbers, their leaves stacked."""
    return jax.vmap(build)(jnp.asarray(rows, float))


def _turns(angles: Array, wires: Sequence[int]) -> list:
    return [u3(a, b, c, wire) for (a, b, c), wire in zip(angles, wires, strict=True)]


def _rows(table: dict[str, tuple[float, ...]], letters: str, count: int) -> np.ndarray:
    """Return angles for all words of some letters: shape (words, count, 3)."""
    one = [table[letter] for letter in letters]
    return np.asarray(list(itertools.product(one, repeat=count)))


def state_circuits(preparation: Circuit, wires: Sequence[int]) -> Circuit:
    """Return the circuits that measure a state in all Pauli bases.

    Args:
        preparation: Circuit of n wires that makes the state from |0...0>.
        wires: The k wires measured, the first leading.

    Returns:
        A stack of 3^k circuits: bases XX, XY, XZ, YX, ... for two wires.

    Raises:
        ValueError: If a wire is unknown or there is none.

    Example:
        >>> from qjax.circuits import Circuit, h
        >>> from qjax.tomography import state_circuits
        >>> stack = state_circuits(Circuit([h(0)], 1), (0,))
        >>> stack.operations[-1].params.shape
        (3, 3)
    """
    wires = check_some(wires, preparation.num_wires)

    def build(angles: Array) -> Circuit:
        measured = Circuit(_turns(angles, wires), preparation.num_wires)
        return preparation + measured

    return _stack(build, _rows(BASES, "XYZ", len(wires)))


def process_circuits(
    process: Circuit, wires: Sequence[int], preparations: str = "01+r"
) -> Circuit:
    """Return the circuits of a process tomography: inputs, process, Pauli bases.

    Other wires than those named start in |0> and are not measured.

    Args:
        process: Circuit of n wires whose action on `wires` is wanted.
        wires: The k wires, the first leading.
        preparations: Inputs of each wire, letters of "01+-rl" that span the operators:
            at least four, all six for estimates that are alike in all directions.

    Returns:
        A stack of p^k 3^k circuits for p letters: for each input, in the order of the
        letters, the bases as in `state_circuits`.

    Raises:
        ValueError: If a wire is unknown, there is none, or the inputs do not determine
            a channel.

    Source: Chuang and Nielsen, J. Mod. Opt. 44, 2455 (1997).

    Example:
        >>> from qjax.circuits import Circuit, h
        >>> from qjax.tomography import process_circuits
        >>> process_circuits(Circuit([h(0)], 1), (0,)).operations[0].params.shape
        (12, 3)
    """
    wires = check_some(wires, process.num_wires)
    check_preparations(preparations)
    inputs = _rows(PREPARATIONS, preparations, len(wires))
    bases = _rows(BASES, "XYZ", len(wires))

    def build(angles: Array) -> Circuit:
        prepared = Circuit(_turns(angles[0], wires), process.num_wires)
        measured = Circuit(_turns(angles[1], wires), process.num_wires)
        return prepared + process + measured

    rows = [np.stack([one, basis]) for one in inputs for basis in bases]
    return _stack(build, np.stack(rows))


def all_bits(num_wires: int) -> np.ndarray:
    """Return all bit strings, counting up: shape (2^n, n)."""
    return np.asarray(list(itertools.product((0, 1), repeat=num_wires)))


def readout_circuits(num_wires: int, states: ArrayLike | None = None) -> Circuit:
    """Return the circuits that prepare basis states, to see how they are read.

    Args:
        num_wires: Number n of wires.
        states: Bits prepared, shape (s, n); None for all 2^n, counting up.

    Returns:
        A stack of s circuits of one RX on each wire, of angle 0 or pi.

    Raises:
        ValueError: If the states are no bits of this shape.

    Example:
        >>> import numpy as np
        >>> from qjax.tomography import readout_circuits
        >>> stack = readout_circuits(5, np.asarray([[0] * 5, [1] * 5]))
        >>> len(stack.operations), stack.operations[0].params.shape
        (5, (2, 1))
    """
    require(num_wires >= 1, "num_wires", "be at least 1", num_wires)
    bits = all_bits(num_wires) if states is None else check_bits(states)
    require(
        bits.shape[1] == num_wires, "states", f"have {num_wires} columns", bits.shape
    )

    def build(angles: Array) -> Circuit:
        turns = [rx(angle, wire) for wire, angle in enumerate(angles)]
        return Circuit(turns, num_wires)

    return _stack(build, bits * np.pi)


def check_bits(states: ArrayLike) -> np.ndarray:
    """Return bits of shape (s, n), s and n at least 1, or raise."""
    bits = np.asarray(states)
    fits = bits.ndim == 2 and bits.size > 0 and bool(np.isin(bits, (0, 1)).all())
    require(fits, "states", "hold bits in shape (states, num_wires)", bits.tolist())
    return bits


def sample_counts(
    key: Key,
    circuits: Circuit,
    wires: Sequence[int],
    shots: int,
    readout: KnownReadout = None,
    noise: Callable[[Circuit], Circuit] | None = None,
) -> Int[Array, "circuits d"]:
    """Simulate the counts of a stack of circuits, exactly up to the shots.

    Each circuit acts on |0...0><0...0| as a density matrix, readout errors on its
    distribution; the counts are multinomial. All circuits run at once: memory is that
    of as many density matrices.

    Args:
        key: JAX random key; `jax.vmap` over keys repeats the experiment.
        circuits: A stack of circuits of n wires.
        wires: The k wires measured, the first leading.
        shots: Measurements of each circuit, at least 1. Static.
        readout: Errors of the k bits, or their matrix of shape (2^k, 2^k), rows
            observed; None for none.
        noise: Transformation put on each circuit, preparation and basis change
            included, for example a `NoiseModel`; it may add wires.

    Returns:
        Shape (circuits, 2^k); each row sums to `shots`.

    Raises:
        ValueError: If `shots` < 1, a wire is unknown, or the readout does not fit.

    Source: Born rule.

    Example:
        >>> import jax
        >>> from qjax.tomography import readout_circuits, sample_counts
        >>> stack = readout_circuits(2)
        >>> sample_counts(jax.random.key(1), stack, (0, 1), 10).diagonal().tolist()
        [10, 10, 10, 10]
    """
    check_shots(shots)
    wires = check_some(wires, circuits.num_wires)
    confusion = readout_matrix(readout, len(wires))

    def law(circuit: Circuit) -> Float[Array, " d"]:
        noisy = circuit if noise is None else noise(circuit)
        final = run(noisy, DensityMatrix.zeros(noisy.num_wires))
        true = final.probabilities(wires).reshape(-1)
        high = jax.lax.Precision.HIGHEST
        return jnp.matmul(confusion.astype(true.dtype), true, precision=high)

    laws = jax.vmap(law)(circuits)
    keys = jax.random.split(key, laws.shape[0])
    return jax.vmap(lambda own, weights: draw_counts(own, weights, shots))(keys, laws)


def readout_matrix(readout: KnownReadout, num_wires: int) -> Float[Array, "d d"]:
    """Return the matrix of readout errors on some wires, the identity for None."""
    size = 2**num_wires
    if readout is None:
        return jnp.eye(size)
    matrix = readout.matrix() if isinstance(readout, ReadoutConfusion) else readout
    fits, rule = matrix.shape == (size, size), f"be about {num_wires} wires"
    require(fits, "readout", rule, f"a matrix of shape {matrix.shape}")
    return jnp.asarray(matrix)
