"""Where a row comes from: versions, git id, machine, date."""

import dataclasses
import datetime
import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path

import jax
import jaxlib
import numpy as np

from qjax.experiments.experiment import Experiment, Size


@dataclasses.dataclass(frozen=True)
class Provenance:
    """What is recorded with every cell. None of it is in the cell's hash.

    Args:
        size: Size of the run that computed the cell.
        dtypes: Declared types of the computation, joined by commas.
        qjax: Version of qjax.
        python: Version of Python.
        jax: Version of jax.
        jaxlib: Version of jaxlib.
        numpy: Version of NumPy.
        git: Commit of the checkout, empty outside one.
        dirty: Whether tracked files differ from that commit.
        platform: Operating system and processor.
        device: JAX platform and device kind.
        threads: Processor cores the process may use.
        xla_flags: The environment's XLA_FLAGS.
        date: Time of storage, UTC, in seconds.
        seconds: Wall-clock time of the cell, compilation included.
    """

    size: str
    dtypes: str
    qjax: str
    python: str
    jax: str
    jaxlib: str
    numpy: str
    git: str
    dirty: bool
    platform: str
    device: str
    threads: int
    xla_flags: str
    date: str
    seconds: float


def git_state(folder: Path) -> tuple[str, bool]:
    """Commit id and whether tracked files are changed; ("", False) without git."""
    prefix = ["git", "-C", str(folder)]
    try:
        head = subprocess.run(
            [*prefix, "rev-parse", "HEAD"], capture_output=True, text=True, check=True
        )
        status = subprocess.run(
            [*prefix, "status", "--porcelain", "--untracked-files=no"],
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return "", False
    return head.stdout.strip(), bool(status.stdout.strip())


def qjax_version() -> str:
    """Version of the installed distribution, or "source" for a bare checkout."""
    try:
        return importlib.metadata.version("qjax-simulator")
    except importlib.metadata.PackageNotFoundError:
        return "source"


def machine_provenance(experiment: Experiment, size: Size, folder: Path) -> Provenance:
    """The provenance of a run; `at` completes it for one cell."""
    commit, dirty = git_state(folder)
    device = jax.devices()[0]
    affinity = getattr(os, "sched_getaffinity", None)
    threads = len(affinity(0)) if affinity is not None else os.cpu_count() or 1
    return Provenance(
        size=size,
        dtypes=",".join(experiment.dtypes),
        qjax=qjax_version(),
        python=platform.python_version(),
        jax=jax.__version__,
        jaxlib=jaxlib.__version__,
        numpy=np.__version__,
        git=commit,
        dirty=dirty,
        platform=f"{platform.system()} {platform.machine()}",
        device=f"{device.platform} {device.device_kind}",
        threads=threads,
        xla_flags=os.environ.get("XLA_FLAGS", ""),
        date="",
        seconds=0.0,
    )


def at(provenance: Provenance, seconds: float) -> dict:
    """The provenance of one cell, as stored."""
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    stamped = dataclasses.replace(provenance, date=now, seconds=round(seconds, 3))
    return dataclasses.asdict(stamped)
