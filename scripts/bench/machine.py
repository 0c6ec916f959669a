"""Where numbers come from: processor, memory, versions, state of the sources."""

import hashlib
import os
import pathlib
import platform

from qjax.experiments.provenance import git_state

ROOT = pathlib.Path(__file__).resolve().parents[2]
# What decides the numbers of this project's side, and how all sides are measured.
SOURCES = ("qjax", "scripts/bench")


def processor() -> str:
    """Model name, or what the operating system calls the processor."""
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    fields = dict(line.split(":", 1) for line in lines if ":" in line)
    named = {key.strip(): value.strip() for key, value in fields.items()}
    vector = "AVX-512" if "avx512f" in named.get("flags", "") else "no AVX-512"
    family = f"family {named.get('cpu family')} model {named.get('model')}"
    return f"{named.get('model name')}, {family}, {vector}"


def fingerprint() -> str:
    """Hash of the sources: numbers of other sources are measured again."""
    digest = hashlib.sha256()
    for folder in SOURCES:
        for path in sorted((ROOT / folder).rglob("*.py")):
            digest.update(path.relative_to(ROOT).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def describe() -> dict:
    commit, dirty = git_state(ROOT)
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 2**30, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "commit": commit,
        "dirty": dirty,
        "sources": fingerprint(),
    }
