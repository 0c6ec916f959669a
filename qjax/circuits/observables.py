"""Observables: Pauli sums, projectors, Hermitian matrices, Hamiltonians."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from qjax._checks import as_float, check_wires, checked, require
from qjax._linalg import as_complex, is_hermitian
from qjax._types import ArrayLike, Wires
from qjax.circuits.builders import pauli_rotation
from qjax.circuits.circuit import Circuit, Repeat

Word = tuple[tuple[int, str], ...]
"""A Pauli word: (wire, letter) in rising wire order, identities left out."""


class AbstractObservable(eqx.Module):
    """A Hermitian operator whose expectation a state can give."""

    # A type checker would take an AbstractVar for an argument of the constructor.
    if TYPE_CHECKING:

        @property
        def wires(self) -> Wires: ...
    else:
        wires: eqx.AbstractVar[Wires]


class PauliSum(AbstractObservable):
    """A real combination of Pauli words: sum_j c_j P_j.

    Attributes:
        coefficients: c, shape (t,). Leaf.
        words: t words, each a tuple of (wire, letter in "XYZ") pairs; () is the
            identity. Static.

    Raises:
        ValueError: If a word repeats a wire, has another letter, or the numbers of
            words and coefficients differ.

    Example:
        >>> from qjax.circuits import pauli
        >>> energy = 0.5 * pauli("ZZ", (0, 1)) + pauli("X", 1)
        >>> energy.words
        (((0, 'Z'), (1, 'Z')), ((1, 'X'),))
    """

    coefficients: Float[Array, " t"] | Float[np.ndarray, " t"]
    words: tuple[Word, ...] = eqx.field(static=True)

    def __check_init__(self):
        shape = np.shape(self.coefficients)
        rule = f"have shape ({len(self.words)},), one for each word"
        require(shape == (len(self.words),), "coefficients", rule, f"of shape {shape}")
        require(len(self.words) > 0, "words", "hold at least one word", self.words)
        for word in self.words:
            wires = check_wires([wire for wire, _ in word], argument="words")
            in_order = wires == tuple(sorted(wires))
            letters = all(letter in ("X", "Y", "Z") for _, letter in word)
            rule = "hold letters X, Y, Z in rising wire order"
            require(in_order and letters, "words", rule, word)

    @property
    def wires(self) -> Wires:
        return tuple(sorted({wire for word in self.words for wire, _ in word}))

    def masks(self, num_wires: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return the X and Z bit masks of every word; both bits set mean Y."""
        x_masks, z_masks = [], []
        for word in self.words:
            x = z = 0
            for wire, letter in word:
                bit = 1 << (num_wires - 1 - wire)
                x |= bit if letter in "XY" else 0
                z |= bit if letter in "YZ" else 0
            x_masks.append(x)
            z_masks.append(z)
        return tuple(x_masks), tuple(z_masks)

    def __add__(self, other: "PauliSum") -> "PauliSum":
        """Return the sum; equal words are not merged."""
        if not isinstance(other, PauliSum):
            return NotImplemented
        both = [as_float(s.coefficients, "coefficients") for s in (self, other)]
        dtype = jnp.promote_types(both[0].dtype, both[1].dtype)
        together = jnp.concatenate([c.astype(dtype) for c in both])
        return PauliSum(together, self.words + other.words)

    def __mul__(self, factor: ArrayLike) -> "PauliSum":
        """Return the sum with every coefficient multiplied by a real scalar."""
        coefficients = as_float(self.coefficients, "coefficients")
        factor = as_float(factor, "factor")
        require(factor.ndim == 0, "factor", "be a scalar", f"of shape {factor.shape}")
        return PauliSum(coefficients * factor.astype(coefficients.dtype), self.words)

    __rmul__ = __mul__

    def __sub__(self, other: "PauliSum") -> "PauliSum":
        return self + other * -1.0


