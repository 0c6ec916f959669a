"""`qjax replay`: repeat the refutation that a witness file stores."""

import pathlib

import jax
import tyro

from qjax.bounds.replay import replayed_sides
from qjax.cli.bound_names import find_bound
from qjax.cli.exit_status import DONE, FAILED, complain


def replay(
    witness: tyro.conf.Positional[pathlib.Path], /, bound: str | None = None
) -> int:
    """Recompute a stored witness and say whether it still violates the statement.

    Exit status: 0 if it does, 1 if it does not, 2 if it cannot be replayed.

    Args:
        witness: A witness-….json of `qjax verify --report`.
        bound: Where it belongs, if the bound is not one of qjax: path/to/file.py:name
            or package.module:name, a Bound or a function that returns one.
    """
    try:
        text = witness.read_text(encoding="utf-8")
        with jax.enable_x64(True):
            own = None if bound is None else find_bound(bound)
            found = replayed_sides(text, own)
    except OSError as error:
        return complain(f"Cannot read {witness}: {error.strerror}.")
    except (ValueError, KeyError, AttributeError) as error:
        return complain(f"Cannot replay {witness}: {error}")
    print(f"bound      {found.bound}")
    print(f"statement  {found.statement}")
    print(f"witness    {found.name}")
    print(f"left       {found.left}")
    print(f"right      {found.right}")
    print(f"verdict    {'violated' if found.violates else 'not violated'}")
    return DONE if found.violates else FAILED
