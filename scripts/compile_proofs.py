"""Compile the machine-checked proofs and write down what was proved.

Exit codes: 0 all is proved, 1 a proof failed or is refused, 2 the set-up is bad. Needs
Python's standard library, Coq and Coquelicot, nothing else; `--install` fetches the
last two with apt-get.
"""

import argparse
import dataclasses
import datetime
import graphlib
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

SOURCE = pathlib.Path(__file__).resolve().parents[1]
PACKAGES = ("coq", "libcoq-coquelicot")
LOGICAL = "QjaxProofs"
# Coquelicot's own coercions cause this warning in every file that loads it.
FOLDER = ("-Q", ".", LOGICAL)
COQC = ("coqc", "-q", "-w", "-ambiguous-paths", *FOLDER)
COQCHK = ("coqchk", "-silent", "-o", *FOLDER)
LIMIT_S = 300
STALE = {".v", ".vo", ".vok", ".vos", ".glob", ".aux"}

# Ways to assume instead of to prove, to switch the kernel's checks off, or to read
# something that the record does not hash. `Print Assumptions` is the real test: these
# make the fault readable before anything is compiled.
FORBIDDEN = re.compile(
    r"\b(?:Admitted|admit|give_up|Axioms?|Parameters?|Conjectures?|Hypothes[ie]s"
    r"|Variables?|Context|Guard\s+Checking|Positivity\s+Checking|Universe\s+Checking"
    r"|bypass_check|Primitive|Load|LoadPath|ML\s+Module|Redirect|Extraction)\b"
)
REQUIRE = re.compile(rf"\bFrom\s+{LOGICAL}\s+Require\s+Import\s+([\w\s]+?)\.")
MARK = "=== "


class ProofError(Exception):
    """A proof is refused or does not compile (exit code 1)."""


class SetupError(Exception):
    """The proofs cannot be compiled on this machine (exit code 2)."""


@dataclasses.dataclass(frozen=True)
class Compiled:
    """One file: the files it needs, directly or not, and the time it took."""

    sha256: str
    requires: tuple[str, ...]
    seconds: float


def without_comments(text: str) -> str:
    """The text with every comment, nested ones included, replaced by one blank."""
    kept, depth, position = [], 0, 0
    for token in re.finditer(r'\(\*|\*\)|"', text):
        if token.start() < position:
            continue
        if depth == 0:
            kept.append(text[position : token.start()])
        position = token.end()
        if token[0] == '"':
            closing = text.find('"', position)
            end = len(text) if closing < 0 else closing + 1
            kept.append(text[token.start() : end] if depth == 0 else "")
            position = end
        elif token[0] == "(*":
            depth += 1
            kept.append(" ")
        else:
            depth = max(0, depth - 1)
    if depth == 0:
        kept.append(text[position:])
    return "".join(kept)


def forbidden_words(text: str) -> list[str]:
    """Words outside comments that assume something or weaken the kernel."""
    found = FORBIDDEN.finditer(without_comments(text))
    return sorted({" ".join(match[0].split()) for match in found})


def required_files(text: str) -> list[str]:
    """Files of this folder that a source requires.

    Raises:
        ProofError: If it names the folder in another way, which would hide a file from
            the record's hashes.
    """
    code = without_comments(text)
    clauses = REQUIRE.findall(code)
    if len(re.findall(rf"\b{LOGICAL}\b", code)) != len(clauses):
        rule = f"must be named only as `From {LOGICAL} Require Import ...`"
        raise ProofError(f"Files of proofs/coq {rule}.")
    return [f"{name}.v" for clause in clauses for name in clause.split()]


def read_sources(folder: pathlib.Path) -> dict[str, str]:
    """File name to text, for sources free of forbidden words, in compiling order."""
    texts = {path.name: path.read_text() for path in sorted(folder.glob("*.v"))}
    if not texts:
        raise SetupError(f"There are no proofs (*.v) in {folder}.")
    for name, text in texts.items():
        words = forbidden_words(text)
        if words:
            raise ProofError(f"{name} must prove, not assume, but has {words}.")
    graph = {name: required_files(text) for name, text in texts.items()}
    missing = {need for needs in graph.values() for need in needs} - set(texts)
    if missing:
        raise ProofError(f"Required, but not there: {sorted(missing)}.")
    try:
        order = tuple(graphlib.TopologicalSorter(graph).static_order())
    except graphlib.CycleError as error:
        raise ProofError(f"Files require each other: {error.args[1]}.") from error
    return {name: texts[name] for name in order}


