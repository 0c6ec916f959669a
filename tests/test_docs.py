"""The examples in README and docs run, and the modules they speak of exist."""

import importlib
import importlib.util
import pathlib
import re

import pytest

SOURCE = pathlib.Path(__file__).resolve().parents[1]
PAGES = [SOURCE / "README.md", *sorted((SOURCE / "docs").rglob("*.md"))]
RUNNABLE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NAMES = re.compile(r"`(qjax(?:\.[A-Za-z_]\w*)+)`")


def resolves(dotted: str) -> bool:
    """Whether a dotted name is a module, or a name in one."""
    head, _, last = dotted.rpartition(".")
    if not head:
        return importlib.util.find_spec(dotted) is not None
    if not resolves(head):
        return False
    parent = importlib.import_module(head)
    return hasattr(parent, last) or importlib.util.find_spec(dotted) is not None


def page_id(page: pathlib.Path) -> str:
    return page.relative_to(SOURCE).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_the_examples_of_a_page_run_in_order(page: pathlib.Path):
    namespace: dict[str, object] = {"__name__": "example"}
    for block in RUNNABLE.finditer(page.read_text()):
        # Line numbers of a failure are those of the page.
        lines_before = page.read_text()[: block.start(1)].count("\n")
        exec(compile("\n" * lines_before + block[1], page, "exec"), namespace)


def test_the_readme_has_an_example():
    assert RUNNABLE.search((SOURCE / "README.md").read_text())


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_the_modules_a_page_names_exist(page: pathlib.Path):
    named = set(NAMES.findall(page.read_text()))
    assert {name for name in named if not resolves(name)} == set()


def test_a_module_that_does_not_exist_is_noticed():
    assert resolves("qjax.circuits.Circuit")
    assert not resolves("qjax.circuits.no_such_gate")
    assert not resolves("qjax.no_such_module.gate")


def test_every_file_a_page_links_to_exists():
    links = re.compile(r"\]\((?!https?:)([^)#]+)")
    missing = [
        f"{page_id(page)}: {target}"
        for page in [*PAGES, SOURCE / "CONTRIBUTING.md"]
        for target in links.findall(page.read_text())
        if not (page.parent / target).exists()
    ]
    assert missing == []
