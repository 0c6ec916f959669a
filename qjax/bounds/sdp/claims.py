"""Programs whose optima are constants of the bounds, solved at given numbers."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import sympy as sp
from jaxtyping import Complex

from qjax._types import Key
from qjax.bounds.certified.qrac_duals import certify_qrac_dual
from qjax.bounds.information import evaluate
from qjax.bounds.memory.memory_noise import MEMORY_NOISES
from qjax.bounds.program import Program, Solved
from qjax.bounds.sdp.channel_programs import channel_beta, doeblin
from qjax.bounds.sdp.random_access import qrac_seesaw
from qjax.bounds.sdp.rational_points import proved_beta, proved_doeblin

_RESTARTS = 8
"""Of a see-saw: every code here is found by nearly every start."""


def noise_kraus(
    noise: str, strengths: Mapping[str, float]
) -> Complex[np.ndarray, "k d d"]:
    """Kraus operators of one layer of a memory noise on one qubit (or one block).

    Args:
        noise: Key of `MEMORY_NOISES`.
        strengths: Numbers by parameter name.
    """
    found = None
    for stage in MEMORY_NOISES[noise].stages(strengths):
        operators = np.asarray(
            [np.asarray(kraus.tolist(), complex).reshape(kraus.rows, kraus.cols)
             for kraus in stage]
        )  # fmt: skip
        if found is None:
            found = operators
        else:
            products = np.einsum("aij,bjk->abik", operators, found)
            found = products.reshape(-1, *operators.shape[1:])
    assert found is not None  # every noise has a stage
    return found


def _point(strengths: Mapping[str, float]) -> tuple[str, Mapping[str, Any]]:
    label = " ".join(f"{name}={value:g}" for name, value in strengths.items())
    return label, {**strengths, "T": 1}


def beta_program(noise: str, strengths: Mapping[str, float], beta: sp.Expr) -> Program:
    """Wang, Xie and Duan's program for one layer: its optimum is `beta`."""
    label, point = _point(strengths)

    def solve(key: Key) -> Solved:
        kraus = noise_kraus(noise, strengths)
        found = channel_beta(kraus)
        proved = proved_beta(kraus, found)
        return Solved(float(evaluate(beta, point)), found.value, float(proved))

    return Program(f"strong converse of {noise}, {label}", solve)


def doeblin_program(noise: str, strengths: Mapping[str, float], mu: sp.Expr) -> Program:
    """The largest replacement contained in one layer: its optimum is `mu`."""
    label, point = _point(strengths)

    def solve(key: Key) -> Solved:
        kraus = noise_kraus(noise, strengths)
        found = doeblin(kraus)
        proved = proved_doeblin(kraus, found)
        return Solved(float(evaluate(mu, point)), found.value, float(proved))

    return Program(f"Doeblin coefficient of {noise}, {label}", solve)


def access_program(num_bits: int, num_wires: int, success: sp.Expr) -> Program:
    """No encoding does better with the best code's measurements: the dual is exact."""

    def solve(key: Key) -> Solved:
        code = qrac_seesaw(key, num_bits, num_wires, restarts=_RESTARTS)
        dual = certify_qrac_dual(list(code.observables))
        proved = float(dual.bound_as_given) if dual.holds else float("inf")
        return Solved(float(sp.N(success, 17)), code.success, proved)

    return Program(f"random access code {num_bits} -> {num_wires}", solve)
