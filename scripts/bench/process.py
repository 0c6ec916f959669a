"""Worker processes: one thread each, on one core, spoken to in JSON lines."""

import json
import os
import pathlib
import selectors
import subprocess
import sys
import tempfile
from typing import Any

ROOT = pathlib.Path(__file__).resolve().parents[2]

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "QULACS_NUM_THREADS",
    "NUMBA_NUM_THREADS",
)


class Died(Exception):
    """The worker ended or did not answer in time; the message says which."""


def environment(precision: str) -> dict[str, str]:
    return {
        **os.environ,
        **dict.fromkeys(THREAD_VARIABLES, "1"),
        "XLA_FLAGS": " ".join(
            [
                os.environ.get("XLA_FLAGS", ""),
                "--xla_cpu_multi_thread_eigen=false",
                "intra_op_parallelism_threads=1",
            ]
        ).strip(),
        "JAX_PLATFORMS": "cpu",
        "JAX_ENABLE_COMPILATION_CACHE": "false",
        "JAX_ENABLE_X64": "1" if precision == "double" else "0",
        "PYTHONPATH": str(ROOT),
    }


def without_places(reason: str) -> str:
    """A message without the folders of this machine, fit for a tracked file."""
    return reason.replace(str(ROOT), ".").replace(sys.prefix, ".venv")


class Worker:
    """A side of a case in a process of its own; `ready` is its first answer."""

    def __init__(
        self,
        side: str,
        case: str,
        precision: str,
        arrays: pathlib.Path,
        core: int,
        patience: float,
    ):
        self.side, self.arrays, self.patience = side, arrays, patience
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "scripts.bench.worker",
                side,
                case,
                precision,
                str(arrays),
                str(core),
            ],
            cwd=ROOT,
            env=environment(precision),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
        )
        self.ready: dict[str, Any]
        try:
            self.ready = self._answer()
        except Died as reason:
            self.ready = {"status": "failed", "reason": str(reason)}
        if "reason" in self.ready:
            self.ready["reason"] = without_places(self.ready["reason"])
        if self.ready["status"] != "ready":
            self.close()

    def ask(self, command: str, **rest: Any) -> dict:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"command": command, **rest}) + "\n")
        self.process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict:
        assert self.process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            if not selector.select(self.patience):
                self.close()
                raise Died(f"no answer within {self.patience:.0f} s")
        line = self.process.stdout.readline()
        if not line:
            code = self.process.wait()
            self.log.seek(0)
            tail = self.log.read()[-300:]
            self.close()
            raise Died(f"the process ended with code {code}: {tail}")
        return json.loads(line)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.log):
            if stream is not None:
                stream.close()

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