class Projector(AbstractObservable):
    """The projector on the outcome `bits` of `wires`: its expectation is p(bits).

    Attributes:
        bits: One bit for each wire. Static.
        wires: Wires measured. Static.

    Example:
        >>> from qjax.circuits import Projector
        >>> Projector((0, 1), (2, 4)).wires
        (2, 4)
    """

    bits: tuple[int, ...] = eqx.field(static=True, converter=tuple)
    wires: Wires = eqx.field(static=True, converter=check_wires)

    def __check_init__(self):
        fits = len(self.bits) == len(self.wires) > 0
        rule = f"have {len(self.wires)} entries of 0 or 1, at least one"
        bits = all(bit in (0, 1) for bit in self.bits)
        require(fits and bits, "bits", rule, self.bits)


class Hermitian(AbstractObservable):
    """A Hermitian matrix on few wires; `hermitian` builds a checked one.

    Attributes:
        matrix: Shape (2^k, 2^k). Leaf.
        wires: k wires, the first the leading bit. Static.
    """

    matrix: Complex[Array, "d d"] | Complex[np.ndarray, "d d"]
    wires: Wires = eqx.field(static=True, converter=check_wires)

    def __check_init__(self):
        size = 2 ** len(self.wires)
        shape = np.shape(self.matrix)
        rule = f"have shape ({size}, {size}) on {len(self.wires)} wires"
        require(shape == (size, size), "matrix", rule, f"of shape {shape}")


def hermitian(matrix: ArrayLike, wires: int | Sequence[int]) -> Hermitian:
    """Build the observable of a matrix H, checked to be Hermitian.

    Args:
        matrix: H, shape (2^k, 2^k).
        wires: k wires; the first is the leading bit of H's indices.

    Raises:
        ValueError: If the shape does not fit, or a concrete H is not Hermitian to
            rounding; a traced one is reported at run time.

    Example:
        >>> import numpy as np
        >>> from qjax.circuits import hermitian
        >>> hermitian(np.diag([0.0, 1.0]), 2).wires
        (2,)
    """
    observable = Hermitian(as_complex(matrix), check_wires(wires))
    array = checked(matrix, is_hermitian, "matrix", "be Hermitian")
    return Hermitian(as_complex(array), observable.wires)


def pauli(letters: str, wires: int | Sequence[int]) -> PauliSum:
    """Build one Pauli word with coefficient 1, such as X_0 Z_3.

    Args:
        letters: One of I, X, Y, Z for each wire; identities are left out.
        wires: Distinct wires.

    Raises:
        ValueError: If a letter is unknown or the numbers differ.

    Example:
        >>> from qjax.circuits import pauli
        >>> pauli("XIZ", (0, 1, 3)).words
        (((0, 'X'), (3, 'Z')),)
    """
    wires = check_wires(wires)
    fits = len(letters) == len(wires) and set(letters) <= set("IXYZ")
    require(fits, "letters", f"be {len(wires)} of I, X, Y, Z", repr(letters))
    pairs = sorted(zip(wires, letters, strict=True))
    word = tuple((wire, letter) for wire, letter in pairs if letter != "I")
    return PauliSum(np.ones(1), (word,))


def pauli_sum(terms: Mapping[Word, ArrayLike]) -> PauliSum:
    """Build sum_j c_j P_j from a mapping of words to real coefficients.

    Args:
        terms: Words, tuples of (wire, letter) in rising wire order, to scalars c_j.

    Raises:
        ValueError: If the mapping is empty or a word is malformed.

    Example:
        >>> from qjax.circuits import pauli_sum
        >>> pauli_sum({((0, "Z"), (1, "Z")): 0.5, ((0, "X"),): 1.0}).wires
        (0, 1)
    """
    values = list(terms.values())
    if any(isinstance(value, jax.Array) for value in values):
        coefficients = jnp.stack([as_float(v, "coefficients") for v in values])
    else:
        coefficients = np.asarray(values, dtype=float)
    return PauliSum(coefficients, tuple(terms))


def ising(
    num_wires: int,
    coupling: ArrayLike = 1.0,
    field: ArrayLike = 1.0,
    *,
    periodic: bool = False,
) -> PauliSum:
    """Build the transverse-field Ising chain J sum Z_i Z_{i+1} + h sum X_i.

    Args:
        num_wires: Length of the chain, at least 2.
        coupling: J, a scalar.
        field: h, a scalar.
        periodic: Close the chain (needs at least 3 wires).

    Raises:
        ValueError: If the chain is too short.

    Example:
        >>> from qjax.circuits import ising
        >>> len(ising(4).words)
        7
    """
    terms = _chain(num_wires, periodic, [("Z", coupling)])
    terms |= {((wire, "X"),): field for wire in range(num_wires)}
    return pauli_sum(terms)


