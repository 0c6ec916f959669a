"""What the package declares is what it uses; no file names a place or a registry."""

import ast
import pathlib
import re
import subprocess
import sys
import tomllib

import pytest

SOURCE = pathlib.Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((SOURCE / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]

# Where the importable name is not the distribution's.
DISTRIBUTION = {
    "cirq": "cirq-core",
    "flint": "python-flint",
    "opt_einsum": "opt-einsum",
    "orbax": "orbax-checkpoint",
    "qiskit_aer": "qiskit-aer",
    "ruamel": "ruamel.yaml",
    "sklearn": "scikit-learn",
    "tensorboardX": "tensorboardx",
    "tensorcircuit": "tensorcircuit-ng",
    "tensornetwork": "tensornetwork-ng",
    "yaml": "pyyaml",
}
# Declared without an import statement: jaxlib is the compiled half of jax, clarabel a
# solver that cvxpy calls by name, and cvxpy is imported when a program is solved.
WITHOUT_IMPORT = {"jaxlib", "clarabel", "cvxpy"}
# Parts of the library that need more than the core.
NEEDS = {
    "qjax/experiments": ["paper"],
    "qjax/interop": ["pennylane"],
    "qjax/network": ["network"],
    "qjax/optim/reports.py": ["training"],
    "qjax/parallel/dask.py": ["cluster"],
    "qjax/bounds/strategies.py": ["test"],
    "qjax/bounds/state_strategies.py": ["test"],
    "qjax/bounds/sdp": ["sdp"],
}


def name_of(requirement: str) -> str:
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert match is not None, requirement
    return match[0].lower().replace("_", "-")


def declared(*extras: str) -> set[str]:
    """Names of the core dependencies and of the given extras, followed through."""
    names = {name_of(entry) for entry in PROJECT["dependencies"]}
    for extra in extras:
        for entry in EXTRAS[extra]:
            if entry.startswith("qjax-simulator["):
                inner = entry.removeprefix("qjax-simulator[").rstrip("]").split(",")
                names |= declared(*inner)
            else:
                names.add(name_of(entry))
    return names


def third_party(path: pathlib.Path) -> set[str]:
    """Distributions that a file imports, apart from Python's own and ours."""
    roots: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            roots |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            roots.add((node.module or "").partition(".")[0])
    ours = {"qjax", "tests", "scripts", *(p.stem for p in path.parent.iterdir())}
    ours |= {p.stem for p in (SOURCE / "tests").iterdir()}
    outside = roots - set(sys.stdlib_module_names) - ours
    return {DISTRIBUTION.get(root) or root for root in outside}


def test_the_library_imports_only_what_it_declares():
    undeclared = []
    for path in sorted((SOURCE / "qjax").rglob("*.py")):
        place = path.relative_to(SOURCE).as_posix()
        extras = [e for part, es in NEEDS.items() if place.startswith(part) for e in es]
        missing = third_party(path) - declared(*extras)
        undeclared += [f"{place}: {name}" for name in sorted(missing)]
    assert undeclared == []


@pytest.mark.parametrize(
    ("folder", "extras"), [("scripts", ["paper", "bench"]), ("tests", ["test"])]
)
def test_scripts_and_tests_import_only_what_they_declare(folder: str, extras):
    undeclared = {
        f"{path.relative_to(SOURCE)}: {name}"
        for path in (SOURCE / folder).rglob("*.py")
        for name in third_party(path) - declared(*extras)
    }
    assert undeclared == set()


def test_every_dependency_of_the_core_and_the_paper_is_used():
    used = set().union(
        *(third_party(path) for path in (SOURCE / "qjax").rglob("*.py")),
        *(third_party(path) for path in (SOURCE / "scripts").rglob("*.py")),
    )
    assert declared("paper") - used - WITHOUT_IMPORT == set()


def test_the_named_packages_and_extras_are_declared():
    assert PROJECT["name"] == "qjax-simulator"
    named = {"jax", "jaxlib", "equinox", "optax", "flax", "sympy", "hypothesis"}
    assert named | {"tensornetwork-ng", "pennylane"} <= declared("all")
    extras = {"network", "pennylane", "test", "cuda", "tpu", "bench", "docs", "all"}
    assert extras <= set(EXTRAS)


def test_constraints_are_names_and_versions_and_cover_all_extras():
    lines = (SOURCE / "constraints.txt").read_text().splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert [line for line in pins if not re.fullmatch(r"[\w.-]+==[\w.+!]+", line)] == []
    pinned = {name_of(line) for line in pins}
    assert {re.sub(r"[._]", "-", n) for n in declared("all")} <= {
        re.sub(r"[._]", "-", n) for n in pinned
    }


def tracked_files() -> list[pathlib.Path]:
    done = subprocess.run(
        ["git", "ls-files", "-z"], cwd=SOURCE, capture_output=True, text=True
    )
    if done.returncode != 0:
        pytest.skip("not a git checkout")
    return [SOURCE / name for name in done.stdout.split("\0") if name]


# Written so that this file does not match itself.
PLACES = re.compile(
    r"(?<![A-Za-z0-9_.])/(?:work|farm|root|home)/"
    r"|https?://[A-Za-z0-9.-]*(?:pyp[i]|pythonhos[t]ed|npm[j]s|deb[i]an)"
)


def test_no_tracked_file_names_a_machine_or_a_registry():
    found = []
    for path in tracked_files():
        if path.is_file() and path.suffix not in {".svg", ".png", ".pdf"}:
            for number, line in enumerate(path.read_text().splitlines(), 1):
                if PLACES.search(line):
                    found.append(f"{path.relative_to(SOURCE)}:{number}: {line[:80]}")
    assert found == []


def test_the_search_for_places_finds_them():
    for bad in ("cd /wo" + "rk/main", "https://py" + "pi.example/simple"):
        assert PLACES.search(bad)
    for good in ("src/work/x", "https://example.org/qjax", "/usr/share/datasets"):
        assert not PLACES.search(good)
