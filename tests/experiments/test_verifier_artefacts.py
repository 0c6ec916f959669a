"""What the artefacts of the verifier compute, against independent numbers."""

import doctest
import json
import math

import jax
import matplotlib.figure
import numpy as np
import pandas as pd
import pytest
import scipy.optimize
import scipy.stats

from qjax.bounds import BOUNDS, SMOKE, sic_filter, verify
from qjax.bounds.batches.batch_ensembles import random_batches
from qjax.bounds.memory.memory_noise import MEMORY_NOISES
from qjax.bounds.search import replay_candidate
from qjax.bounds.stages.comparison import side_ratio
from scripts.artefacts import (
    f4_tradeoff,
    f5_capacities,
    f6_batches,
    f7_tightness,
    t1_verification,
    t4_kills,
    t5_qrac,
    t6_open_questions,
)

NOTHING_ELSE = {"shots": 0, "restarts": 0.0, "programs": False}
"""What a cell of the verifier does beside exact numbers and mutants."""


def binary(p: float) -> float:
    """Entropy of a coin in bits, written anew."""
    return -sum(x * math.log2(x) for x in (p, 1 - p) if x > 0)


def run(experiment, key, **point):
    """Rows of one cell, checked against the declared columns."""
    with jax.enable_x64(True), jax.numpy_dtype_promotion("standard"):
        return experiment.rows(experiment.run(key, **point))


@pytest.fixture(scope="module")
def verified():
    """Rows of a bound with mutants and ratios, and its report."""
    point = {"bound": "B1", "random_instances": 50, **NOTHING_ELSE}
    rows = run(t1_verification.VERIFICATION, jax.random.key(3), **point)
    return pd.DataFrame([{**point, **row} for row in rows])


def test_a_bound_gives_its_row_first_then_its_mutants_then_its_ratios(verified):
    with jax.enable_x64(True):
        report = verify(jax.random.key(3), BOUNDS["B1"](), SMOKE)
    first = verified.iloc[0]
    assert (first["record"], first["verdict"]) == ("bound", report.status)
    assert list(verified["record"]) == sorted(verified["record"], key=_rank)
    mutants = verified[verified["record"] == "mutant"]
    assert list(mutants["entry"]) == [kill.mutant for kill in report.kills]
    killed = [kill.witness.left if kill.witness else None for kill in report.kills]
    assert list(mutants["left"]) == killed
    exact = verified[(verified["record"] == "ratio") & (verified["stage"] == "exact")]
    tight = exact[exact["tight"].astype(bool)]
    assert tight["ratio"].min() == first["tight_ratio"]


def _rank(record: str) -> int:
    return ("bound", "mutant", "ratio").index(record)


def test_the_nearest_random_structure_is_the_largest_replayed_ratio():
    bound = BOUNDS["B1"]()
    batch = random_batches(jax.random.key(5), 30, "real")
    found = t1_verification.nearest_random(bound, batch, 30)
    every = [side_ratio(bound.statement, batch.replay(i), 30) for i in range(30)]
    assert found is not None
    assert found == pytest.approx(np.nanmax(every), rel=1e-12)
    assert found > 2 * np.nanmedian(every)  # a batch without a spread shows nothing


def test_ratios_outside_of_the_domain_or_of_vanishing_sides_are_left_out():
    bound = BOUNDS["A2"]()
    outside = [
        instance.name
        for instance in bound.instances
        if not bound.claimed_at(instance.values())
    ]
    assert outside  # else nothing is shown here
    point = {"bound": "A2", "random_instances": 0, **NOTHING_ELSE}
    rows = run(t1_verification.VERIFICATION, jax.random.key(3), **point)
    ratios = [row for row in rows if row["record"] == "ratio"]
    assert ratios and not {row["entry"] for row in ratios} & set(outside)
    assert all(row["ratio"] <= 1 + 1e-9 for row in ratios)
    point["bound"] = "B2/design-effect"
    rows = run(t1_verification.VERIFICATION, jax.random.key(3), **point)
    ratios = [row["ratio"] for row in rows if row["record"] == "ratio"]
    assert ratios and min(ratios) > 0.999


def test_an_equation_has_no_nearest_random_structure():
    bound = BOUNDS["Q-LSH/fidelity"]()
    batch = random_batches(jax.random.key(5), 3, "real")
    assert t1_verification.nearest_random(bound, batch, 30) is None


def test_the_kill_matrix_shows_every_mutant_once_numbered_ones_first(verified):
    frame = t4_kills.build({"verification": verified})
    assert sorted(frame["mutant"]) == sorted(
        verified.loc[verified["record"] == "mutant", "entry"]
    )
    ranks = [t4_kills.numbered(name)[0] for name in frame["mutant"]]
    assert ranks == sorted(ranks) and ranks[0] < 10**6
    for row in frame[frame["still_open"].isna()].itertuples():
        left, right = (float(str(x).replace("∞", "inf")) for x in (row.left, row.right))
        holds = {"≤": left <= right, "≥": left >= right, "=": left == right}
        assert not holds[row.relation]


