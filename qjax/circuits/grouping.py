"""Which Pauli words can be measured together, and the circuit that measures them."""

import dataclasses
import itertools
from collections.abc import Sequence

import numpy as np

from qjax._checks import require
from qjax._types import Wires
from qjax.circuits.builders import cx, cz, h, s
from qjax.circuits.observables import PauliSum, Word
from qjax.circuits.operation import AbstractUnitary

GROUPINGS = ("qubit-wise", "general")


@dataclasses.dataclass(frozen=True)
class Setting:
    """One measurement that gives several words at once.

    Attributes:
        members: Positions of the words in the list that was grouped.
        operations: Clifford gates U to apply before all of `wires` are measured.
        wires: Wires that any of the words touches, rising.
        masks: For each word, the bits of an outcome of `wires` (the first wire is the
            most significant) whose parity is its value.
        signs: For each word, 1 or -1: U P U^dagger = sign * Z on the wires of the mask.
    """

    members: tuple[int, ...]
    operations: tuple[AbstractUnitary, ...]
    wires: Wires
    masks: tuple[int, ...]
    signs: tuple[int, ...]


def commuting_groups(
    words: Sequence[Word], grouping: str = "qubit-wise"
) -> list[list[int]]:
    """Partition words greedily into groups whose words commute.

    Args:
        words: Words in any order; each joins the first group that it fits.
        grouping: "qubit-wise": no wire of a group has two letters, so that single-qubit
            gates suffice to measure it. "general": the words commute as operators;
            groups are fewer, their circuits entangling.

    Returns:
        Groups as lists of positions in `words`.

    Raises:
        ValueError: If the grouping is another.

    Source: Kandala et al., Nature 549, 242 (2017); general: Gokhale et al.,
        arXiv:1907.13623.

    Example:
        >>> from qjax.circuits import commuting_groups, pauli
        >>> words = (pauli("XX", (0, 1)) + pauli("ZZ", (0, 1))).words
        >>> commuting_groups(words), commuting_groups(words, "general")
        ([[0], [1]], [[0, 1]])
    """
    _check_grouping(grouping)
    fit = _have_one_basis if grouping == "qubit-wise" else _commute
    bits = [_bits(word) for word in words]
    groups: list[list[int]] = []
    for position, own in enumerate(bits):
        for members in groups:
            if all(fit(own, bits[member]) for member in members):
                members.append(position)
                break
        else:
            groups.append([position])
    return groups


def measurement_settings(
    words: Sequence[Word], grouping: str = "qubit-wise"
) -> list[Setting]:
    """Group words and find the gates that turn each group into products of Z.

    Args:
        words: Words of an observable.
        grouping: As in `commuting_groups`.

    Returns:
        One setting for each group.

    Source: Aaronson and Gottesman, Phys. Rev. A 70, 052328 (2004), for the tableau.

    Example:
        >>> from qjax.circuits import measurement_settings, pauli
        >>> words = (pauli("XX", (0, 1)) + pauli("YY", (0, 1))).words
        >>> (setting,) = measurement_settings(words, "general")
        >>> [operation.name for operation in setting.operations], setting.signs
        (['CX', 'H'], (1, -1))
    """
    groups = commuting_groups(words, grouping)
    return [_setting(words, members) for members in groups]


def allocate_shots(
    observable: PauliSum, total: int, *, grouping: str = "qubit-wise"
) -> tuple[int, ...]:
    """Split a number of shots over the groups of a sum, heavy words first.

    Every group gets 2 shots, and of the others a share in proportion to sum_j |c_j|,
    which bounds its standard deviation; identities are known and count as nothing.

    Args:
        observable: Sum with concrete coefficients (not inside jit).
        total: Shots to spend, at least 2 for each group.
        grouping: As in `commuting_groups`.

    Returns:
        Shots of each group, in the order of `commuting_groups`; they sum to `total`.

    Raises:
        ValueError: If there are fewer than 2 shots for each group.

    Source: Wecker, Hastings and Troyer, Phys. Rev. A 92, 042303 (2015).

    Example:
        >>> from qjax.circuits import allocate_shots, pauli
        >>> allocate_shots(3 * pauli("Z", 0) + pauli("X", 0), 100)
        (74, 26)
    """
    groups = commuting_groups(observable.words, grouping)
    least = 2 * len(groups)
    rule = f"be at least {least}, two for each group"
    require(total >= least, "total", rule, total)
    size = np.abs(np.asarray(observable.coefficients, np.float64))
    size = size * np.asarray([bool(word) for word in observable.words])
    weights = np.asarray([size[members].sum() for members in groups])
    if not weights.any():
        weights = np.ones(len(groups))
    exact = (total - least) * weights / weights.sum()
    shots = np.floor(exact).astype(int)
    by_remainder = np.argsort(shots - exact, kind="stable")
    shots[by_remainder[: total - least - shots.sum()]] += 1
    return tuple(2 + int(number) for number in shots)


