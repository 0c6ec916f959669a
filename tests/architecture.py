"""The house rules as functions of source text, so that a test can feed them mutants.

A tree is a mapping from module name (`qjax.circuits.gates`) to source text; a package's
own file is named by the package (`qjax.circuits`). Each rule returns its violations.
"""

import ast
import pathlib
from collections.abc import Iterator, Mapping

Tree = Mapping[str, str]

#: Lowest first; a module imports from lower layers or from its own folder.
LAYERS = (
    (
        "_identity",
        "_types",
        "_checks",
        "_linalg",
        "_decompositions",
        "_memory",
        "statistics",
    ),
    ("circuits", "states", "data"),
    ("noise", "plan"),
    ("network",),
    ("simulate", "gradients"),
    ("geometry",),
    ("mitigation", "optim", "structures", "tomography", "parallel"),
    ("bounds", "models", "interop"),
    ("experiments",),
    ("cli", "__main__"),
)
LEVELS = {part: level for level, layer in enumerate(LAYERS) for part in layer}
TOP = len(LAYERS)  # qjax/__init__.py re-exports from everywhere

#: Packages of a vendor or of an extra, and the one place that may import them.
VENDORS = {
    "pennylane": "interop",
    "qiskit": "interop",
    "cirq": "interop",
    "braket": "interop",
    "tensornetwork": "network",
    "distributed": "parallel",
}

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60


def read_tree(package: pathlib.Path) -> dict[str, str]:
    """All modules below a package's folder."""
    tree = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        tree[name] = path.read_text()
    return tree


def _is_package(tree: Tree, module: str) -> bool:
    return any(other.startswith(f"{module}.") for other in tree)


def _absolute(tree: Tree, module: str, node: ast.ImportFrom) -> str:
    """The module that a `from` statement names, its leading dots resolved."""
    if not node.level:
        return node.module or ""
    drop = node.level - _is_package(tree, module)
    base = module.split(".")[: len(module.split(".")) - drop]
    return ".".join([*base, *([node.module] if node.module else [])])


def imports(tree: Tree, module: str) -> Iterator[tuple[str, ast.stmt]]:
    """Modules that `module` names in import statements, wherever these stand."""
    for node in ast.walk(ast.parse(tree[module])):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node
        elif isinstance(node, ast.ImportFrom):
            source = _absolute(tree, module, node)
            for alias in node.names:
                # `from package import name` means the submodule where there is one.
                full = f"{source}.{alias.name}"
                yield (full if full in tree else source), node


def edges(tree: Tree) -> dict[str, list[str]]:
    """The import graph inside the tree."""
    return {
        module: sorted({name for name, _ in imports(tree, module) if name in tree})
        for module in tree
    }


def _part(module: str) -> str:
    """`circuits` for qjax.circuits.gates; the empty string for qjax itself."""
    return module.partition(".")[2].partition(".")[0]


def _level(module: str) -> int | None:
    return TOP if not _part(module) else LEVELS.get(_part(module))


def layer_violations(tree: Tree) -> list[str]:
    """Imports that do not point to a lower layer or into the module's own folder."""
    found = []
    graph = edges(tree)
    # Modules that lie directly in qjax/ share that folder; packages do not.
    loose = {m for m in tree if m.count(".") == 1 and not _is_package(tree, m)}
    for module, targets in graph.items():
        level = _level(module)
        if level is None:
            found.append(f"{module} belongs to no layer of tests/architecture.py")
            continue
        for target in targets:
            lower = _level(target)
            same_folder = _part(module) == _part(target) or {module, target} <= loose
            allowed = lower is not None and (
                lower < level or (lower == level and same_folder)
            )
            if not allowed:
                found.append(f"{module} (layer {level}) imports {target} ({lower})")
    return found


def cycles(tree: Tree) -> list[str]:
    """One import cycle for each module from which one is reached first."""
    graph = edges(tree)
    done: set[str] = set()
    found = []

    def visit(module: str, path: tuple[str, ...]) -> None:
        if module in path:
            found.append(" -> ".join([*path[path.index(module) :], module]))
        elif module not in done:
            for target in graph[module]:
                visit(target, (*path, module))
            done.add(module)

    for module in graph:
        visit(module, ())
    return found


def _dotted(node: ast.expr) -> str:
    """`a.b.c` for an attribute chain of names, else the empty string."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (head := _dotted(node.value)):
        return f"{head}.{node.attr}"
    return ""


def forbidden(tree: Tree) -> list[str]:
    """Config writes, literal keys, private JAX, postponed annotations, late imports."""
    found = []
    for module in tree:
        for name, node in imports(tree, module):
            where = f"{module}:{node.lineno}"
            if name == "__future__":
                found.append(f"{where} postpones annotations")
            if name == "jax._src" or name.startswith("jax._src."):
                found.append(f"{where} imports {name}")
            home = VENDORS.get(name.partition(".")[0])
            if home is not None and home != _part(module):
                found.append(f"{where} imports {name} outside qjax.{home}")
        for node in ast.walk(ast.parse(tree[module])):
            found += [f"{module}:{line} {what}" for line, what in _bad_node(node)]
    return found


def _bad_node(node: ast.AST) -> Iterator[tuple[int, str]]:
    if isinstance(node, ast.Call):
        called = _dotted(node.func)
        if called.endswith("config.update"):
            yield node.lineno, "writes the configuration of the process"
        makes_key = called.split(".")[-1] in ("key", "PRNGKey")
        if makes_key and node.args and isinstance(node.args[0], ast.Constant):
            yield node.lineno, "makes a key from a literal"
    elif isinstance(node, ast.Attribute) and _dotted(node).startswith("jax._src"):
        yield node.lineno, "uses jax._src"
    elif isinstance(node, ast.Assign | ast.AugAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for target in targets:
            if _dotted(target).startswith("jax.config."):
                yield node.lineno, "writes the configuration of the process"
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        for inner in ast.walk(node):
            if isinstance(inner, ast.Import | ast.ImportFrom):
                yield inner.lineno, f"imports inside {node.name}()"


def _body_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from `def` to the end, without the docstring."""
    assert node.end_lineno is not None
    lines = node.end_lineno - node.lineno + 1
    first = node.body[0]
    if ast.get_docstring(node, clean=False) is not None:
        assert first.end_lineno is not None
        lines -= first.end_lineno - first.lineno + 1
    return lines


def too_long(tree: Tree) -> list[str]:
    """Files and functions over the limits."""
    found = []
    for module, source in tree.items():
        lines = len(source.splitlines())
        if lines > MAX_FILE_LINES:
            found.append(f"{module} has {lines} lines")
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = _body_lines(node)
                if lines > MAX_FUNCTION_LINES:
                    found.append(f"{module}.{node.name} has {lines} lines")
    return found


def nameless(tree: Tree) -> list[str]:
    """Files whose name says that a name is missing."""
    catch_all = {"util", "utils", "helper", "helpers", "misc", "common"}
    return [module for module in tree if module.split(".")[-1] in catch_all]
