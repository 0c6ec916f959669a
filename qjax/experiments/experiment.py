"""The record of one experiment: what it computes, on which grid, in which columns."""

import dataclasses
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, get_args

import msgspec

from qjax.experiments.cells import Point, grid_cells
from qjax.experiments.columns import Column, Row, check_columns, normal_row
from qjax.experiments.errors import HarnessError

Size = Literal["smoke", "default", "full"]
SIZES: tuple[Size, ...] = get_args(Size)

_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclasses.dataclass(frozen=True)
class Experiment:
    """One experiment: a grid of points and a pure function from a point to rows.

    Everything that determines a result must be in the point (or be the root seed):
    the configuration only shapes the grid. Change `version` whenever `run` changes
    what it returns; rows of other versions stay in the store and are ignored.

    Args:
        name: Lower-case name, unique among the experiments.
        version: Positive integer, part of the hash of every cell.
        config: Frozen dataclass type whose fields all have defaults, among them
            `seed: int`, the root seed.
        grid: Function of a configuration to the points: dicts of JSON scalars.
        run: Function `run(key, **point)` to one row or a list of rows.
        columns: Declaration of the row's columns.
        source: Where the quantity is defined (paper, theorem, equation).
        dtypes: Types of the computation, such as ("complex64",). If one of them
            has 64-bit parts, `run` is called with x64 on, otherwise off.

    Raises:
        ValueError: If one of the above does not hold.
    """

    name: str
    version: int
    config: type
    grid: Callable[[Any], Iterable[Mapping[str, Any]]]
    run: Callable[..., Any]
    columns: tuple[Column, ...]
    source: str = ""
    dtypes: tuple[str, ...] = ("complex64",)

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(
                "Argument `name` must be lower-case letters, digits and '_', but is "
                f"{self.name!r}."
            )
        if self.version < 1:
            raise ValueError(
                f"Argument `version` must be at least 1, but is {self.version}."
            )
        check_columns(self.columns, f"experiment {self.name!r}")
        _check_config_type(self.config, self.name)

    @property
    def x64(self) -> bool:
        """Whether the computation needs 64-bit types."""
        wide = {"float64", "complex128", "int64", "uint64"}
        return not wide.isdisjoint(self.dtypes)

    def cells(self, config: Any) -> dict[str, Point]:
        """The grid of a configuration: points by cell id, in grid order.

        Raises:
            HarnessError: If points repeat, collide, are not JSON scalars, or use a
                column's name.
        """
        cells = grid_cells(self.name, self.version, config.seed, self.grid(config))
        taken = {name for column in self.columns for name in column.names}
        for point in cells.values():
            clash = sorted((taken | {"cell", "root_seed"}) & point.keys())
            if clash:
                raise HarnessError(
                    f"Point field(s) {clash} of experiment {self.name!r} have the "
                    "name of a column; rename one of them."
                )
        return cells

    def rows(self, result: Any) -> list[Row]:
        """Check what `run` returned and bring it to the stored form."""
        rows = result if isinstance(result, list) else [result]
        if not rows or not all(isinstance(row, Mapping) for row in rows):
            raise HarnessError(
                f"Experiment {self.name!r} must return a row (a dict) or a non-empty "
                f"list of rows, but returned {type(result).__name__}."
            )
        return [normal_row(row, self.columns, self.name) for row in rows]


def _check_config_type(config: type, name: str) -> None:
    """Raise unless `config` is a frozen dataclass with defaults and a `seed: int`."""
    if not dataclasses.is_dataclass(config) or not isinstance(config, type):
        raise ValueError(
            f"Argument `config` of experiment {name!r} must be a dataclass type, "
            f"but is {config!r}."
        )
    fields = {field.name: field for field in dataclasses.fields(config)}
    seed = fields.get("seed")
    rule = None
    if not config.__dataclass_params__.frozen:  # pyright: ignore[reportAttributeAccessIssue]
        rule = "be a frozen dataclass"
    elif seed is None or seed.type is not int:
        rule = "have a field `seed: int`, the root seed"
    else:
        try:
            default = config()
        except TypeError:
            rule = "have a default for every field"
        else:
            # The stored copy must read back as the same value.
            stored = msgspec.json.encode(default)
            if msgspec.json.decode(stored, type=config) != default:
                rule = "survive a round trip through YAML"
    if rule is not None:
        raise ValueError(f"Argument `config` of experiment {name!r} must {rule}.")