def read_claims(folder: pathlib.Path) -> dict:
    """theorems.json: the theorems to check, and the assumptions they may have."""
    path = folder / "theorems.json"
    try:
        claims = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise SetupError(f"{path} cannot be read: {error}.") from error
    theorems = claims.get("theorems", {}).values()
    if not theorems or not all({"file", "claim"} <= set(entry) for entry in theorems):
        raise SetupError(f"{path} must give every theorem a file and a claim.")
    return claims


def run_coq(command: list[str], build: pathlib.Path) -> subprocess.CompletedProcess:
    """Run a program of Coq in the build folder; a failure is a failed proof."""
    try:
        done = subprocess.run(
            command, cwd=build, capture_output=True, text=True, timeout=LIMIT_S
        )
    except subprocess.TimeoutExpired as error:
        raise ProofError(f"{' '.join(command)} took over {LIMIT_S} s.") from error
    if done.returncode:
        raise ProofError(f"{' '.join(command)}\n{(done.stdout + done.stderr).strip()}")
    return done


def compile_sources(
    sources: dict[str, str], build: pathlib.Path
) -> dict[str, Compiled]:
    """Compile every file in a copy, so that nothing lands beside the sources."""
    build.mkdir(parents=True, exist_ok=True)
    for path in build.iterdir():
        if path.suffix in STALE:
            path.unlink()
    compiled: dict[str, Compiled] = {}
    for name, text in sources.items():
        (build / name).write_text(text)
        started = time.perf_counter()
        run_coq([*COQC, name], build)
        seconds = time.perf_counter() - started
        direct = required_files(text)
        needs = set(direct).union(*(compiled[need].requires for need in direct))
        digest = hashlib.sha256((build / name).read_bytes()).hexdigest()
        compiled[name] = Compiled(digest, tuple(sorted(needs)), round(seconds, 2))
    return compiled


def assumptions_in(answer: str) -> list[str]:
    """Names in an answer of `Print Assumptions`; its types are indented."""
    if "Closed under the global context" in answer:
        return []
    lines = [line for line in answer.splitlines() if re.match(r"[^\s:]+(\s|$)", line)]
    return sorted(line.split()[0] for line in lines)


def inspect(file: str, names: list[str], build: pathlib.Path) -> dict[str, dict]:
    """Statement and assumptions of theorems of one compiled file."""
    module = file.removesuffix(".v")
    lines = [
        "Require Import Reals List.",
        f"From {LOGICAL} Require Import {module}.",
        "Open Scope R_scope. Set Printing Width 88.",
    ]
    for name in names:
        full = f"{LOGICAL}.{module}.{name}"
        say = "Goal True. idtac {}. Abort."
        lines += [say.format(f'"{MARK}{name}"'), f"Check {full}."]
        lines += [say.format(f'"{MARK}"'), f"Print Assumptions {full}."]
    check = f"check_{module}.v"
    (build / check).write_text("\n".join(lines) + "\n")
    printed = run_coq([*COQC, check], build).stdout
    answers = re.split(rf"^{MARK}", printed, flags=re.M)[1:]
    found = {}
    for name, stated, assumed in zip(names, answers[::2], answers[1::2], strict=True):
        statement = " ".join(stated.partition("\n")[2].split()).partition(" : ")[2]
        found[name] = {
            "file": file,
            "statement": statement,
            "assumptions": assumptions_in(assumed),
        }
    return found


def recheck(files: list[str], build: pathlib.Path) -> None:
    """Have Coq's separate checker read the compiled files again."""
    modules = [f"{LOGICAL}.{file.removesuffix('.v')}" for file in files]
    wanted = [part for module in modules for part in ("-norec", module)]
    # Its summary goes to the error stream.
    summary = run_coq([*COQCHK, *wanted], build).stderr
    for weakness in ("type-in-type", "unsafe (co)fixpoints", "positivity is assumed"):
        if not re.search(rf"{re.escape(weakness)}: <none>", summary):
            raise ProofError(f"coqchk reports {weakness}:\n{summary}")