def heisenberg(
    num_wires: int,
    couplings: tuple[ArrayLike, ArrayLike, ArrayLike] = (1.0, 1.0, 1.0),
    field: ArrayLike = 0.0,
    *,
    periodic: bool = False,
) -> PauliSum:
    """Build the chain sum_i (Jx X X + Jy Y Y + Jz Z Z)_{i,i+1} + h sum Z_i.

    Args:
        num_wires: Length of the chain, at least 2.
        couplings: (Jx, Jy, Jz), scalars.
        field: h, a scalar.
        periodic: Close the chain (needs at least 3 wires).

    Raises:
        ValueError: If the chain is too short.

    Example:
        >>> from qjax.circuits import heisenberg
        >>> len(heisenberg(3).words)
        9
    """
    terms = _chain(num_wires, periodic, list(zip("XYZ", couplings, strict=True)))
    terms |= {((wire, "Z"),): field for wire in range(num_wires)}
    return pauli_sum(terms)


def trotter(
    hamiltonian: PauliSum,
    time: ArrayLike,
    steps: int,
    num_wires: int,
    *,
    order: int = 2,
) -> Circuit:
    """Build a Trotter circuit for exp(-i t H), as one repeated step.

    First order: prod_j exp(-i c_j P_j t / r); second order: the symmetric step, forward
    then backward with half angles. Error O(t^2 / r) and O(t^3 / r^2). The identity word
    is a global phase and is left out.

    Args:
        hamiltonian: H = sum_j c_j P_j.
        time: t, a scalar, in units of 1 / energy.
        steps: r, at least 1.
        num_wires: Width of the circuit.
        order: 1 or 2.

    Raises:
        ValueError: If `steps` < 1, the order is another, or H is the identity only.

    Source: Suzuki, Phys. Lett. A 146, 319 (1990).

    Example:
        >>> from qjax.circuits import ising, trotter
        >>> trotter(ising(3), 0.5, steps=10, num_wires=3).resources().num_operations
        100
    """
    require(steps >= 1, "steps", "be at least 1", steps)
    require(order in (1, 2), "order", "be 1 or 2", order)
    coefficients = as_float(hamiltonian.coefficients, "coefficients")
    words = [(j, word) for j, word in enumerate(hamiltonian.words) if word]
    require(len(words) > 0, "hamiltonian", "have a word besides the identity", "none")
    angle = 2 * as_float(time, "time").astype(coefficients.dtype) / steps

    def rotation(j: int, word: Word, share: float):
        wires, letters = zip(*word, strict=True)
        return pauli_rotation(angle * coefficients[j] * share, "".join(letters), wires)

    forward = [rotation(j, word, 1 / order) for j, word in words]
    step = forward if order == 1 else forward + forward[::-1]
    layer = Circuit(step, num_wires)
    body = jax.tree.map(lambda x: jnp.broadcast_to(x, (steps, *x.shape)), layer)
    return Circuit([Repeat(body, steps)], num_wires)


def _chain(
    num_wires: int, periodic: bool, couplings: list[tuple[str, ArrayLike]]
) -> dict[Word, ArrayLike]:
    shortest = 3 if periodic else 2
    require(num_wires >= shortest, "num_wires", f"be at least {shortest}", num_wires)
    links = [(i, i + 1) for i in range(num_wires - 1)]
    links += [(0, num_wires - 1)] if periodic else []
    return {
        ((i, letter), (j, letter)): value
        for i, j in links
        for letter, value in couplings
    }


def check_observable(
    observable: AbstractObservable, num_wires: int
) -> PauliSum | Projector | Hermitian:
    """Return the observable, or raise if it is none or has a wire too many."""
    if not isinstance(observable, PauliSum | Projector | Hermitian):
        raise TypeError(
            "Argument `observable` must be a PauliSum, Projector or Hermitian, "
            f"but is {type(observable).__name__}."
        )
    check_wires(observable.wires, num_wires, "observable.wires")
    return observable