def test_an_open_mutant_says_why_it_is_open(verified):
    rows = verified.copy()
    place = rows.index[rows["record"] == "mutant"][0]
    rows.loc[place, ["left", "relation", "right", "witness", "stage"]] = None
    rows.loc[place, "reasons"] = "needs a search"
    frame = t4_kills.build({"verification": rows})
    line = frame[frame["mutant"] == rows.loc[place, "entry"]].iloc[0]
    assert line["still_open"] == "needs a search" and pd.isna(line["left"])


def test_the_examples_in_the_kill_matrix_run():
    failed, tried = doctest.testmod(t4_kills)
    assert failed == 0 and tried == 3


def test_the_tightness_plot_has_a_line_per_bound_and_a_star_per_tight_instance(
    verified,
):
    figure = matplotlib.figure.Figure()
    f7_tightness.draw(figure, {"verification": verified})
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["B1"]
    drawn = sum(np.shape(points.get_offsets())[0] for points in axes.collections)
    assert drawn == verified["ratio"].notna().sum()  # and none is refuted


@pytest.mark.parametrize(("miss", "bits"), [(0.0, 6513.7), (0.05, 5908.4)])
def test_needed_bits_are_those_of_the_theory(miss, bits):
    assert 1000 * f4_tradeoff.needed_bits(0.01, miss) == pytest.approx(bits, abs=0.05)


@pytest.mark.parametrize("miss", [0.0, 0.05])
@pytest.mark.parametrize("alpha", [0.001, 0.2, 0.7])
def test_the_equal_rate_inverts_the_needed_bits(miss, alpha):
    bits = float(f4_tradeoff.needed_bits(alpha, miss))
    assert f4_tradeoff.equal_rate(bits, miss) == pytest.approx(alpha, rel=1e-6)
    assert f4_tradeoff.equal_rate(99.0, miss) == 0.0
    assert f4_tradeoff.equal_rate(0.0, miss) == 1 - miss


@pytest.mark.x64
def test_accepted_shots_have_the_probabilities_of_the_filter(key):
    # SIC filter: members (1 + lambda)/2, others (1 - lambda/3)/2 (theory, section 3.2).
    circuit = MEMORY_NOISES["depolarizing"].circuit({"lam": 0.6}, 1, 1)
    shots = 20_000
    member, other = f4_tradeoff.accepted_shots(key, sic_filter(), circuit, shots)
    tests = [(member, 0.8), (other, 0.4)]
    for count, chance in tests:
        assert scipy.stats.binomtest(count, shots, chance).pvalue > 1e-6
    # A mutant that mixes members and others up is rejected.
    for count, (_, chance) in zip((other, member), tests, strict=True):
        assert scipy.stats.binomtest(count, shots, chance).pvalue < 1e-6


def test_codes_need_what_their_noise_demands_and_the_sic_filter_no_more(key):
    common = {"exposure": 0.25, "layers": 10, "shots": 5000}
    for noise in ("depolarizing", "damping"):
        for code in ("SIC", "1 bit", "2 bits"):
            (row,) = run(f4_tradeoff.TRADEOFF, key, noise=noise, code=code, **common)
            spare = row["qubits"] * row["kappa"] - row["information"]
            assert spare > -1e-12
            tight = noise == "depolarizing" and code in ("SIC", "1 bit")
            assert (spare < 1e-12) == tight
            assert row["low"] <= row["sampled"] <= row["high"]


def damped_pair(eta: float) -> float:
    """chi of the best pair of opposite tilts under cold damping, by its closed form.

    Bloch vector (sqrt(eta) sin t, 0, 1 - eta + eta cos t).
    """

    def chi(t):
        z = 1 - eta + eta * math.cos(t)
        length = min(1.0, math.hypot(math.sqrt(eta) * math.sin(t), z))
        return binary((1 + z) / 2) - binary((1 + length) / 2)

    found = scipy.optimize.minimize_scalar(
        lambda t: -chi(t), bounds=(0, math.pi), method="bounded"
    )
    return -float(found.fun)


def capacity_rows(noise: str):
    point = {"noise": noise, "strengths": 9, "angles": 181}
    return run(f5_capacities.CAPACITIES, jax.random.key(0), **point)


def test_attained_bits_agree_with_closed_forms():
    for row in capacity_rows("depolarizing"):
        value = 1 - binary(1 - row["strength"] / 2)
        assert row["attained"] == pytest.approx(value, abs=1e-9)
        assert row["kappa"] == pytest.approx(value, abs=1e-9)
    for row in capacity_rows("damping"):
        value = damped_pair(1 - row["strength"])
        assert row["attained"] == pytest.approx(value, abs=1e-4)
    assert damped_pair(0.3) == pytest.approx(0.311, abs=5e-4)  # the killer of M7
    for row in capacity_rows("dephasing"):
        assert row["attained"] == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("noise", f5_capacities.TITLES)
def test_what_is_attained_never_exceeds_the_proved_capacity(noise):
    rows = capacity_rows(noise)
    assert all(row["attained"] <= row["kappa"] + 1e-9 for row in rows)
    assert rows[0]["attained"] == pytest.approx(1, abs=1e-6)


