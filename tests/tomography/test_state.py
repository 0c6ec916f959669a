"""State tomography recovers a state within its error bars; mutants do not."""

import jax
import numpy as np

from qjax.circuits import Circuit, cx, cz, rx, ry
from qjax.noise import correlated_pauli, depolarizing
from qjax.simulate import run
from qjax.states import DensityMatrix, trace_distance
from qjax.tomography import fit_state, sample_counts, state_circuits
from tests import oracles, stats
from tests.compiling import quick_jit
from tests.tomography.chi_squared import chi_squared, p_value

SHOTS = 1000
SEEDS = 40


def test_a_state_is_recovered_within_error_bars(key):
    wires = (2, 0)
    preparation = Circuit(
        [ry(0.7, 0), cx(0, 2), rx(0.5, 2), ry(0.4, 1), cz(1, 2),
         correlated_pauli([0.1], ["XY"], (0, 2)), depolarizing(0.1, 1)], 3,
    )  # fmt: skip
    final = quick_jit(lambda: run(preparation, DensityMatrix.zeros(3)))()
    exact = final.reduced(wires)
    words = [oracles.pauli_word(a + b, (0, 1), 2) for a in "IXYZ" for b in "IXYZ"]
    truth = np.asarray([np.trace(word @ np.asarray(exact)).real for word in words])
    stack = state_circuits(preparation, wires)

    @quick_jit
    @jax.vmap
    def experiment(own):
        found = fit_state(sample_counts(own, stack, wires, SHOTS))
        return found, found.matrix(), found.nearest()

    found, linear, nearest = experiment(jax.random.split(key, SEEDS))
    rest, spread = found.expectations[:, 1:], found.covariance[:, 1:, 1:]

    def accepted(errors, true) -> bool:
        return p_value(chi_squared(rest, errors, true), 15) > stats.ALPHA

    assert accepted(spread, truth[1:])
    assert not accepted(spread / 4, truth[1:])
    assert not accepted(spread, truth.reshape(4, 4).T.ravel()[1:])  # wires exchanged
    signs = np.asarray([(-1.0) ** ((i // 4 == 2) + (i % 4 == 2)) for i in range(16)])
    assert not accepted(spread, (signs * truth)[1:])  # a missing conjugation
    for raw, near in zip(np.asarray(linear), np.asarray(nearest.tensor), strict=True):
        near = near.reshape(4, 4)
        assert np.linalg.eigvalsh(near).min() > -1e-6
        gap, gap_raw = (np.linalg.norm(m - np.asarray(exact)) for m in (near, raw))
        assert gap <= gap_raw + 1e-5
    one = jax.tree.map(lambda leaf: leaf[0], nearest)
    assert float(trace_distance(one, DensityMatrix.from_matrix(exact))) < 0.2