def check(folder: pathlib.Path, build: pathlib.Path, version: str) -> dict:
    """Compile the folder's proofs and return the record of what they prove."""
    started = time.perf_counter()
    claims, sources = read_claims(folder), read_sources(folder)
    compiled = compile_sources(sources, build)
    recheck(list(compiled), build)
    theorems: dict[str, dict] = {}
    for file in sorted({theorem["file"] for theorem in claims["theorems"].values()}):
        if file not in compiled:
            raise ProofError(f"theorems.json names {file}, which is not there.")
        listed = claims["theorems"].items()
        names = [name for name, theorem in listed if theorem["file"] == file]
        theorems |= inspect(file, names, build)
    for name, theorem in theorems.items():
        foreign = set(theorem["assumptions"]) - set(claims.get("assumptions", {}))
        if foreign:
            raise ProofError(f"{name} assumes {sorted(foreign)}.")
    return {
        "coq": version,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "seconds": round(time.perf_counter() - started, 1),
        "files": {name: dataclasses.asdict(file) for name, file in compiled.items()},
        "theorems": theorems,
    }


def write_whole(path: pathlib.Path, record: dict) -> None:
    """Write the record so that a reader sees the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".json.part")
    try:
        with os.fdopen(handle, "w") as file:
            file.write(json.dumps(record, indent=2) + "\n")
        pathlib.Path(temporary).chmod(0o644)
        os.replace(temporary, path)
    finally:
        pathlib.Path(temporary).unlink(missing_ok=True)


def coq_version(build: pathlib.Path, install: bool) -> str:
    """Coq's version, after installing it where that is wanted and possible."""
    wish = f"`apt-get install {' '.join(PACKAGES)}`"
    if shutil.which("coqc") is None and install:
        if os.geteuid() != 0 or shutil.which("apt-get") is None:
            raise SetupError(f"Coq is missing; as root on Debian, run {wish}.")
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for step in (["update", "-qq"], ["install", "-y", "-qq", *PACKAGES]):
            done = subprocess.run(["apt-get", *step], env=quiet, stdout=sys.stderr)
            if done.returncode:
                raise SetupError(f"`apt-get {' '.join(step)}` failed.")
    if shutil.which("coqc") is None or shutil.which("coqchk") is None:
        raise SetupError(f"Coq is missing; run {wish} or use --install.")
    build.mkdir(parents=True, exist_ok=True)
    (build / "probe.v").write_text("From Coquelicot Require Import Coquelicot.\n")
    try:
        run_coq([*COQC, "probe.v"], build)
    except ProofError as error:
        raise SetupError(f"Coquelicot is missing; run {wish}.") from error
    printed = subprocess.run(
        ["coqc", "--print-version"], capture_output=True, text=True, check=True
    )
    return printed.stdout.split()[0]


def main(arguments: list[str] | None = None) -> int:
    """Compile, record, and report in one line each."""
    parser = argparse.ArgumentParser(description=__doc__)
    folder = SOURCE / "proofs" / "coq"
    parser.add_argument("--folder", type=pathlib.Path, default=folder)
    parser.add_argument("--build", type=pathlib.Path, default=SOURCE / "build" / "coq")
    parser.add_argument("--record", type=pathlib.Path, help="default: in the folder")
    parser.add_argument("--install", action="store_true", help="apt-get what lacks")
    chosen = parser.parse_args(arguments)
    try:
        # Before anything is installed: a refused source needs no Coq.
        read_claims(chosen.folder)
        read_sources(chosen.folder)
        version = coq_version(chosen.build, chosen.install)
        record = check(chosen.folder, chosen.build, version)
        write_whole(chosen.record or chosen.folder / "record.json", record)
    except ProofError as error:
        print(error, file=sys.stderr)
        return 1
    except (SetupError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    count, files = len(record["theorems"]), len(record["files"])
    print(f"{count} theorems in {files} files, Coq {version}, {record['seconds']} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