def test_no_random_ensemble_beats_the_best_tilts():
    draw = np.random.default_rng(4)
    level, excited = 0.6, 0.25
    # Bloch map of generalized damping: (sqrt(eta) x, sqrt(eta) y, eta z + offset).
    vectors = draw.normal(size=(4000, 3, 3))
    vectors /= np.linalg.norm(vectors, axis=-1, keepdims=True)
    offset = (1 - level) * (1 - 2 * excited)
    moved = vectors.copy()
    moved[..., :2] *= math.sqrt(level)
    moved[..., 2] = level * moved[..., 2] + offset
    shares = draw.dirichlet(np.ones(3), size=4000)
    mean = np.einsum("nk,nki->ni", shares, moved)

    def entropy(vector):
        length = np.minimum(np.linalg.norm(vector, axis=-1), 1)
        return np.vectorize(binary)((1 + length) / 2)

    chi = entropy(mean) - np.sum(shares * entropy(moved), axis=1)
    tilt = np.linspace(0, math.pi, 361)
    x, z = math.sqrt(level) * np.sin(tilt), level * np.cos(tilt) + offset
    outputs = np.moveaxis(np.array([[1 + z, x], [x, 1 - z]]) / 2, -1, 0)
    first, second, share = f5_capacities.best_tilts(outputs.astype(complex))
    parts = [(first, 1 - share), (second, share)]
    centre = sum(weight * z[index] for index, weight in parts)
    lengths = np.hypot(x, z)
    best = binary((1 + centre) / 2) - sum(
        weight * binary((1 + lengths[index]) / 2) for index, weight in parts
    )
    assert chi.max() <= best + 1e-9
    assert chi.max() > 0.8 * best  # the random ensembles are not a straw man


@pytest.mark.parametrize(
    ("memory", "level", "load", "explained"),
    [
        ("QRAC 2→1", 1.0, 2.0, 1 / 2),
        ("QRAC 3→1", 1.0, 3.0, 1 / 3),
        ("noisy bits", 0.6, 1 / (1 - binary(0.8)), 0.36),
    ],
)
def test_batch_points_have_their_known_places(memory, level, load, explained, key):
    point = {"memory": memory, "survival": level, "count": 20_000}
    (row,) = run(f6_batches.BATCHES, key, **point)
    assert row["load"] == pytest.approx(load, rel=1e-9)
    assert row["explained"] == pytest.approx(explained, rel=1e-9)
    assert abs(row["sampled"] - explained) < 6 * row["sampled_stderr"]
    assert row["low"] <= row["sampled"] <= row["high"]
    assert row["chi"] == pytest.approx(1 - binary((1 + level) / 2), abs=1e-9)


def test_no_random_memory_lies_above_the_law_of_batches(key):
    point = {"memory": f6_batches.RANDOM, "survival": 1.0, "count": 300}
    rows = run(f6_batches.BATCHES, key, **point)
    assert len(rows) == 300
    spare = [
        1 / row["load"] - (1 - binary((1 + math.sqrt(row["explained"])) / 2))
        for row in rows
    ]
    assert min(spare) > -1e-9
    # A law that were a fifth stronger would not hold.
    assert min(s - 0.2 / row["load"] for s, row in zip(spare, rows, strict=True)) < 0


@pytest.mark.parametrize(("n", "m", "success"), [(2, 1, 0.853553), (3, 1, 0.788675)])
def test_access_codes_reach_their_known_success_below_every_cap(n, m, success, key):
    (row,) = run(t5_qrac.QRAC, key, n=n, m=m, restarts=6, iterations=300)
    assert row["seesaw"] == pytest.approx(success, abs=1e-6)
    caps = [row["dual"], row["mancinska_storgaard"], row["nayak"]]
    assert row["seesaw"] <= min(caps) + 1e-9
    assert row["share"] == pytest.approx(n * (1 - binary(success)) / m, abs=1e-5)
    assert row["found_by"].endswith(" of 6") and row["mean"] <= row["seesaw"]


def test_a_stored_witness_replays_to_the_ratio_of_its_row(key):
    point = {"m": 2, "T": 25, "noise": 0.5, "restarts": 0, "steps": 0}
    question = t6_open_questions.REFRIGERATOR
    (row,) = run(t6_open_questions.OPEN_QUESTIONS, key, question=question, **point)
    replayed = replay_candidate(json.loads(row["witness"]))
    assert float(replayed.ratio) == row["ratio"] and row["refuted"] is True
    assert row["ratio"] == pytest.approx(1.391864568, rel=1e-8)


@pytest.mark.parametrize(
    ("module", "config", "field"),
    [
        (t1_verification, "VerificationConfig", "bounds"),
        (f4_tradeoff, "TradeoffConfig", "noises"),
        (f5_capacities, "CapacityConfig", "noises"),
        (f6_batches, "BatchConfig", "memories"),
        (t6_open_questions, "OpenQuestionsConfig", "interleaved"),
    ],
)
def test_a_bad_configuration_is_refused_in_a_sentence(module, config, field):
    with pytest.raises(ValueError, match=f"Field `{field}` must hold .* has "):
        getattr(module, config)(**{field: ("moonshine",)})
