"""Which bounds a command line means: ids, patterns, and a user's own."""

import contextlib
import difflib
import fnmatch
import importlib
import importlib.util
import os
import pathlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any

from qjax._checks import require
from qjax.bounds import BOUNDS, Bound


def matching_bounds(names: Sequence[str], table: Mapping[str, Any]) -> tuple[str, ...]:
    """Ids that the given ids and shell patterns mean, each once, in the given order.

    Args:
        names: Ids, or patterns such as `A1/*`.
        table: The known bounds.

    Raises:
        ValueError: If an id is unknown or a pattern matches nothing.
    """
    found: dict[str, None] = {}
    for name in names:
        chosen = [name] if name in table else fnmatch.filter(table, name)
        if not chosen:
            near = difflib.get_close_matches(name, table, n=1, cutoff=0.4)
            known = f"known are {', '.join(table)}"
            hint = f"did you mean {near[0]!r}?" if near else f"{known}."
            raise ValueError(f"Unknown bound {name!r}: {hint}")
        found.update(dict.fromkeys(chosen))
    return tuple(found)


def find_bound(name: str) -> Bound:
    """A bound that ships with qjax, or a user's own.

    Args:
        name: A key of `BOUNDS`, or "path/to/file.py:name", or "package.module:name";
            what `name` refers to is a `Bound` or a function that returns one.

    Raises:
        ValueError: If it is neither, or the file or the name does not exist.
    """
    if name in BOUNDS:
        return BOUNDS[name]()
    place, _, attribute = name.rpartition(":")
    rule = "be path/to/file.py:name or package.module:name"
    require(bool(place and attribute), "bound", rule, repr(name))
    try:
        module = _import_file(place) if place.endswith(".py") else _import_module(place)
        found: Any = getattr(module, attribute, None)
        bound: Any = found() if callable(found) else found
    except ValueError:
        raise
    except Exception as error:  # a user's code may raise anything
        text = f"{type(error).__name__}: {error}"
        raise ValueError(f"Cannot take {attribute!r} from {place}: {text}") from error
    exists = hasattr(module, attribute)
    require(exists, "bound", f"name something in {place}", repr(attribute))
    rule = "be a Bound, or a function without arguments that returns one"
    require(isinstance(bound, Bound), attribute, rule, type(bound).__name__)
    return bound


def _import_module(place: str) -> ModuleType:
    with _first_on_path(os.getcwd()):
        return importlib.import_module(place)


def _import_file(place: str) -> ModuleType:
    path = pathlib.Path(place).resolve()
    require(path.is_file(), "bound", "name a file that exists", place)
    name = f"qjax_bound_in_{path.stem}"
    specification = importlib.util.spec_from_file_location(name, path)
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    # Dataclasses look their module up while it is executed.
    sys.modules[name] = module
    with _first_on_path(str(path.parent)):
        specification.loader.exec_module(module)
    return module


@contextlib.contextmanager
def _first_on_path(folder: str) -> Iterator[None]:
    """Find modules beside a user's file, as Python does when it runs the file."""
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)
