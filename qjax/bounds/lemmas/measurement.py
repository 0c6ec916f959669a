"""L2: a test cannot see more than the states allow."""

import sympy as sp

from qjax.bounds.bound import Step
from qjax.bounds.information import d

p, q = sp.symbols("p q", positive=True)


def measured_divergence() -> bool:
    """D(diag(p,1-p) || diag(q,1-q)), as a trace, is d(p||q)."""
    first, second = sp.diag(p, 1 - p), sp.diag(q, 1 - q)
    logs = sp.diag(*[sp.log(first[i, i] / second[i, i]) for i in range(2)])
    trace = (first * logs).trace() / sp.log(2)
    return sp.expand(trace - d(p, q).rewrite(sp.log)) == 0


STEPS = (
    Step("L2.1", "symbolic", "D(rho||sigma) >= d(Tr M rho || Tr M sigma)",
         measured_divergence, ("X2",)),
)  # fmt: skip
"""Steps of proofs/lemmas/measurement.md."""
