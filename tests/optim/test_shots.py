"""Shot rules against the formulas, written out in NumPy."""

import jax.numpy as jnp
import numpy as np
import pytest

from qjax.optim import GainShots, ProgressShots, Seen

SLOPES = np.asarray([[0.3, -0.1, 0.02], [0.2, -0.3, 0.01], [0.25, 0.1, 0.05]])
SPREADS = np.asarray(
    [
        [[1.0, 4.0], [0.5, 0.5], [2.0, 0.0]],
        [[1.5, 3.0], [0.1, 0.9], [2.0, 0.1]],
        [[1.0, 1.0], [1.0, 0.25], [0.0, 0.0]],
    ]
)


def follow(rule):
    """The numbers before each gradient and after the last."""
    state = rule.init(jnp.zeros(3), 2)
    found = [np.asarray(rule.number(state))]
    for slopes, spreads in zip(SLOPES, SPREADS, strict=True):
        seen = Seen(jnp.asarray(slopes, "f4"), jnp.asarray(spreads, "f4"), jnp.ones(()))
        state = rule.update(state, seen)
        found.append(np.asarray(rule.number(state)))
    return found


def expected(kind, rate, lipschitz, memory, bias, lowest, highest):
    found, slopes, spreads = [np.full((3, 2), lowest)], 0.0, 0.0
    for k in range(1, 4):
        slopes = memory * slopes + (1 - memory) * SLOPES[k - 1]
        spreads = memory * spreads + (1 - memory) * SPREADS[k - 1]
        g, v = slopes / (1 - memory**k), spreads / (1 - memory**k)
        deviation = np.sqrt(v).sum(axis=1)
        fade, scale = bias * memory**k, 2 * lipschitz * rate / (2 - lipschitz * rate)
        if kind == "global":
            top = deviation * deviation.sum() + fade
            wanted = scale * top / np.sum(g**2 + fade)
        else:
            wanted = scale * (deviation**2 + fade) / (g**2 + fade)
            shots = np.maximum(np.ceil(wanted), lowest)
            fall = (rate - lipschitz * rate**2 / 2) * g**2
            fall -= lipschitz * rate**2 / 2 * deviation**2 / shots
            wanted = np.minimum(wanted, wanted[np.argmax(fall / shots)])
        share = np.sqrt(v) / np.where(deviation > 0, deviation, 1)[:, None]
        share[deviation == 0] = 0.5
        split = np.ceil(np.ceil(wanted)[:, None] * share - 1e-4)
        found.append(np.clip(split, lowest, highest))
    return found


@pytest.mark.parametrize("kind", ["global", "individual"])
def test_gain_rules_are_the_published_formulas(kind):
    numbers = {"rate": 0.1, "lipschitz": 3.0, "memory": 0.9, "bias": 1e-3}
    limits = {"lowest": 2, "highest": 100_000}
    rule = GainShots(kind=kind, **numbers, **limits)
    for one, other in zip(
        follow(rule), expected(kind, **numbers, **limits), strict=True
    ):
        np.testing.assert_allclose(one, other, atol=1)
    capped = GainShots(kind=kind, **numbers, lowest=5, highest=20)
    assert all(5 <= n.min() and n.max() <= 20 for n in follow(capped))


def test_global_numbers_are_the_best_for_their_sum():
    """Any other split of the same shots has a larger sum of variances."""
    rule = GainShots(rate=0.1, lipschitz=3.0, memory=0.0, bias=0.0, lowest=2)
    shots = follow(rule)[1].astype(float)
    variances = SPREADS[0]
    used = variances > 0
    best = np.sum(variances[used] / shots[used])
    rng = np.random.default_rng(0)
    for _ in range(200):
        other = shots[used] * rng.uniform(0.7, 1.3, used.sum())
        other *= shots[used].sum() / other.sum()
        assert np.sum(variances[used] / other) > best * (1 - 1e-3)


def norms(rule, values):
    state = rule.init(jnp.zeros(1), 1)
    found = [float(rule.number(state)[0, 0])]
    for value in values:
        seen = Seen(jnp.full(1, value), jnp.ones((1, 1)), jnp.ones(()))
        state = rule.update(state, seen)
        found.append(float(rule.number(state)[0, 0]))
    return found


def test_the_original_rule_is_as_written():
    # Norms that differ by .02 leave the three stages as they are.
    even = [1.0, 1.04] * 5
    stages = [500] * 3 + [1000] * 4 + [2000] * 4
    assert norms(ProgressShots(steps=10), even) == stages
    restless = norms(ProgressShots(steps=10), [1.0, 3.0] * 5)
    assert restless == [500] * 3 + [1500] * 4 + [2000] * 4
    calm = norms(ProgressShots(steps=10), [1.0] * 10)
    assert calm == [500] * 3 + [750] * 4 + [1500] * 4


def test_bad_input_is_named():
    for make, message in (
        (lambda: GainShots(0.0, 1.0), "`rate` must be positive"),
        (lambda: GainShots(0.1, 20.0), r"`lipschitz` must lie in \(0, 20\)"),
        (lambda: GainShots(0.1, 1.0, kind="best"), "`kind` must be one of"),
        (lambda: GainShots(0.1, 1.0, lowest=1), "must be at least 2 and rise"),
        (lambda: GainShots(0.1, 1.0, memory=1.0), "`memory` must lie in"),
        (lambda: GainShots(0.1, 1.0, bias=-1.0), "`bias` must be at least 0"),
        (lambda: ProgressShots(0), "`steps` must be at least 1"),
        (lambda: ProgressShots(5, window=2), "`window` must be at least 3"),
        (lambda: ProgressShots(5, levels=(3, 2, 1)), "`levels` must be at least 1"),
    ):
        with pytest.raises(ValueError, match=message):
            make()
