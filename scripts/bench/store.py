"""Measured groups as JSON lines; the file is replaced whole, never half-written.

A group is one case in one precision with every side of it, measured in turns in one
run: ratios are formed within a group only. Measuring a group again replaces its line.
"""

import json
import pathlib
from collections.abc import Iterable

from qjax.experiments.files import only_writer, write_bytes

Key = tuple[str, str]


def key_of(group: dict) -> Key:
    return group["case"], group["precision"]


def read(path: pathlib.Path) -> dict[Key, dict]:
    """All groups of a file by case and precision; none if it does not exist."""
    if not path.exists():
        return {}
    lines = path.read_text().splitlines()
    return {key_of(group): group for group in map(json.loads, lines)}


def put(path: pathlib.Path, group: dict) -> None:
    """Add or replace one group."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with only_writer(path):
        groups = read(path) | {key_of(group): group}
        lines = [json.dumps(groups[key], sort_keys=True) for key in sorted(groups)]
        write_bytes(path, ("\n".join(lines) + "\n").encode())


def is_done(
    group: dict | None, sides: Iterable[str], rounds: int, sources: str
) -> bool:
    """Whether a stored group has all that a run would measure."""
    if group is None or group["machine"]["sources"] != sources:
        return False
    have = {row["side"] for row in group["rows"]}
    return set(sides) <= have and group["rounds"] >= rounds
