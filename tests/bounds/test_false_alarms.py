"""Error rates of the Monte-Carlo tests: exact sums, ten thousand seeds, and power."""

import math
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats
import sympy as sp

from qjax.bounds import BOUNDS, Budget, Instance, sic_filter
from qjax.bounds.memory.memory_noise import MEMORY_NOISES
from qjax.bounds.memory.structure import repeated_acceptances
from qjax.bounds.power import MONTE_CARLO_MUTANTS, POWER
from qjax.bounds.sampling import (
    BernoulliTest,
    alarm_probability,
    clopper_pearson_limit,
)
from qjax.bounds.stages.sampled import bonferroni
from qjax.bounds.theorems.membership import acceptance_test
from qjax.statistics import clopper_pearson

DELTA = Budget().delta
SHOTS = Budget().shots
SUITE = 1e-4
"""Bound on the false alarms of all Monte-Carlo tests together."""

p, q = sp.symbols("p q", nonnegative=True)
ABOVE = sp.Le(p - q, sp.Rational(1, 10))
PAIR = BernoulliTest(
    lambda: (0.5, 0.4),
    lambda key, shots: (0, 0),
    ("lower", "upper"),
    lambda limits: {"p": limits[0], "q": limits[1]},
)


@pytest.mark.parametrize("count", [0, 1, 7, 19, 20])
def test_limits_are_those_of_the_interval(count):
    interval = clopper_pearson(count, 20, 0.9)
    for end, side in zip(interval, ("lower", "upper"), strict=True):
        assert float(clopper_pearson_limit(count, 20, 0.9, side)) == pytest.approx(end)


def _by_hand(shots: int, confidence: float, gap: float) -> float:
    total = 0.0
    for first in range(shots + 1):
        for second in range(shots + 1):
            low = clopper_pearson(first, shots, confidence)[0]
            high = clopper_pearson(second, shots, confidence)[1]
            if low - high > gap:
                weight = math.comb(shots, first) * 0.5**shots
                weight *= (
                    math.comb(shots, second) * 0.4**second * 0.6 ** (shots - second)
                )
                total += weight
    return total


@pytest.mark.parametrize("confidence", [0.2, 0.5, 0.9])
def test_the_sum_over_counts_is_the_alarm_probability(confidence):
    found = alarm_probability(ABOVE, PAIR, 25, confidence)
    assert found == pytest.approx(_by_hand(25, confidence, 0.1), abs=1e-12)
    # Mutants of the enumeration: one rate, another confidence.
    assert found != pytest.approx(_by_hand(25, confidence / 2, 0.1), abs=1e-6)
    assert found < alarm_probability(ABOVE, PAIR, 25, confidence, (0.6, 0.4))


def test_certain_outcomes_are_enumerated_too():
    sure = sp.Le(p, sp.Rational(9, 10))
    test = BernoulliTest(lambda: (1.0,), PAIR.count, ("lower",),
                         lambda limits: {"p": limits[0]})  # fmt: skip
    assert alarm_probability(sure, test, 1000, 0.9) == pytest.approx(1)
    assert alarm_probability(sure, test, 3, 0.9) < 1e-12


def _tests(name: str) -> list[tuple[Instance, BernoulliTest]]:
    """Every Monte-Carlo test of a bound; each must be one that can be enumerated."""
    found = []
    for instance in BOUNDS[name]().instances:
        if instance.sampled is not None:
            assert isinstance(instance.sampled, BernoulliTest), (name, instance.name)
            found.append((instance, instance.sampled))
    return found


def _false_alarms(name: str) -> float:
    tests = _tests(name)
    confidence = 1 - bonferroni(DELTA, max(len(tests), 1))
    statement = BOUNDS[name]().statement
    return sum(alarm_probability(statement, t, SHOTS, confidence) for _, t in tests)


@pytest.mark.x64
def test_a1_raises_no_false_alarm():
    assert _false_alarms("A1") <= DELTA


@pytest.mark.slow
@pytest.mark.x64
def test_the_whole_suite_raises_a_false_alarm_with_at_most_1e_4():
    rates = {name: _false_alarms(name) for name in BOUNDS if "literal" not in name}
    assert sum(rates.values()) <= SUITE, rates
    assert max(rates.values()) <= DELTA * (1 + 1e-6), rates


