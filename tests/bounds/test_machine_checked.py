"""A theorem counts as machine-checked only while Coq's record matches its sources."""

import json
import pathlib
import re
import shutil

import numpy as np
import pytest

from qjax.bounds.machine import machine_checked, machine_theorems
from scripts import compile_proofs

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "proofs" / "coq"
SOURCES = sorted(path.name for path in FOLDER.glob("*.v"))
needs_coq = pytest.mark.skipif(shutil.which("coqc") is None, reason="needs Coq")


@pytest.fixture
def copy(tmp_path) -> pathlib.Path:
    """A copy of the shipped proofs that a test may spoil."""
    return pathlib.Path(shutil.copytree(FOLDER, tmp_path / "coq"))


def change(path: pathlib.Path, old: str, new: str) -> None:
    """Replace the first `old`, which must be there: a mutant that changes nothing
    proves nothing."""
    text = path.read_text()
    assert old in text, old
    path.write_text(text.replace(old, new, 1))


def closed(folder: pathlib.Path) -> set[str]:
    names = machine_theorems(folder=folder)
    return {name for name in names if machine_checked(name, folder=folder).closed}


def theorems_of(file: str) -> set[str]:
    listed = json.loads((FOLDER / "theorems.json").read_text())["theorems"]
    return {name for name, entry in listed.items() if entry["file"] == file}


def compile_folder(folder: pathlib.Path, *options: str) -> int:
    build, record = folder.parent / "build", folder.parent / "new.json"
    where = ["--folder", folder, "--build", build, "--record", record]
    return compile_proofs.main([*map(str, where), *options])


# What is shipped.


def test_every_listed_theorem_is_machine_checked_by_the_shipped_record():
    names = machine_theorems()
    assert len(names) >= 40
    for name in names:
        check = machine_checked(name)
        assert check.closed, name
        assert re.fullmatch(
            r"machine-checked \(Coq [\d.]+, record of \d{4}-\d\d-\d\d\)", check.note
        )
        assert check.claim and check.statement


def test_the_list_has_exactly_the_theorems_of_the_sources():
    written = {
        name
        for file in SOURCES
        for name in re.findall(r"^Theorem ([\w']+)", (FOLDER / file).read_text(), re.M)
    }
    assert written == set(machine_theorems())


def test_only_axioms_of_coqs_own_library_are_assumed():
    allowed = {
        "ClassicalDedekindReals.sig_forall_dec",
        "ClassicalDedekindReals.sig_not_dec",
        "Classical_Prop.classic",
        "FunctionalExtensionality.functional_extensionality_dep",
    }
    for name in machine_theorems():
        assert set(machine_checked(name).assumptions) <= allowed


@pytest.mark.parametrize("file", SOURCES)
def test_no_source_assumes_anything(file: str):
    assert compile_proofs.forbidden_words((FOLDER / file).read_text()) == []


def test_the_recorded_statement_covers_the_full_domain():
    # What Coq printed, so that a weaker theorem under the old name is noticed.
    statement = {name: machine_checked(name).statement for name in machine_theorems()}
    assert statement["core_inequality"].startswith(
        "forall alpha beta : R, 0 < alpha -> 0 <= beta -> alpha + beta <= 1 -> "
    )
    assert statement["capacity_below_square"].startswith("forall x : R, 0 <= x <= 1 ->")
    assert statement["exponential_chord"] == (
        "forall y : R, 0 <= y <= 1 / 2 -> - ln (1 - y) <= 2 * ln 2 * y"
    )


def test_a_name_that_coq_could_not_have_is_refused():
    with pytest.raises(ValueError, match="name of a theorem"):
        machine_checked("core inequality")


# Spoiled copies.


def test_an_untouched_copy_is_checked(copy):
    assert closed(copy) == set(machine_theorems())


@pytest.mark.parametrize("file", SOURCES)
def test_a_changed_source_is_not_checked(copy, file: str):
    (copy / file).write_text((copy / file).read_text() + "(* later *)\n")
    record = json.loads((copy / "record.json").read_text())
    lost = {file} | {f for f, e in record["files"].items() if file in e["requires"]}
    expected = set().union(*map(theorems_of, lost))
    assert closed(copy) == set(machine_theorems()) - expected
    for name in expected:
        assert machine_checked(name, folder=copy).note == "not checked here"


