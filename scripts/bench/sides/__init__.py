"""The sides of the comparison: which module, package and tasks each one has.

The modules import their packages at the top, so only a worker process loads them.
"""

import dataclasses
import importlib
import importlib.metadata
import importlib.util
from types import ModuleType

from scripts.bench.workloads import Case

BATCHES = ("batch_values", "batch_gradient")
SAMPLES = ("sample", "batch_sample")
CHAINS = ("chain_values", "chain_gradient")
SHOTS = ("counts", "indices", "bits")
"""What samplers hand out; only like is compared with like."""


@dataclasses.dataclass(frozen=True)
class Side:
    """One configuration of one simulator."""

    name: str
    module: str
    imports: str
    package: str
    tasks: tuple[str, ...]
    variant: str = ""
    precisions: tuple[str, ...] = ("single", "double")
    # Wider registers are left out for these tasks: compile times beyond patience, or
    # nothing to learn.
    max_wires: int = 64
    random: bool = True
    # Differs from another side by the time of its first call only.
    first_calls_only: bool = False
    # Of a sampler: one of SHOTS.
    shots: str = ""

    @property
    def family(self) -> str:
        """Name of the simulator, whatever the configuration."""
        return self.name.split(":")[0]

    def takes(self, case: Case) -> bool:
        fits = case.task in self.tasks and case.num_wires <= self.max_wires
        if self.first_calls_only and case.workload != "FC":
            return False
        return fits and (self.random or not case.pairs)

    def gives(self, case: Case) -> str:
        """What a sampler hands out; empty where all sides compute the same thing."""
        return self.shots if case.task in SAMPLES else ""

    def installed(self) -> bool:
        return importlib.util.find_spec(self.imports) is not None

    def version(self) -> str:
        return importlib.metadata.version(self.package)

    def load(self) -> ModuleType:
        return importlib.import_module(f"scripts.bench.sides.{self.module}")


def _side(name: str, module: str, package: str, tasks: tuple[str, ...], **rest) -> Side:
    variant = name.partition(":")[2]
    imports = rest.pop("imports", package.replace("-", "_"))
    return Side(name, f"{module}_side", imports, package, tasks, variant, **rest)


_ALL = [
    _side(
        "qjax",
        "qjax",
        "qjax-simulator",
        (
            "state",
            "gradient",
            *BATCHES,
            "density",
            "trajectories",
            "metric",
            *CHAINS,
            "chain_compile",
        ),
        imports="qjax",
    ),
    *(
        _side(
            f"qjax:{shots}",
            "qjax",
            "qjax-simulator",
            SAMPLES,
            imports="qjax",
            shots=shots,
        )
        for shots in SHOTS
    ),
    _side(
        "qjax:template",
        "qjax",
        "qjax-simulator",
        ("gradient",),
        imports="qjax",
        first_calls_only=True,
    ),
    _side(
        "qulacs:plain",
        "qulacs",
        "qulacs",
        ("state", "gradient", "batch_values", *SAMPLES, "density", "trajectories"),
        precisions=("double",),
        shots="indices",
    ),
    *(
        _side(
            f"qulacs:{variant}",
            "qulacs",
            "qulacs",
            ("state",),
            precisions=("double",),
            max_wires=20,
        )
        for variant in ("light", "fused")
    ),
    *(
        _side(
            f"qsim:f{width}",
            "qsim",
            "qsimcirq",
            ("state", "trajectories"),
            precisions=("single",),
        )
        for width in (2, 3, 4)
    ),
    _side("qsim:api", "qsim", "qsimcirq", ("state",), precisions=("single",)),
    _side(
        "lightning",
        "lightning",
        "pennylane-lightning",
        ("state", "gradient", *BATCHES, *SAMPLES),
        shots="bits",
    ),
    _side(
        "tensorcircuit:unrolled",
        "tensorcircuit",
        "tensorcircuit-ng",
        ("state", "gradient", *BATCHES, "metric"),
        imports="tensorcircuit",
        max_wires=20,
    ),
    _side(
        "tensorcircuit:scan",
        "tensorcircuit",
        "tensorcircuit-ng",
        ("state", "gradient", *BATCHES, "density", "trajectories", "metric"),
        imports="tensorcircuit",
        max_wires=20,
        random=False,
    ),
    _side(
        "tensorcircuit:remat",
        "tensorcircuit",
        "tensorcircuit-ng",
        ("gradient",),
        imports="tensorcircuit",
        max_wires=20,
        random=False,
    ),
    _side(
        "qujax",
        "qujax",
        "qujax",
        ("state", "gradient", *BATCHES, "density"),
        max_wires=20,
    ),
    _side(
        "default.qubit",
        "default_qubit",
        "pennylane",
        ("state", "gradient", *BATCHES, "density"),
        max_wires=16,
    ),
    _side(
        "tensorcircuit:mps",
        "tensorcircuit",
        "tensorcircuit-ng",
        CHAINS,
        imports="tensorcircuit",
    ),
    _side("aer", "aer", "qiskit-aer", ("state", "density", "trajectories")),
    *(
        _side(
            f"aer:{variant}",
            "aer",
            "qiskit-aer",
            ("chain_values",),
            precisions=("double",),
        )
        for variant in ("mps", "mps-lapack")
    ),
    _side("quimb:mps", "quimb", "quimb", CHAINS),
    _side("quimb:exact", "quimb", "quimb", ("chain_gradient",)),
    _side("numpy:multinomial", "numpy", "numpy", SAMPLES, shots="counts"),
    _side("numpy:choice", "numpy", "numpy", ("sample",), shots="indices"),
]
SIDES = {side.name: side for side in _ALL}

ORACLE = Side(
    "oracle",
    "numpy_side",
    "numpy",
    "numpy",
    (
        *("state", "gradient", *BATCHES, "density", "trajectories", "metric"),
        *CHAINS,
        "chain_compile",
    ),
    max_wires=12,
)
"""Takes part in every check it can afford, and is never timed."""


def select(words: list[str]) -> list[Side]:
    """Sides whose name or family is one of the words; all without words."""
    known = set(SIDES) | {side.family for side in SIDES.values()}
    for word in words:
        if word not in known:
            raise SystemExit(
                f"Argument `sides` must be among {sorted(known)}, but is {word!r}."
            )
    chosen = SIDES.values()
    return [s for s in chosen if not words or {s.name, s.family} & set(words)]
