"""Semidefinite cross-checks: closed forms hold, wrong ones and missing solvers show."""

import dataclasses
import sys

import jax
import numpy as np
import pytest
import sympy as sp

from qjax.bounds import BOUNDS, SMOKE, Budget, theorem_a1
from qjax.bounds.memory.memory_noise import MEMORY_NOISES, eta, lam, mu
from qjax.bounds.program import Program, Solved
from qjax.bounds.sdp import (
    access_program,
    beta_program,
    channel_beta,
    doeblin,
    doeblin_program,
    proved_beta,
    proved_doeblin,
)
from qjax.bounds.sdp.claims import noise_kraus
from qjax.bounds.stages.programs import program_stage

pytest.importorskip("cvxpy")

WITH_PROGRAMS = [name for name, build in BOUNDS.items() if build().programs]
HALF = {"eta": 0.5}
KEY = jax.random.key(5)


def _stage(*programs: Program, budget: Budget | None = None):
    bound = dataclasses.replace(theorem_a1(), programs=programs)
    return program_stage(KEY, bound, Budget() if budget is None else budget)


@pytest.mark.parametrize("name", WITH_PROGRAMS)
def test_the_constants_of_a_bound_are_optima(name):
    outcome = program_stage(KEY, BOUNDS[name](), Budget())
    assert outcome.verdict == "passed", outcome.details
    assert program_stage(KEY, BOUNDS[name](), SMOKE).verdict == "skipped"


@pytest.mark.parametrize(
    "wrong",
    [
        beta_program("damping", HALF, 1 + eta),
        beta_program("damping", HALF, 1.001 + sp.sqrt(eta)),
        beta_program("depolarizing", {"lam": 0.5}, 1 + lam**2),
        doeblin_program("replacement", {"mu": 0.5, "exc": 0.3}, mu**2),
        doeblin_program("replacement", {"mu": 0.5, "exc": 0.3}, 1.001 * mu),
        access_program(3, 1, sp.Rational(4, 5)),
    ],
    ids=lambda each: each.name,
)
def test_a_wrong_closed_form_fails_the_stage(wrong):
    outcome = _stage(wrong)
    assert outcome.verdict == "failed" and wrong.name in outcome.summary


def test_a_solver_that_is_right_with_a_certificate_that_is_not_fails_the_stage():
    assert _stage(Program("p", lambda key: Solved(1.0, 1.0, 1.1))).verdict == "failed"
    nothing = Solved(1.0, 1.0, float("nan"))
    assert _stage(Program("p", lambda key: nothing)).verdict == "failed"


def test_without_a_solver_a_program_is_skipped_and_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "cvxpy", None)
    beta = beta_program("damping", HALF, 1 + sp.sqrt(eta))
    outcome = _stage(beta)
    assert outcome.verdict == "skipped" and "extra `sdp`" in outcome.summary
    both = _stage(beta, access_program(2, 1, (2 + sp.sqrt(2)) / 4))
    assert both.verdict == "passed" and beta.name in both.summary


@pytest.mark.parametrize(
    ("noise", "strengths"),
    [("damping", HALF), ("relaxation", {"eta": 0.6, "coh": 0.5, "exc": 0.2})],
)
def test_rational_points_stay_on_the_safe_side(noise, strengths):
    kraus = noise_kraus(noise, strengths)
    kept = np.einsum("kba,kbc->ac", kraus.conj(), kraus)
    assert np.allclose(kept, np.eye(2), atol=1e-14)
    beta = 1 + max(np.sqrt(strengths["eta"]) if noise == "damping" else 0.6, 0.5)
    found = channel_beta(kraus)
    assert beta <= float(proved_beta(kraus, found)) <= beta + 1e-6
    # A point far from feasible is repaired and proves less.
    poor = dataclasses.replace(found, sigma=0.9 * found.sigma)
    assert float(proved_beta(kraus, poor)) > beta + 0.01
    bits = doeblin(kraus)
    exact = float(proved_doeblin(kraus, bits))
    assert bits.value - 1e-6 <= exact <= bits.value + 1e-9
    greedy = dataclasses.replace(bits, sigma=bits.sigma + 0.2 * np.eye(2))
    assert float(proved_doeblin(kraus, greedy)) <= bits.value + 1e-9


def test_kraus_operators_are_those_of_the_engine():
    strengths = {"eta": 0.6, "coh": 0.5, "exc": 0.2}
    kraus = noise_kraus("relaxation", strengths)
    (channel,) = MEMORY_NOISES["relaxation"].channels(strengths, 1)
    rho = np.asarray([[0.7, 0.2 - 0.1j], [0.2 + 0.1j, 0.3]])
    own = np.einsum("kab,bc,kdc->ad", kraus, rho, kraus.conj())
    other = np.asarray(channel.kraus)
    assert np.allclose(
        own, np.einsum("kab,bc,kdc->ad", other, rho, other.conj()), atol=1e-6
    )
