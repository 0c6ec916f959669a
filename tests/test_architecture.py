"""The layers and the house rules hold, and each rule notices its own violation."""

import pathlib
import subprocess
import sys

import architecture
import pytest

SOURCE = pathlib.Path(__file__).resolve().parents[1]
LIBRARY = architecture.read_tree(SOURCE / "qjax")
EVERYTHING = {
    **LIBRARY,
    **architecture.read_tree(SOURCE / "tests"),
    **architecture.read_tree(SOURCE / "scripts"),
}


def test_imports_point_to_lower_layers_or_the_own_folder():
    assert architecture.layer_violations(LIBRARY) == []


def test_the_import_graph_has_no_cycle():
    assert architecture.cycles(LIBRARY) == []


def test_no_config_write_literal_key_private_jax_or_late_import():
    assert architecture.forbidden(LIBRARY) == []


def test_files_and_functions_are_short():
    assert architecture.too_long(EVERYTHING) == []


def test_every_file_has_a_name_of_its_own():
    assert architecture.nameless(EVERYTHING) == []


def test_the_import_graph_is_read_at_all():
    # Guards against a reader that finds nothing and so no violation either.
    graph = architecture.edges(LIBRARY)
    assert "qjax.data.cache" in graph["qjax.data.debian"]
    assert sum(map(len, graph.values())) > len(graph)


GOOD = {
    "qjax": "from qjax.circuits import Circuit\n",
    "qjax._types": "",
    "qjax._checks": "from qjax._types import Wires\n",
    "qjax.circuits": "from qjax.circuits.gates import x\n",
    "qjax.circuits.gates": "from qjax import _checks\nfrom .operation import y\n",
    "qjax.circuits.operation": "import qjax._types\n",
    "qjax.states": "",
    "qjax.states.vector": "from .._checks import require\n",
    "qjax.simulate": "from qjax import circuits, states\n",
}
LAYER_MUTANTS = {
    "upwards": {"qjax._checks": "from qjax.states import z"},
    "upwards, relative": {"qjax.states.vector": "from ..simulate import run"},
    "sideways": {"qjax.states.vector": "from qjax.circuits.gates import x"},
    "through the top": {"qjax.circuits.operation": "from qjax import Circuit"},
    "in a function": {"qjax._types": "def f():\n    import qjax.states"},
    "no layer": {"qjax.anywhere": ""},
}


def test_a_good_tree_has_no_violation():
    assert architecture.layer_violations(GOOD) == []
    assert architecture.cycles(GOOD) == []
    assert architecture.forbidden(GOOD) == []


@pytest.mark.parametrize("mutant", LAYER_MUTANTS)
def test_a_wrong_import_is_noticed(mutant: str):
    changed = LAYER_MUTANTS[mutant]
    (found,) = architecture.layer_violations({**GOOD, **changed})
    assert found.startswith(next(iter(changed)))


@pytest.mark.parametrize(
    "changed",
    [
        {"qjax.circuits.operation": "from qjax.circuits.gates import x"},
        {"qjax.circuits.operation": "from qjax.circuits import x"},
        {"qjax._types": "import qjax._checks"},
    ],
)
def test_a_cycle_is_noticed(changed: dict[str, str]):
    assert architecture.layer_violations({**GOOD, **changed}) == []
    assert architecture.cycles({**GOOD, **changed}) != []


@pytest.mark.parametrize(
    "source",
    [
        "import jax\njax.config.update('jax_enable_x64', True)",
        "from jax import config\nconfig.update('jax_enable_x64', True)",
        "import jax\njax.config.jax_enable_x64 = True",
        "import jax\nkey = jax.random.key(0)",
        "from jax.random import PRNGKey\nkey = PRNGKey(42)",
        "from jax._src import core",
        "import jax._src.core",
        "import jax\nx = jax._src.core",
        "from __future__ import annotations",
        "def f():\n    import numpy",
        "import pennylane as qml",
        "from qiskit.circuit import Gate",
    ],
)
def test_a_forbidden_line_is_noticed(source: str):
    assert architecture.forbidden({**GOOD, "qjax._types": source}) != []


def test_a_key_that_is_passed_on_and_a_vendor_at_home_are_allowed():
    source = "import jax\n\ndef f(seed):\n    return jax.random.key(seed)\n"
    tree = {**GOOD, "qjax._types": source, "qjax.interop": "import pennylane"}
    assert architecture.forbidden(tree) == []


def test_length_is_counted_without_the_docstring():
    body = "    x = 1\n"
    docstring = '    """One.\n' + "\n" * 100 + '    """\n'
    limit = architecture.MAX_FUNCTION_LINES
    good = "def f():\n" + docstring + body * (limit - 1)
    assert architecture.too_long({"qjax.a": good}) == []
    assert architecture.too_long({"qjax.a": good + body}) == ["qjax.a.f has 61 lines"]
    assert architecture.too_long({"qjax.a": "\n" * 401}) == ["qjax.a has 401 lines"]
    assert architecture.nameless({"qjax.a.utils": "", "qjax.a.gates": ""}) == [
        "qjax.a.utils"
    ]


BEFORE = """
import pkgutil, importlib, jax
before = dict(jax.config.values)
import qjax
"""
EVERY_MODULE = """
optional = ("qjax.interop", "qjax.network", "qjax.__main__")
for module in pkgutil.walk_packages(qjax.__path__, "qjax."):
    if not module.name.startswith(optional):
        importlib.import_module(module.name)
"""
AFTER = """
after = dict(jax.config.values)
changed = [name for name in before if before[name] != after[name]]
assert not changed, f"importing qjax changed {changed}"
"""


def run_without_backend(code: str) -> subprocess.CompletedProcess:
    # A platform that does not exist turns any start of a backend into an error.
    environment = {"JAX_PLATFORMS": "none_such", "PYTHONPATH": str(SOURCE)}
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True
    )


def test_importing_every_module_starts_no_backend_and_changes_no_setting():
    done = run_without_backend(BEFORE + EVERY_MODULE + AFTER)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("mutant", "says"),
    [
        ("jax.numpy.zeros(2)", "none_such"),
        ("jax.config.update('jax_enable_x64', True)", "changed ['jax_enable_x64']"),
    ],
)
def test_a_module_that_touches_jax_at_import_is_noticed(mutant: str, says: str):
    done = run_without_backend(BEFORE + mutant + AFTER)
    assert done.returncode != 0
    assert says in done.stderr
