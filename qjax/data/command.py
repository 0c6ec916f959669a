"""Programs of the machine, run quietly, with one line about what went wrong."""

import os
import pathlib
import subprocess
from collections.abc import Sequence

_TIMEOUT = 900  # seconds for one command; a slow line, not a hung one
# What apt and pip print on stderr that does not explain a failure.
_HARMLESS = ("W:", "WARNING:", "[notice]")


def run_command(command: Sequence[str], folder: pathlib.Path) -> tuple[bool, str]:
    """Whether a command succeeded, and the last line of what it complained about.

    Args:
        command: Program and its arguments.
        folder: Working folder.

    >>> import pathlib
    >>> from qjax.data.command import run_command
    >>> run_command(["ls", "/no/such/folder"], pathlib.Path())[0]
    False
    """
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False, f"no answer within {_TIMEOUT} s"
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    errors = [line for line in lines if not line.startswith(_HARMLESS)] or lines
    return done.returncode == 0, errors[-1] if errors else f"exit {done.returncode}"
