"""The one exception that the command line prints as a sentence."""

import difflib
from collections.abc import Iterable


class HarnessError(ValueError):
    """Something a person can mend: a name, a file, a configuration, a row.

    The message is one sentence that names the thing and the rule it breaks, so
    the command line prints it without a traceback.
    """


def unknown_name(what: str, name: str, known: Iterable[str]) -> HarnessError:
    """Build the error for a name that is not in a table, with the nearest one.

    Args:
        what: The kind of thing, for example "experiment".
        name: The name that was asked for.
        known: The names that exist.

    Returns:
        The exception, to be raised by the caller.

    >>> str(unknown_name("experiment", "clasifier", ["classifier", "bounds"]))
    "Unknown experiment 'clasifier': did you mean 'classifier'?"
    """
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    if near:
        return HarnessError(f"Unknown {what} {name!r}: did you mean {near[0]!r}?")
    listing = ", ".join(names) if names else "there are none"
    return HarnessError(f"Unknown {what} {name!r}: known are {listing}.")