def test_a_changed_requirement_reopens_what_rests_on_it(copy):
    change(copy / "scalar_base.v", "xlnx_0 : xlnx 0 = 0", "xlnx_0 : xlnx 0 = 1")
    assert not machine_checked("core_inequality", folder=copy).closed
    assert not machine_checked("joint_convexity", folder=copy).closed
    assert machine_checked("bernoulli", folder=copy).closed


SPOILED = {
    "missing source": lambda place: (place / "bernoulli.v").unlink(),
    "missing record": lambda place: (place / "record.json").unlink(),
    "broken record": lambda place: (place / "record.json").write_text("{"),
    "record of another kind": lambda place: (place / "record.json").write_text("[]"),
    "missing list": lambda place: (place / "theorems.json").unlink(),
    "not proved": lambda place: change(
        place / "record.json", '"bernoulli": {', '"bernouilli": {'
    ),
    "foreign axiom": lambda place: change(
        place / "theorems.json", "ClassicalDedekindReals.sig_forall_dec", "other"
    ),
    "another file": lambda place: change(
        place / "theorems.json", '"file": "bernoulli.v"', '"file": "rotation.v"'
    ),
}


@pytest.mark.parametrize("how", SPOILED)
def test_a_spoiled_folder_is_not_checked(copy, how: str):
    assert machine_checked("bernoulli", folder=copy).closed
    SPOILED[how](copy)
    for name in theorems_of("bernoulli.v") & set(machine_theorems(folder=copy)):
        if how not in ("another file", "not proved") or name == "bernoulli":
            assert not machine_checked(name, folder=copy).closed
    assert machine_checked("bernoulli", folder=copy).note == "not checked here"


# The compile script, without Coq.

CHEATS = [
    "Lemma a : False. Admitted.",
    "Lemma a : False. Proof. admit. Qed.",
    "Axiom a : False.",
    "Axioms a b : False.",
    "Parameter a : False.",
    "Conjecture a : False.",
    "Hypothesis a : False.",
    "Variables a b : nat.",
    "Context (a : False).",
    "Unset Guard\n  Checking.",
    "#[bypass_check(guard)] Fixpoint f (n : nat) : False := f n.",
    'Load "elsewhere".',
    "(* opened (* nested *) closed *) Axiom a : False.",
    'Definition s := "(*". Axiom a : False. (* *)',
]


@pytest.mark.parametrize("cheat", CHEATS)
def test_a_source_that_assumes_is_refused(copy, cheat: str, capsys):
    with (copy / "bernoulli.v").open("a") as file:
        file.write(cheat + "\n")
    assert compile_folder(copy) == 1
    assert "bernoulli.v must prove" in capsys.readouterr().err
    assert not (copy.parent / "new.json").exists()


@pytest.mark.parametrize(
    "innocent",
    [
        "(* Axiom a : False. *)",
        "(* (* *) Admitted. *)",
        "Lemma admitted_states : True. Proof. exact I. Qed.",
        '(* "*)" Axiom *)',
    ],
)
def test_words_in_comments_and_longer_names_are_no_offence(innocent: str):
    assert compile_proofs.forbidden_words(innocent) == []


def test_what_a_file_requires_is_read_and_cannot_be_hidden():
    text = "From QjaxProofs Require Import a\n  b_c.\n(* From QjaxProofs *)"
    assert compile_proofs.required_files(text) == ["a.v", "b_c.v"]
    for hidden in (
        "Require Import QjaxProofs.a.",
        "From QjaxProofs Require Export a.",
        "From QjaxProofs Require a.",
    ):
        with pytest.raises(compile_proofs.ProofError, match="only as"):
            compile_proofs.required_files(hidden)


def test_circles_and_gaps_among_the_files_are_refused(copy, capsys):
    change(copy / "scalar_base.v", "Open", "From QjaxProofs Require Import bernoulli.")
    assert next(iter(compile_proofs.read_sources(copy))) == "bernoulli.v"
    change(copy / "bernoulli.v", "Open", "From QjaxProofs Require Import scalar_base.")
    assert compile_folder(copy) == 1
    assert "require each other" in capsys.readouterr().err
    (copy / "scalar_base.v").unlink()
    assert compile_folder(copy) == 1
    assert "not there: ['scalar_base.v']" in capsys.readouterr().err


