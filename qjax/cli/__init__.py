"""The console command `qjax`: verify | replay | data | paper."""

import importlib.metadata
import os
import pathlib
import runpy
import sys
from collections.abc import Sequence

import tyro

import qjax.data
from qjax.cli.exit_status import BAD_INPUT, DONE, FAILED, INTERRUPTED, complain
from qjax.cli.replay_command import replay
from qjax.cli.verify_command import verify

QUICK_COMPILING = (
    "--xla_backend_optimization_level=0 --xla_cpu_parallel_codegen_split_count=1 "
    "--xla_cpu_use_fusion_emitters=false"
)
"""Nearly halves the time of `qjax verify --all --size smoke` on a CPU."""

KNOWN_JAXLIB = "0.10."
"""Where these flags exist: XLA ends a process that names one it does not know."""

__all__ = ["BAD_INPUT", "DONE", "FAILED", "INTERRUPTED", "main", "run"]


def data(root: pathlib.Path | None = None, offline: bool = False) -> int:
    """Find or fetch Fashion-MNIST, check it byte for byte, and say where it lies.

    Args:
        root: Data folder; otherwise `QJAX_DATA`, or the user's cache.
        offline: Never touch the network.
    """
    try:
        print(qjax.data.fetch_fashion_mnist(root, offline=offline))
    except qjax.data.DataError as error:
        return complain(str(error))
    return DONE


def paper() -> int:
    """Compute and render the tables and figures (in a checkout only).

    Everything after the word `paper` goes to scripts/paper.py: try
    `qjax paper --help`.
    """
    return _paper([])


def checkout_script() -> pathlib.Path | None:
    """The script scripts/paper.py beside this package, or None if installed alone."""
    root = pathlib.Path(__file__).resolve().parents[2]
    script = root / "scripts" / "paper.py"
    # Beside an installed package may lie a stranger's scripts/ but no project file.
    return script if script.is_file() and (root / "pyproject.toml").is_file() else None


def _paper(arguments: Sequence[str]) -> int:
    script = checkout_script()
    if script is None:
        return complain(
            "`qjax paper` needs a checkout of the project, because the experiments are "
            "not part of the installed package; clone it and run `make paper` there."
        )
    before = sys.argv
    sys.argv = [str(script), *arguments]
    try:
        runpy.run_path(str(script), run_name="__main__")
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else DONE
    finally:
        sys.argv = before
    return DONE


def run(arguments: Sequence[str]) -> int:
    """Run one command.

    Args:
        arguments: Command-line arguments after the program's name.

    Returns:
        Exit status: 0 done, 1 failed, 2 bad input, 130 interrupted.
    """
    # The paper's own parser reads its arguments, whatever they are.
    if arguments and arguments[0] == "paper":
        return _paper(arguments[1:])
    table = {"verify": verify, "replay": replay, "data": data, "paper": paper}
    try:
        return tyro.extras.subcommand_cli_from_dict(
            table, prog="qjax", description=__doc__, args=list(arguments)
        )
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED


def quick_compiling(arguments: Sequence[str]) -> dict[str, str]:
    """Environment in which a command compiles fast, for those that compile most.

    A verification runs each of its many small programs a few times only, except at
    full size. Workers inherit it, so that their number changes no result.

    Args:
        arguments: Command-line arguments after the program's name.
    """
    compiles_most = bool(arguments) and arguments[0] in ("verify", "replay")
    full = "full" in arguments or "--size=full" in arguments
    known = importlib.metadata.version("jaxlib").startswith(KNOWN_JAXLIB)
    return (
        {"XLA_FLAGS": QUICK_COMPILING} if compiles_most and known and not full else {}
    )


def main() -> None:
    """Entry point of the console command."""
    for name, value in quick_compiling(sys.argv[1:]).items():
        os.environ.setdefault(name, value)
    sys.exit(run(sys.argv[1:]))
