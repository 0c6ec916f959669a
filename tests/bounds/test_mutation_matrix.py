"""M1 to M20 and their killers, and wrong verifiers that known answers must catch."""

import dataclasses

import jax
import numpy as np
import pytest
import sympy as sp

from qjax.bounds import (
    BOUNDS,
    SMOKE,
    Instance,
    binary_relative_entropy,
    replay,
    sic_filter,
    storage_noise,
    verify,
)
from qjax.bounds.bound import Bound, Mutant
from qjax.bounds.memory.structure import repeated_acceptances
from qjax.bounds.sampling import BernoulliTest, alarm_probability
from qjax.bounds.stages.budget import Evidence
from qjax.bounds.stages.comparison import violated_sides
from qjax.bounds.stages.mutants import kill_mutant
from qjax.bounds.stages.sampled import bonferroni

NUMBERED = [f"M{number}" for number in range(1, 21)]


def _owners(mutant_id: str) -> list[tuple[Bound, Mutant]]:
    return [
        (bound, mutant)
        for bound in (build() for build in BOUNDS.values())
        for mutant in bound.mutants
        if mutant.id == mutant_id
    ]


@pytest.mark.x64
@pytest.mark.parametrize("mutant_id", NUMBERED)
def test_a_numbered_mutant_is_refuted_by_its_killer(mutant_id):
    owners = _owners(mutant_id)
    assert owners, "a row of the mutation matrix is missing"
    for bound, mutant in owners:
        known = {i.name: i for i in (*bound.instances, *mutant.instances)}
        killer = known[mutant.killer]
        # The killer alone, and the true statement survives it.
        alone = dataclasses.replace(bound, instances=(killer,))
        lone = dataclasses.replace(mutant, instances=())
        values = {killer.name: killer.values()}
        kill = kill_mutant(alone, lone, SMOKE, Evidence(values))
        assert kill.killed and kill.killer == f"instance: {killer.name}"
        assert kill.witness is not None and replay(kill.witness, bound)
        names = {symbol.name for symbol in bound.statement.free_symbols}
        claimed = names <= set(values[killer.name]) and killer in bound.instances
        if claimed and bound.claimed_at(values[killer.name]):
            sides = violated_sides(bound.statement, values[killer.name], killer.error)
            assert sides is None


# --- mutants of the verifier: what a broken part would answer (others: test_verify) ---


def test_without_bonferroni_the_suite_would_exceed_its_error():
    p = sp.Symbol("p", nonnegative=True)
    fair = BernoulliTest(lambda: (0.5,), lambda key, shots: (0,), ("lower",),
                         lambda limits: {"p": limits[0]})  # fmt: skip
    half, tests, delta, shots = sp.Le(p, sp.Rational(1, 2)), 40, 0.02, 1000
    corrected = alarm_probability(half, fair, shots, 1 - bonferroni(delta, tests))
    dropped = alarm_probability(half, fair, shots, 1 - delta)
    assert tests * corrected <= delta < tests * dropped


@pytest.mark.x64
def test_a_plug_in_entropy_would_fabricate_a_violation(key):
    """chi of an uninformative memory is 0; the plug-in estimate from shots is not."""
    noise = storage_noise(0.0, 1, 1)
    shots, runs = 50, 200
    member, other = repeated_acceptances(
        jax.random.split(key, runs), sic_filter(1), noise, shots
    )
    # Mutual information of (member or not, accepted or not), estimated by frequencies.
    rates = member / shots, other / shots
    mixed = (rates[0] + rates[1]) / 2
    plug_in = np.mean([binary_relative_entropy(rate, mixed) for rate in rates], axis=0)
    assert plug_in.mean() > 5 * plug_in.std() / np.sqrt(runs)
    chi = next(
        i for i in BOUNDS["A1"]().instances if i.name == "sic num_blocks=1 lam=0 T=1"
    ).values()["chi"]  # fmt: skip
    assert abs(chi) < 1e-12


@pytest.mark.x64
def test_a_verifier_that_skips_the_replay_would_refute_by_rounding(key):
    """A float64 side that is too large by 1e-13 is not a violation at 50 digits."""
    bound = BOUNDS["A1"]()
    rounded = Instance(
        "rounded", lambda: {"n": 1, "b": 4, "m": 1, "lam": 0.9, "T": 1,
                            "p": 0.95 + 1e-14, "a": 0.35, "chi": 0.7136},
        error=1e-11,
    )  # fmt: skip
    one = dataclasses.replace(
        bound, instances=(rounded,), random=None, also=(), attacks=()
    )
    assert verify(key, one, SMOKE).status != "REFUTED"
    exact = dataclasses.replace(rounded, error=0.0)
    trusting = dataclasses.replace(one, instances=(exact,))
    assert verify(key, trusting, SMOKE).status == "REFUTED"
