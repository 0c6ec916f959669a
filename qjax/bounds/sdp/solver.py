"""Where cvxpy is imported, and what a user without it is told."""

import importlib
from typing import Any

_MISSING = (
    "qjax.bounds.sdp solves semidefinite programs with cvxpy: install the extra `sdp`, "
    "for example by pip install 'qjax-simulator[sdp]'."
)


def modeller() -> Any:
    """The cvxpy module.

    Raises:
        ImportError: If it is not installed; the message names the extra.
    """
    # Here and not above: it takes seconds to import, and most runs solve nothing.
    try:
        return importlib.import_module("cvxpy")
    except ImportError as error:
        raise ImportError(_MISSING) from error


def solve(problem: Any) -> float:
    """Optimal value by Clarabel, or by SCS where Clarabel gives up.

    Raises:
        RuntimeError: If neither reports an optimum.
    """
    package = modeller()
    tried = []
    for solver, options in (("CLARABEL", {}), ("SCS", {"eps": 1e-9})):
        try:
            problem.solve(solver=solver, **options)
        except package.error.SolverError as error:
            tried.append(f"{solver}: {error}")
            continue
        if problem.status == "optimal":
            return float(problem.value)
        tried.append(f"{solver}: {problem.status}")
    raise RuntimeError(f"No optimum of the semidefinite program ({'; '.join(tried)}).")