DECLARED = [
    (name, mutant) for name, rows in MONTE_CARLO_MUTANTS.items() for mutant in rows
]
FEW = [(n, m) for n, m in DECLARED if MONTE_CARLO_MUTANTS[n][m].shots <= 2000]


def _has_its_power(name: str, mutant_id: str) -> None:
    bound = BOUNDS[name]()
    mutant = next(m for m in bound.mutants if m.id == mutant_id)
    tests = _tests(name)
    killer, shots = MONTE_CARLO_MUTANTS[name][mutant_id]
    test = next(test for instance, test in tests if instance.name == killer)
    confidence = 1 - bonferroni(DELTA, len(tests))
    rates = tuple(test.rates())

    def refuted(relation: sp.Rel, count: int) -> float:
        return alarm_probability(relation, test, count, confidence, rates)

    assert refuted(mutant.statement, shots) >= POWER
    # The declaration says something: a hundredth of the shots is not enough, and the
    # true statement is not refuted by the same test.
    assert refuted(mutant.statement, shots // 100) < POWER
    assert refuted(bound.statement, shots) <= DELTA


def test_the_numbered_monte_carlo_mutants_are_declared():
    assert {"M1", "M2", "M3", "M4"} <= set(MONTE_CARLO_MUTANTS["A1"])
    assert len(DECLARED) >= 50


@pytest.mark.x64
@pytest.mark.parametrize(("name", "mutant_id"), FEW)
def test_a_monte_carlo_mutant_is_refuted_with_the_declared_power(name, mutant_id):
    _has_its_power(name, mutant_id)


@pytest.mark.slow
@pytest.mark.x64
@pytest.mark.parametrize(
    ("name", "mutant_id"), [row for row in DECLARED if row not in FEW]
)
def test_a_mutant_that_takes_many_shots_is_refuted_with_the_declared_power(
    name, mutant_id
):
    _has_its_power(name, mutant_id)


@pytest.mark.slow
@pytest.mark.x64
def test_ten_thousand_seeds_alarm_as_often_as_the_sum_says(key):
    """At an inflated error, false alarms and a mutant's refutations, each +- 4.9 s.e.

    Error level of the test: 2 * 1e-6. A mutant that halves the interval's error is
    rejected.
    """
    seeds, shots, confidence = 10_000, 200, 0.5
    strengths = {"lam": 0.9}
    test = acceptance_test(lambda: sic_filter(1), "depolarizing", strengths)
    circuit = MEMORY_NOISES["depolarizing"].circuit(strengths, 1, 1)
    bound = BOUNDS["A1"]()
    wrong = next(m for m in bound.mutants if m.id == "M2").statement
    keys = jax.random.split(key, seeds)
    counts = [
        repeated_acceptances(part, sic_filter(1), circuit, shots)
        for part in jnp.split(keys, 10)
    ]
    member, other = (np.concatenate(part) for part in zip(*counts, strict=True))
    limits = [
        clopper_pearson_limit(member, shots, confidence, "lower"),
        clopper_pearson_limit(other, shots, confidence, "upper"),
    ]
    for statement in (bound.statement, wrong):
        exact = alarm_probability(statement, test, shots, confidence)
        assert 1e-3 < exact < 1 - 1e-3
        fails = _refuted(statement, test.values(limits))
        seen = int(fails.sum())
        assert scipy.stats.binomtest(seen, seeds, exact).pvalue > 1e-6
        other_level = alarm_probability(statement, test, shots, 0.75)
        assert scipy.stats.binomtest(seen, seeds, other_level).pvalue < 1e-6


def _refuted(statement: sp.Rel, values: Mapping[str, Any]) -> np.ndarray:
    names = sorted(symbol.name for symbol in statement.free_symbols)
    rows = np.broadcast_arrays(*(np.asarray(values[n], float) for n in names))
    plain = {"d": _d, "h": lambda x: -x * np.log2(x) - (1 - x) * np.log2(1 - x)}
    symbols = [next(s for s in statement.free_symbols if s.name == n) for n in names]
    left, right = (
        sp.lambdify(symbols, side, [plain, "numpy"])(*rows)
        for side in (statement.lhs, statement.rhs)
    )
    return left > right + 1e-12


def _d(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return first * np.log2(first / second) + (1 - first) * np.log2(
        (1 - first) / (1 - second)
    )