def _check_grouping(grouping: str) -> None:
    require(grouping in GROUPINGS, "grouping", f"be one of {GROUPINGS}", repr(grouping))


def _bits(word: Word) -> tuple[int, int]:
    """Return the X and Z bits of a word, wire w as bit w; both set mean Y."""
    x = sum(1 << wire for wire, letter in word if letter in "XY")
    z = sum(1 << wire for wire, letter in word if letter in "YZ")
    return x, z


def _commute(first: tuple[int, int], second: tuple[int, int]) -> bool:
    clashes = (first[0] & second[1]) ^ (first[1] & second[0])
    return clashes.bit_count() % 2 == 0


def _have_one_basis(first: tuple[int, int], second: tuple[int, int]) -> bool:
    shared = (first[0] | first[1]) & (second[0] | second[1])
    return ((first[0] ^ second[0]) | (first[1] ^ second[1])) & shared == 0


def _setting(words: Sequence[Word], members: list[int]) -> Setting:
    wires = tuple(sorted({wire for j in members for wire, _ in words[j]}))
    tableau = _Tableau([words[j] for j in members], wires)
    bits = [_bits(words[j]) for j in members]
    if all(_have_one_basis(*pair) for pair in itertools.combinations(bits, 2)):
        tableau.turn_each_wire()
    else:
        tableau.make_diagonal()
    places = 1 << np.arange(len(wires) - 1, -1, -1, dtype=object)
    masks = [int(np.sum(places[row])) for row in tableau.z]
    signs = [-1 if negative else 1 for negative in tableau.negative]
    operations = tuple(tableau.operations)
    return Setting(tuple(members), operations, wires, tuple(masks), tuple(signs))


class _Tableau:
    """Commuting words as bits x, z and a sign; gates act on all of them at once.

    A wire's letter is X^x Z^z, with i where both are set so that it is Y. The rules for
    signs are those of Aaronson and Gottesman.
    """

    def __init__(self, words: Sequence[Word], wires: Wires):
        self.wires = wires
        letters = [dict(word) for word in words]
        at = [[word.get(wire, "I") for wire in wires] for word in letters]
        table = np.asarray(at, dtype="<U1").reshape(len(words), len(wires))
        self.x = (table == "X") | (table == "Y")
        self.z = (table == "Z") | (table == "Y")
        self.negative = np.zeros(len(words), bool)
        self.operations: list[AbstractUnitary] = []

    def turn_each_wire(self) -> None:
        """Turn the one letter of each wire into Z."""
        for wire in np.flatnonzero(self.x.any(axis=0)).tolist():
            if self.z[:, wire].any():
                self._s(wire)
            self._h(wire)

    def make_diagonal(self) -> None:
        """Apply gates until no word has an X or Y.

        Each round turns one word into Z on one wire. The others commute with it, so
        they have I or Z there and no later gate needs to change that.
        """
        while self.x.any():
            # The word with the fewest X and Y needs the fewest gates.
            weights = np.where(self.x.any(axis=1), self.x.sum(axis=1), self.x.size + 1)
            row = int(np.argmin(weights))
            pivot, *others = np.flatnonzero(self.x[row]).tolist()
            for wire in [pivot, *others]:
                if self.z[row, wire]:
                    self._s(wire)
            for wire in others:
                self._cx(pivot, wire)
            for wire in np.flatnonzero(self.z[row]).tolist():
                self._cz(pivot, wire)
            self._h(pivot)

    def _h(self, a: int) -> None:
        self.operations.append(h(self.wires[a]))
        self.negative ^= self.x[:, a] & self.z[:, a]
        self.x[:, a], self.z[:, a] = self.z[:, a].copy(), self.x[:, a].copy()

    def _s(self, a: int) -> None:
        self.operations.append(s(self.wires[a]))
        self.negative ^= self.x[:, a] & self.z[:, a]
        self.z[:, a] ^= self.x[:, a]

    def _cx(self, a: int, b: int) -> None:
        self.operations.append(cx(self.wires[a], self.wires[b]))
        both = self.x[:, a] & self.z[:, b]
        self.negative ^= both & ~(self.x[:, b] ^ self.z[:, a])
        self.x[:, b] ^= self.x[:, a]
        self.z[:, a] ^= self.z[:, b]

    def _cz(self, a: int, b: int) -> None:
        self.operations.append(cz(self.wires[a], self.wires[b]))
        both = self.x[:, a] & self.x[:, b]
        self.negative ^= both & (self.z[:, a] ^ self.z[:, b])
        self.z[:, a] ^= self.x[:, b]
        self.z[:, b] ^= self.x[:, a]
