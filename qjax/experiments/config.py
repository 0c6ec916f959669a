"""Configurations: YAML sections by size, overrides, and the stored resolved copy."""

import dataclasses
import difflib
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from qjax.experiments.errors import HarnessError
from qjax.experiments.experiment import SIZES, Experiment, Size
from qjax.experiments.files import write_text


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML 1.2 file that must hold a mapping; duplicate keys are refused.

    Raises:
        HarnessError: If the file is absent, malformed, or not a mapping.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise HarnessError(
            f"Config file {path} must be readable, but: {error.strerror}."
        ) from error
    except UnicodeDecodeError as error:
        raise HarnessError(f"Config file {path} must be UTF-8 text.") from error
    try:
        content = YAML(typ="safe", pure=True).load(text)
    except YAMLError as error:
        raise HarnessError(
            f"Config file {path} is not valid YAML{_where(error)}."
        ) from error
    if content is None:
        content = {}
    if not isinstance(content, dict):
        raise HarnessError(
            f"Config file {path} must hold a mapping of keys to values, but holds a "
            f"{type(content).__name__}."
        )
    return content


def _where(error: YAMLError) -> str:
    """Problem and line of a YAML error, as the tail of a sentence."""
    if not isinstance(error, MarkedYAMLError):
        return ""
    mark = error.problem_mark or error.context_mark
    line = f" (line {mark.line + 1})" if mark is not None else ""
    return f"{line}: {error.problem}"


def convert(values: Mapping[str, Any], config: type, where: str) -> Any:
    """Build a configuration from plain values, strictly typed.

    Args:
        values: Values by field name; absent fields keep their defaults.
        config: The dataclass type.
        where: Start of the message, for example "Config file x.yaml, section full".

    Raises:
        HarnessError: If a key is unknown, a value has the wrong type, or the
            dataclass itself refuses the values.
    """
    known = [field.name for field in dataclasses.fields(config)]
    for key in values:
        if key not in known:
            raise HarnessError(f"{where}: unknown key {key!r}{_nearest(key, known)}.")
    try:
        converted = msgspec.convert(dict(values), config)
        # msgspec leaves defaults to the class; a copy has every field of its own.
        return dataclasses.replace(converted)
    except msgspec.ValidationError as error:
        problem, _, path = str(error).partition(" - at `$")
        key = path.strip("`.")
        value = values.get(key.split("[")[0]) if key else None
        shown = f"key {key!r} is {value!r}, but: " if key else ""
        raise HarnessError(f"{where}: {shown}{problem.rstrip('.')}.") from error


def _nearest(key: object, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(str(key), known, n=1)
    return f" (did you mean {near[0]!r}?)" if near else f"; known are {known}"


def load_sections(path: Path, experiment: Experiment) -> dict[Size, dict[str, Any]]:
    """Read the three sections `smoke`, `default` and `full` of a config file.

    Raises:
        HarnessError: If the file is malformed, or any section is absent, unknown,
            or does not fit the experiment's configuration type.
    """
    content = read_yaml(path)
    for key in content:
        if key not in SIZES:
            raise HarnessError(
                f"Config file {path}: unknown section {key!r}"
                f"{_nearest(key, list(SIZES))}."
            )
    sections: dict[Size, dict[str, Any]] = {}
    for size in SIZES:
        where = f"Config file {path}, section {size!r}"
        if size not in content:
            raise HarnessError(f"{where} is absent; write `{size}: {{}}` for defaults.")
        section = {} if content[size] is None else content[size]
        if not isinstance(section, dict):
            raise HarnessError(f"{where} must be a mapping, but is {section!r}.")
        convert(section, experiment.config, where)
        sections[size] = section
    return sections


def parse_overrides(
    settings: Sequence[str], experiments: Sequence[Experiment]
) -> dict[str, dict[str, Any]]:
    """Read command-line settings `field=value` or `experiment.field=value`.

    The value is read as YAML, so it obeys the rules of the files. The short form
    needs exactly one experiment.

    >>> parse_overrides([], [])
    {}
    """
    known = {experiment.name: experiment for experiment in experiments}
    overrides: dict[str, dict[str, Any]] = {}
    for setting in settings:
        target, equals, text = setting.partition("=")
        name, dot, field = target.rpartition(".")
        if not dot and len(known) == 1:
            name = next(iter(known))
        if not equals or name not in known:
            raise HarnessError(
                f"Setting {setting!r} must read experiment.field=value with an "
                f"experiment among {sorted(known)} (or field=value for a single one)."
            )
        try:
            value = YAML(typ="safe", pure=True).load(text)
        except YAMLError as error:
            raise HarnessError(
                f"Setting {setting!r} has no valid YAML value{_where(error)}."
            ) from error
        overrides.setdefault(name, {})[field] = value
    return overrides


def resolve(
    experiment: Experiment,
    folder: Path,
    size: Size,
    overrides: Mapping[str, Any] | None = None,
) -> Any:
    """The configuration of an experiment at a size.

    The section of `folder/<name>.yaml` for the size is laid over the defaults of
    the dataclass, and `overrides` over both.
    """
    path = folder / f"{experiment.name}.yaml"
    section = load_sections(path, experiment)[size]
    where = f"Setting of experiment {experiment.name!r}"
    return convert({**section, **(overrides or {})}, experiment.config, where)


def store_config(path: Path, experiment: Experiment, size: Size, config: Any) -> None:
    """Write the resolved configuration beside the rows, atomically."""
    stream = io.StringIO()
    writer = YAML()
    content = {
        "experiment": experiment.name,
        "version": experiment.version,
        "size": size,
        "config": json.loads(msgspec.json.encode(config)),
    }
    writer.dump(content, stream)
    text = stream.getvalue()
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        write_text(path, text)


def stored_config(path: Path, experiment: Experiment) -> Any | None:
    """Read the resolved copy; None if there is none for this version."""
    if not path.exists():
        return None
    content = read_yaml(path)
    if content.get("version") != experiment.version:
        return None
    values = content.get("config", {})
    return convert(values, experiment.config, f"Stored config {path}")