def test_a_bad_set_up_has_an_exit_code_of_its_own(copy, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    for options in ((), ("--install",)):
        assert compile_folder(copy, *options) == 2
        assert capsys.readouterr().err.startswith("Coq is missing")
    (copy / "theorems.json").write_text('{"theorems": {"a": {"file": "b.v"}}}')
    assert compile_folder(copy) == 2
    assert "a file and a claim" in capsys.readouterr().err


def test_assumptions_are_read_from_coqs_answer():
    answer = (
        "Axioms:\nA.first : forall P : Prop,\n  {P} + {~ P}\n"
        "A.second\n  : forall x : nat,\n    x = x\nloop is assumed to be guarded.\n"
    )
    # Whatever the kernel was told to believe counts, not only axioms.
    assert compile_proofs.assumptions_in(answer) == ["A.first", "A.second", "loop"]
    assert compile_proofs.assumptions_in("Closed under the global context\n") == []


# What the theorems talk about.


def test_the_form_in_the_certificate_is_the_channels_choi_matrix():
    # Coq's arithmetic is Python's: evaluate the definition as it stands in the source.
    text = (FOLDER / "damping_certificate.v").read_text()
    found = re.search(
        r"Definition choi_form [^:]*: R\) : R :=(.*?)\.\s*\n\n", text, re.S
    )
    assert found is not None
    gamma, e, c = 0.3, 0.2, 0.6
    kept, lost = np.sqrt(1 - gamma), np.sqrt(gamma)
    cold, hot = np.sqrt(1 - e), np.sqrt(e)
    kraus = [
        cold * np.diag([1, kept]),
        cold * np.array([[0, lost], [0, 0]]),
        hot * np.diag([kept, 1]),
        hot * np.array([[0, 0], [lost, 0]]),
    ]
    dephase = np.array([[1, c / kept], [c / kept, 1]])
    choi = np.zeros((2, 2, 2, 2))
    for i in range(2):
        for j in range(2):
            unit = np.outer(np.eye(2)[i], np.eye(2)[j])
            choi[i, :, j, :] = dephase * sum(k @ unit @ k.T for k in kraus)
    transposed = choi.transpose(0, 3, 2, 1).reshape(4, 4)
    v = np.array([1.0, -2.0, 3.0, 0.5])
    names = "gamma e c v00 v01 v10 v11".split()
    values: dict[str, float] = dict(
        zip(names, (gamma, e, c, *map(float, v)), strict=True)
    )
    value = eval(" ".join(found[1].split()), {}, values)
    assert value == pytest.approx(v @ transposed @ v, abs=1e-12)
    # Without the partial transpose it would be another form.
    assert abs(value - v @ choi.reshape(4, 4) @ v) > 1


# With Coq.


def only_bernoulli(folder: pathlib.Path) -> None:
    for path in folder.glob("*.v"):
        if path.name != "bernoulli.v":
            path.unlink()
    claims = json.loads((folder / "theorems.json").read_text())
    kept = {n: t for n, t in claims["theorems"].items() if t["file"] == "bernoulli.v"}
    (folder / "theorems.json").write_text(json.dumps({**claims, "theorems": kept}))


WRONG = {
    "a false theorem": ("bernoulli.v", "1 - INR n * e <=", "1 - INR n * e / 2 <="),
    "a false domain": ("bernoulli.v", "0 <= e <= 1 -> 1 -", "0 <= e -> 1 -"),
    "an unproved name": ("bernoulli.v", "Theorem bernoulli", "Theorem bernouilli"),
    "an axiom too many": ("theorems.json", "FunctionalExtensionality", "Other"),
}


@needs_coq
@pytest.mark.slow
@pytest.mark.parametrize("how", WRONG)
def test_coq_refuses_what_is_not_proved(copy, how: str):
    only_bernoulli(copy)
    assert compile_folder(copy) == 0
    assert json.loads((copy.parent / "new.json").read_text())["theorems"]
    (copy.parent / "new.json").unlink()
    file, old, new = WRONG[how]
    change(copy / file, old, new)
    assert compile_folder(copy) == 1
    assert not (copy.parent / "new.json").exists()


@needs_coq
@pytest.mark.slow
def test_coq_proves_every_theorem_again_with_the_recorded_statement(copy):
    assert compile_folder(copy) == 0
    fresh = json.loads((copy.parent / "new.json").read_text())
    shipped = json.loads((FOLDER / "record.json").read_text())
    assert list(fresh["theorems"]) == list(shipped["theorems"])
    digests = [
        {name: file["sha256"] for name, file in record["files"].items()}
        for record in (fresh, shipped)
    ]
    assert digests[0] == digests[1]
    if fresh["coq"] == shipped["coq"]:
        # Other versions may print the same statement in another way.
        assert fresh["theorems"] == shipped["theorems"]
    shutil.copy(copy.parent / "new.json", copy / "record.json")
    assert closed(copy) == set(machine_theorems())
