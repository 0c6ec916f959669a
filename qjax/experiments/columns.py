"""Typed columns: what a row may hold, and what two equal rows must share."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

from qjax.experiments.errors import HarnessError

Kind = Literal["label", "exact", "estimated", "measured"]
Row = dict[str, Any]

# Columns that the harness adds to every frame; an experiment may not declare them.
RESERVED = ("cell", "root_seed")


@dataclasses.dataclass(frozen=True)
class Column:
    """One declared column of an experiment or of a table.

    Args:
        name: Key of the value in a row.
        kind: "label" (text, flags, names), "exact" (reproducible number without
            statistical error), "estimated" (reproducible number with a standard
            error) or "measured" (time or memory: differs from run to run and is
            exempt from bit-for-bit equality).
        unit: Unit, empty for a pure number.
        description: What the number is, for the legend under a table.
        stderr: Name of the column with the standard error. Required for
            "estimated", and declared by naming it here; not allowed otherwise.
        heading: Heading in tables; the name when empty.
        digits: Significant digits in tables. CSV files keep all digits.

    Raises:
        ValueError: If the kind is unknown, or `stderr` does not fit the kind.

    >>> Column("accuracy", "estimated", stderr="accuracy_stderr").names
    ('accuracy', 'accuracy_stderr')
    """

    name: str
    kind: Kind
    unit: str = ""
    description: str = ""
    stderr: str | None = None
    heading: str = ""
    digits: int = 4

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ValueError(
                f"Argument `kind` must be one of {get_args(Kind)}, but is "
                f"{self.kind!r} for column {self.name!r}."
            )
        if (self.kind == "estimated") != (self.stderr is not None):
            raise ValueError(
                "Argument `stderr` must name a column if and only if the kind is "
                f"'estimated', but is {self.stderr!r} for column {self.name!r} of "
                f"kind {self.kind!r}."
            )

    @property
    def names(self) -> tuple[str, ...]:
        """The keys in a row that this declaration covers."""
        return (self.name,) if self.stderr is None else (self.name, self.stderr)

    @property
    def title(self) -> str:
        """Heading with its unit."""
        heading = self.heading or self.name
        return f"{heading} ({self.unit})" if self.unit else heading


def check_columns(columns: Sequence[Column], owner: str) -> None:
    """Raise unless the declared names are distinct and none is reserved."""
    names = [name for column in columns for name in column.names]
    for name in names:
        if names.count(name) > 1 or name in RESERVED:
            why = "reserved" if name in RESERVED else "declared twice"
            raise ValueError(f"Column {name!r} of {owner} is {why}.")


def normal_value(value: Any, where: str) -> Any:
    """Turn a value into the JSON value that is stored, or say what is wrong.

    NumPy and JAX scalars and flat arrays become Python numbers and lists; the
    conversion is exact. NaN and infinity are refused: an undefined value is None.
    """
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        items = [normal_value(item, where) for item in value]
        if any(isinstance(i, (str, list)) or i is None for i in items):
            raise HarnessError(f"{where} must be a flat list of numbers.")
        return items
    if isinstance(value, float) and not math.isfinite(value):
        raise HarnessError(f"{where} must be finite (or None), but is {value}.")
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise HarnessError(
        f"{where} must be a JSON scalar or a flat list of numbers, "
        f"but is of type {type(value).__name__}."
    )


def normal_row(row: Mapping[str, Any], columns: Sequence[Column], owner: str) -> Row:
    """Check a row against its declared columns and return it in stored form.

    Args:
        row: Values by column name.
        columns: The declaration.
        owner: Name of the experiment, for the message.

    Returns:
        The row with plain Python values, in the declared order.

    Raises:
        HarnessError: If a column is absent or undeclared, or a value has a type
            that its kind does not allow.
    """
    kinds = {name: column.kind for column in columns for name in column.names}
    missing = [name for name in kinds if name not in row]
    extra = [name for name in row if name not in kinds]
    if missing or extra:
        parts = [f"lacks column(s) {missing}"] if missing else []
        parts += [f"has undeclared column(s) {extra}"] if extra else []
        raise HarnessError(f"A row of experiment {owner!r} {' and '.join(parts)}.")
    out: Row = {}
    for name, kind in kinds.items():
        where = f"Column {name!r} of experiment {owner!r}"
        value = normal_value(row[name], where)
        if kind == "label" and isinstance(value, list):
            raise HarnessError(f"{where} is a label and must be a scalar.")
        if kind != "label" and isinstance(value, (str, bool)):
            raise HarnessError(f"{where} is {kind} and must be a number: {value!r}.")
        out[name] = value
    return out


def difference(
    old: Sequence[Row], new: Sequence[Row], columns: Sequence[Column]
) -> str | None:
    """Say how two results of one cell differ outside the measured columns.

    Returns:
        None if they agree exactly, otherwise a phrase that names the column and
        both values.
    """
    if len(old) != len(new):
        return f"the number of rows is {len(old)} in one and {len(new)} in the other"
    kinds = {name: column.kind for column in columns for name in column.names}
    for before, after in zip(old, new, strict=True):
        for name in sorted(before.keys() | after.keys()):
            if kinds.get(name) == "measured":
                continue
            one, two = before.get(name), after.get(name)
            # 1 == 1.0 == True in Python, but they are different results.
            if type(one) is not type(two) or one != two:
                return f"column {name!r} is {one!r} in one and {two!r} in the other"
    return None
