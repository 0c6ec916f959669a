"""qjax: a JAX quantum simulator and theory verifier.

Gates, observables and ansätze live in `qjax.circuits`, channels in `qjax.noise`; what
is used in every script stands here.
"""

from qjax._identity import check_distribution

check_distribution()

from qjax.circuits import Circuit, Repeat, template  # noqa: E402
from qjax.simulate import (  # noqa: E402
    average_trajectories,
    average_until,
    estimate,
    expectation,
    run,
    sample,
    trajectory,
    unitary_matrix,
)
from qjax.states import (  # noqa: E402
    DensityMatrix,
    PauliDensity,
    StateBatch,
    StateVector,
)
from qjax.statistics import Estimate  # noqa: E402

__all__ = [
    "Circuit",
    "DensityMatrix",
    "Estimate",
    "PauliDensity",
    "Repeat",
    "StateBatch",
    "StateVector",
    "average_trajectories",
    "average_until",
    "estimate",
    "expectation",
    "run",
    "sample",
    "template",
    "trajectory",
    "unitary_matrix",
]
