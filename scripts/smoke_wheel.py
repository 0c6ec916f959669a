"""Use an installed qjax as a stranger would: `python -I`, away from the source.

Exits with one sentence if the wheel lacks something, or if `qjax` is another project.
"""

import importlib.metadata
import importlib.util
import math
import pathlib
import subprocess
import sys


def package_folder() -> pathlib.Path:
    """Folder of the importable `qjax`, if it holds the files of our distribution."""
    distribution = importlib.metadata.distribution("qjax-simulator")
    spec = importlib.util.find_spec("qjax")
    if spec is None or spec.origin is None:
        sys.exit("The wheel must make `qjax` importable, but does not.")
    folder = pathlib.Path(spec.origin).parent
    recorded = {
        pathlib.Path(str(distribution.locate_file(file))).resolve(): file.size
        for file in distribution.files or ()
        if file.parts[0] == "qjax" and file.suffix == ".py"
    }
    # Installed later, the unrelated `qjax` overwrites our files in place: the sizes
    # that our installation recorded tell.
    origin = pathlib.Path(spec.origin).resolve()
    if recorded.get(origin) != origin.stat().st_size:
        sys.exit(
            f"`import qjax` must find the files of qjax-simulator, but {origin} is "
            "not one: run `pip uninstall qjax` and install qjax-simulator again."
        )
    return folder


def check_contents(folder: pathlib.Path) -> None:
    """The texts of the proofs travel with the code; tests and scripts do not."""
    if not list((folder / "_proofs").glob("*.md")):
        sys.exit("The wheel must ship proofs/ as qjax/_proofs, but does not.")
    for name in ("tests", "scripts"):
        if importlib.util.find_spec(name) is not None:
            sys.exit(f"The wheel must not install a top-level `{name}`, but does.")


def check_simulation() -> None:
    """A Bell pair is measured as 00 or 11, each with probability one half."""
    # Not before `package_folder` has made sure whose files these are.
    from qjax.circuits import Circuit, cx, h
    from qjax.simulate import run
    from qjax.states import StateVector

    state = run(Circuit((h(0), cx(0, 1)), num_wires=2), StateVector.zeros(2))
    found = [float(p) for p in state.probabilities().reshape(-1)]
    if not all(
        math.isclose(p, expected, abs_tol=1e-6)
        for p, expected in zip(found, (0.5, 0, 0, 0.5), strict=True)
    ):
        sys.exit(
            f"A Bell pair must have probabilities 1/2, 0, 0, 1/2, but has {found}."
        )


def check_command() -> None:
    """The console script starts."""
    command = pathlib.Path(sys.executable).with_name("qjax")
    done = subprocess.run([str(command), "--help"], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"`qjax --help` must succeed, but says: {done.stderr.strip()}")


def main() -> None:
    folder = package_folder()
    check_contents(folder)
    check_simulation()
    check_command()
    print(f"wheel: qjax-simulator {importlib.metadata.version('qjax-simulator')} works")


if __name__ == "__main__":
    main()
