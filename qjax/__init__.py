"""qjax: a JAX quantum simulator and theory verifier.

Gates, observables and ansätze live in `qjax.circuits`, channels in `qjax.noise`; what
is used in every script stands here.
"""

from qjax._identity import check_distribution

check_distribution()

from qjax.circuits import Circuit, Repeat, template  # noqa: E402
from qjax.simulate import (  # noqa: E402
    auto,
    average_trajectories,
    average_until,
    estimate,
    expectation,
    recommend,
    run,
    sample,
    trajectory,
    unitary_matrix,
)
from qjax.states import (  # noqa: E402
    MPS,
    DensityMatrix,
    PauliDensity,
    StabilizerState,
    StateBatch,
    StateVector,
)
from qjax.statistics import Estimate  # noqa: E402

__all__ = [
    "MPS",
    "Circuit",
    "DensityMatrix",
    "Estimate",
    "PauliDensity",
    "Repeat",
    "StabilizerState",
    "StateBatch",
    "StateVector",
    "auto",
    "average_trajectories",
    "average_until",
    "estimate",
    "expectation",
    "recommend",
    "run",
    "sample",
    "template",
    "trajectory",
    "unitary_matrix",
]
