"""What is known of a state: its registers, which are classical, what is independent."""

import dataclasses
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from qjax._checks import require
from qjax.bounds.entropic.expressions import (
    EntropyExpression,
    EntropyRelation,
    Registers,
    conditional_entropy,
    entropy,
    format_registers,
    register_names,
)
from qjax.bounds.entropic.parsing import parse

Conditions = Mapping[str, EntropyRelation | str] | Sequence[EntropyRelation | str]


@dataclasses.dataclass(frozen=True)
class System:
    """Registers in one joint state, with everything that is assumed about it.

    Args:
        registers: Every register, such as "X1 X2 Q".
        classical: Those in which the state is diagonal, all at once: the state is
            sum_x p_x |x><x| (x) rho_x with x running over all classical values.
        independent: Each entry is "A; B; C" or "A; B | R", or a tuple of parts:
            the parts are mutually independent (given R):
            S(ABC|R) = S(A|R) + S(B|R) + S(C|R).
        pure: Each entry is a set of registers in a pure state: its entropy is 0.
        conditions: Further relations, as text or built from expressions; a mapping
            gives them names. "S(Y|X) = 0" says that Y is a function of X when both
            are classical; "S(Q1) = S(Q2)" and "S(Q) <= m" are other examples.

    Raises:
        ValueError: If a name is unknown or repeated, an entry of `independent` has
            fewer than two parts, or parts overlap.

    Example:
        >>> from qjax.bounds.entropic import System
        >>> system = System("X1 X2 Q", classical="X1 X2", independent=["X1; X2"])
        >>> system.assumptions
        {'independent: X1; X2': S(X1 X2) = S(X1) + S(X2)}
    """

    registers: Registers
    classical: Registers = ""
    independent: Sequence[str | Sequence[str]] = ()
    pure: Sequence[Registers] = ()
    conditions: Conditions = ()

    def __post_init__(self):
        names = register_names(self.registers)
        require(len(names) > 0, "registers", "name at least one register", "empty")
        classical = register_names(self.classical)
        unknown = sorted(set(classical) - set(names))
        require(not unknown, "classical", f"be among {names}", unknown)
        independent = tuple(_independence_text(each) for each in self.independent)
        pure = tuple(format_registers(register_names(each)) for each in self.pure)
        # The dataclass is frozen for its users; here it is still being made.
        object.__setattr__(self, "registers", names)
        object.__setattr__(self, "classical", frozenset(classical))
        object.__setattr__(self, "independent", independent)
        object.__setattr__(self, "pure", pure)
        object.__setattr__(
            self, "conditions", MappingProxyType(_named(self.conditions))
        )
        for name, relation in self.assumptions.items():
            unknown = sorted(relation.form.registers - set(names))
            require(not unknown, f"assumption {name}", f"speak of {names}", unknown)
            says = parse(relation.text) == relation
            require(says, f"assumption {name}", "read as it is meant", relation.text)

    @property
    def names(self) -> tuple[str, ...]:
        """The registers as a tuple."""
        return tuple(self.registers)

    @property
    def classical_names(self) -> frozenset[str]:
        """The classical registers."""
        return frozenset(self.classical)

    @property
    def assumptions(self) -> dict[str, EntropyRelation]:
        """Every assumed relation by name: independence, purity, further conditions."""
        found: dict[str, EntropyRelation] = {}
        for text in self.independent:
            found[f"independent: {text}"] = _independence(str(text))
        for each in self.pure:
            found[f"pure: {each}"] = entropy(each).equals(0)
        found.update(_named(self.conditions))
        return found

    def to_dict(self) -> dict[str, Any]:
        """The system as plain data for JSON; `from_dict` reads it back."""
        return {
            "registers": " ".join(self.registers),
            "classical": " ".join(sorted(self.classical)),
            "independent": list(self.independent),
            "pure": list(self.pure),
            "conditions": {n: r.text for n, r in _named(self.conditions).items()},
        }

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> "System":
        """The system that `to_dict` wrote."""
        fields = ("registers", "classical", "independent", "pure", "conditions")
        rule = f"have the fields {fields}"
        require(set(record) == set(fields), "system", rule, sorted(record))
        return cls(**record)


def _named(conditions: Conditions) -> dict[str, EntropyRelation]:
    if isinstance(conditions, Mapping):
        pairs = list(conditions.items())
    else:
        pairs = [(str(each), each) for each in conditions]
    read = [(n, parse(r) if isinstance(r, str) else r) for n, r in pairs]
    named = dict(read)
    require(len(named) == len(read), "conditions", "differ", [n for n, _ in read])
    return named


def _independence_text(entry: str | Sequence[str]) -> str:
    """ "A; B | R" in one spelling, so that equal systems compare equal."""
    before, bar, given = (
        entry.partition("|") if isinstance(entry, str) else (";".join(entry), "", "")
    )
    parts = [format_registers(register_names(part)) for part in before.split(";")]
    rule = "have two or more parts, as in 'X1; X2' or 'Q1; Q2 | X'"
    require(len(parts) > 1 and all(parts), "independent", rule, repr(entry))
    text = "; ".join(parts)
    return f"{text} | {format_registers(register_names(given))}" if bar else text


def _independence(text: str) -> EntropyRelation:
    before, bar, given = text.partition("|")
    parts = [part.strip() for part in before.split(";")]
    together = " ".join(parts)
    suffix = f"|{given.strip()}" if bar else ""

    def uncertainty(registers: str) -> EntropyExpression:
        return conditional_entropy(registers, given)

    separate = sum((uncertainty(part) for part in parts), EntropyExpression())
    form = uncertainty(together) - separate
    shown = " + ".join(f"S({part}{suffix})" for part in parts)
    joint = format_registers(register_names(together))
    return EntropyRelation(form, True, f"S({joint}{suffix}) = {shown}")
