"""The console command `qjax`: verify | data | paper."""

import difflib
import pathlib
import runpy
import sys
from collections.abc import Sequence

import jax
import tyro

import qjax.bounds
import qjax.data

Names = tyro.conf.Positional[tuple[str, ...]]

DONE, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130


def _complain(sentence: str) -> int:
    print(f"error: {sentence}", file=sys.stderr)
    return BAD_INPUT


def verify(
    names: Names = (),
    /,
    seed: int = 0,
    random_instances: int = 1000,
    shots: int = 20_000,
    delta: float = 1e-6,
    json: bool = False,
) -> int:
    """Try to refute bounds, and print what their proofs rest on.

    The exit status says whether the verification ran; the verdict is in the report
    (several statements of the table are there to be refuted).

    Args:
        names: Bounds; all if none is named.
        seed: Seed of the random instances and shots.
        random_instances: Random structures in the exact stage; 0 for none.
        shots: Runs per kind of query in the Monte-Carlo stage; 0 for none.
        delta: Probability of any false alarm of the Monte-Carlo stage.
        json: Print JSON, one report a line, in place of Markdown.
    """
    table = qjax.bounds.BOUNDS
    for name in names:
        if name not in table:
            near = difflib.get_close_matches(name, table, n=1, cutoff=0.4)
            known = f"known are {', '.join(table)}"
            hint = f"did you mean {near[0]!r}?" if near else f"{known}."
            return _complain(f"Unknown bound {name!r}: {hint}")
    for name, value, good, rule in (
        ("random_instances", random_instances, random_instances >= 0, "at least 0"),
        ("shots", shots, shots >= 0, "at least 0"),
        ("delta", delta, 0 < delta < 1, "between 0 and 1"),
        ("seed", seed, 0 <= seed < 2**63, "at least 0"),
    ):
        if not good:
            return _complain(f"Argument `{name}` must be {rule}, but is {value}.")
    budget = qjax.bounds.Budget(random_instances, shots, delta)
    # The verifier decides in double precision; here, and only here, it is switched on.
    with jax.enable_x64(True):
        for name in names or table:
            report = qjax.bounds.verify(jax.random.key(seed), table[name](), budget)
            text = report.to_json() if json else report.to_markdown()
            print(text.replace("\n", "") if json else f"{text.rstrip()}\n", flush=True)
    return DONE


def data(root: pathlib.Path | None = None, offline: bool = False) -> int:
    """Find or fetch Fashion-MNIST, check it byte for byte, and say where it lies.

    Args:
        root: Data folder; otherwise `QJAX_DATA`, or the user's cache.
        offline: Never touch the network.
    """
    try:
        print(qjax.data.fetch_fashion_mnist(root, offline=offline))
    except qjax.data.DataError as error:
        return _complain(str(error))
    return DONE


def paper() -> int:
    """Compute and render the tables and figures (in a checkout only).

    Everything after the word `paper` goes to scripts/paper.py: try
    `qjax paper --help`.
    """
    return _paper([])


def checkout_script() -> pathlib.Path | None:
    """The script scripts/paper.py beside this package, or None if installed alone."""
    root = pathlib.Path(__file__).resolve().parents[1]
    script = root / "scripts" / "paper.py"
    # Beside an installed package may lie a stranger's scripts/ but no project file.
    return script if script.is_file() and (root / "pyproject.toml").is_file() else None


def _paper(arguments: Sequence[str]) -> int:
    script = checkout_script()
    if script is None:
        return _complain(
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
    table = {"verify": verify, "data": data, "paper": paper}
    try:
        return tyro.extras.subcommand_cli_from_dict(
            table, prog="qjax", description=__doc__, args=list(arguments)
        )
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED


def main() -> None:
    """Entry point of the console command."""
    sys.exit(run(sys.argv[1:]))
