"""State and process tomography recover what was injected, within their error bars.

Chi-squared over many experiments at a declared level; mutants (wires exchanged, a
missing conjugation, error bars too small) must be rejected at the same level.
"""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qjax.circuits import (
    AbstractUnitary,
    Channel,
    Circuit,
    Measure,
    cx,
    h,
    kraus_channel,
    rx,
    rz,
    t,
    unitary,
)
from qjax.noise import (
    NoiseModel,
    ReadoutConfusion,
    amplitude_damping,
    average_gate_fidelity,
    choi_from_transfer,
    correlated_pauli,
    depolarizing,
    pauli_twirl,
    transfer_matrix,
    zz_crosstalk,
)
from qjax.simulate import memory_limit
from qjax.tomography import (
    exact_transfer,
    fit_process,
    fit_readout,
    fit_readout_matrix,
    fit_state,
    process_circuits,
    readout_circuits,
    sample_counts,
    state_circuits,
)
from tests import oracles, stats
from tests.compiling import quick_jit
from tests.tomography.chi_squared import chi_squared, p_value

SHOTS = 1000
SEEDS = 40


def injected(num_wires: int) -> Circuit:
    """A generic channel: no symmetry of wires, of conjugation or of unitality."""
    rng = np.random.default_rng([5, num_wires])
    wires = tuple(range(num_wires))
    operations = [
        unitary(oracles.random_unitary(rng, 2**num_wires), wires),
        kraus_channel(
            np.concatenate(
                [
                    np.sqrt(0.7) * np.eye(2**num_wires)[None],
                    np.sqrt(0.3) * oracles.random_kraus(rng, 2, 2**num_wires),
                ]
            ),
            wires,
        ),
        amplitude_damping(0.2, 0),
    ]
    return Circuit(operations, num_wires)


def oracle_transfer(circuit: Circuit) -> np.ndarray:
    """R_PQ from Kraus operators of the full register, in plain NumPy."""
    n = circuit.num_wires
    words = [
        oracles.pauli_word("".join(word), range(n), n)
        for word in np.stack(
            np.meshgrid(*[list("IXYZ")] * n, indexing="ij"), -1
        ).reshape(-1, n)
    ]
    columns = []
    for word in words:
        rho = word
        for one in circuit.operations:
            if isinstance(one, Channel):
                stack = np.asarray(one.kraus)
            else:
                assert isinstance(one, AbstractUnitary)
                stack = np.asarray(one.matrix())[None]
            full = [oracles.embed(np.asarray(k, complex), one.wires, n) for k in stack]
            rho = sum(k @ rho @ k.conj().T for k in full)
        columns.append([np.trace(p @ rho).real / 2**n for p in words])
    return np.asarray(columns).T


# --- processes ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "num_wires, preparations, seeds, shots",
    [
        (1, "01+-rl", SEEDS, SHOTS),
        pytest.param(2, "0-1r", 20, 4 * SHOTS, marks=pytest.mark.slow),
    ],
)
def test_a_process_is_recovered_within_error_bars(
    num_wires, preparations, seeds, shots, key
):
    process, wires = injected(num_wires), tuple(range(num_wires))
    truth = oracle_transfer(process)
    stack = process_circuits(process, wires, preparations)

    @quick_jit
    @jax.vmap
    def experiment(own):
        counts = sample_counts(own, stack, wires, shots)
        return fit_process(counts, preparations)

    found = experiment(jax.random.split(key, seeds))
    means = np.asarray(found.transfer, float)
    covariance = np.asarray(found.covariance, float)
    # The first row is exact: the process keeps the trace.
    exact = np.eye(4**num_wires)[0]
    np.testing.assert_allclose(
        means[:, 0], np.broadcast_to(exact, means[:, 0].shape), atol=1e-5
    )
    rest, spread = means[:, 1:], covariance[:, 1:, :, 1:, :]
    degrees = rest[0].size

    def accepted(values, errors, true) -> bool:
        chi2 = chi_squared(values, errors, true)
        return p_value(chi2, degrees) > stats.ALPHA

    assert accepted(rest, spread, truth[1:])
    assert not accepted(rest, spread / 4, truth[1:])  # bars a factor 2 too small
    assert not accepted(rest, spread * 4, truth[1:])  # and too large
    # A missing conjugation: Y changes its sign in inputs and outputs alike.
    words = np.stack(np.meshgrid(*[range(4)] * num_wires, indexing="ij"), -1)
    signs = (-1.0) ** (words.reshape(-1, num_wires) == 2).sum(axis=1)
    conjugated = truth * np.outer(signs, signs)
    assert not accepted(rest, spread, conjugated[1:])
    assert not accepted(rest, spread, truth.T[1:])
    if num_wires == 2:
        order = np.arange(16).reshape(4, 4).T.ravel()
        exchanged = truth[np.ix_(order, order)]
        assert not accepted(rest, spread, exchanged[1:])


@pytest.mark.slow
def test_injected_correlated_noise_is_recovered_within_error_bars(key):
    """All 16 weights of a correlated Pauli error after a gate, with crosstalk and
    readout errors: the twirl of the estimate against the injected weights.

    The mutant takes the errors of the two wires for independent ones.
    """
    wires, target = (2, 0), cx(2, 0)
    words = ["".join(pair) for pair in itertools.product("IXYZ", repeat=2)]
    injected_weights = {"ZZ": 0.06, "XI": 0.03, "YX": 0.02}
    error = correlated_pauli(
        list(injected_weights.values()), list(injected_weights), wires
    )
    spectator = zz_crosstalk(0.2, [(1, 2)], 1.0)
    process = spectator(Circuit([target, error], 3))
    confusion = ReadoutConfusion(np.asarray([0.03, 0.05]), np.asarray([0.06, 0.02]))
    stack = process_circuits(process, wires)

    @quick_jit
    def experiment(own):
        first, second = jax.random.split(own)
        prepared = readout_circuits(2)
        seen = sample_counts(first, prepared, (0, 1), 20_000, confusion)
        counts = sample_counts(second, stack, wires, 4000, confusion)
        return fit_process(counts, readout=fit_readout_matrix(seen))

    found = experiment(key)
    ideal = np.asarray(transfer_matrix(target), float)
    # R_E = R R_target^T; p_P = sum_Q (-1)^[P, Q] (R_E)_QQ / 16.
    matrices = [np.kron(oracles.PAULIS[a], oracles.PAULIS[b]) for a, b in words]
    signs = [
        [1 if np.allclose(p @ q, q @ p) else -1 for q in matrices] for p in matrices
    ]
    slopes = np.einsum("pq,qr->pqr", np.asarray(signs) / 16, ideal)
    weights = np.einsum("pqr,qr->p", slopes, np.asarray(found.transfer, float))
    covariance = np.einsum(
        "pqr,qrst,ust->pu", slopes, np.asarray(found.covariance, float), slopes
    )
    # The spectator turns wire 2 about Z by 0.2 (wire 1 stays in |0>).
    pure = {word: injected_weights.get(word, 0.0) for word in words}
    pure["II"] = 1 - sum(injected_weights.values())
    kept = np.cos(0.1) ** 2

    def twirled(law: dict[str, float]) -> np.ndarray:
        partner = {"I": "Z", "Z": "I", "X": "Y", "Y": "X"}
        return np.asarray(
            [kept * law[w] + (1 - kept) * law[partner[w[0]] + w[1]] for w in words]
        )

    def accepted(law: dict[str, float]) -> bool:
        # The weights sum to 1 exactly: the last says nothing new.
        gap = (weights - twirled(law))[:-1]
        chi2 = gap @ np.linalg.solve(covariance[:-1, :-1], gap)
        return p_value(np.asarray([chi2]), 15) > stats.ALPHA

    first = {a: sum(pure[a + b] for b in "IXYZ") for a in "IXYZ"}
    second = {b: sum(pure[a + b] for a in "IXYZ") for b in "IXYZ"}
    assert accepted(pure)
    assert not accepted({a + b: first[a] * second[b] for a, b in words})
    channel, info = found.nearest(wires)
    assert info.converged
    near = pauli_twirl(channel, target).weights
    assert near is not None
    np.testing.assert_allclose(near, twirled(pure), atol=0.02)


def test_wires_come_in_the_order_they_are_named(key):
    """CX on (1, 0) seen on wires (1, 0) is a CX, and on (0, 1) another matrix."""
    process = Circuit([cx(2, 0), rx(0.3, 1)], 3)
    ideal = np.asarray(transfer_matrix(cx(0, 1)))
    exchanged = np.asarray(transfer_matrix(cx(1, 0), (0, 1)))
    np.testing.assert_allclose(exact_transfer(process, (2, 0)), ideal, atol=1e-6)
    np.testing.assert_allclose(exact_transfer(process, (0, 2)), exchanged, atol=1e-6)
    stack = process_circuits(process, (2, 0))
    counts = quick_jit(lambda own: sample_counts(own, stack, (2, 0), 400))(key)
    found = quick_jit(fit_process)(counts)
    gap = abs(np.asarray(found.transfer) - ideal)
    assert gap.max() < 0.35 and abs(np.asarray(found.transfer) - exchanged).max() > 0.8


@pytest.mark.x64
def test_exact_transfer_is_the_oracles():
    process = injected(2)
    truth = oracle_transfer(process)
    np.testing.assert_allclose(exact_transfer(process, (0, 1)), truth, atol=1e-12)
    listed = transfer_matrix(process.operations)
    np.testing.assert_allclose(listed, truth, atol=1e-12)


def test_exact_transfer_sees_other_wires_and_measurements():
    """A wire entangled with |0> and forgotten is dephased, as a measured one is."""
    expected = np.diag([1.0, 0, 0, 1])
    for process in (Circuit([cx(1, 0)], 2), Circuit([Measure(1)], 2)):
        np.testing.assert_allclose(exact_transfer(process, (1,)), expected, atol=1e-6)


def test_noise_of_preparation_and_measurement_is_part_of_the_estimate(key):
    """`noise` acts on the whole circuit: U3, process, U3 each lose a factor."""
    stack = process_circuits(Circuit([h(0)], 1), (0,), "01+-rl")
    model = NoiseModel((depolarizing(0.1, 0),))
    found = quick_jit(
        lambda own: fit_process(
            sample_counts(own, stack, (0,), 4000, noise=model), "01+-rl"
        )
    )(key)
    assert abs(float(found.transfer[1, 3]) - 0.9**3) < 5 * found.stderr()[1, 3]


def test_fidelity_of_an_estimate_covers_the_true_one(key):
    """z-scores of many experiments are standard normal; half the error bar is not."""
    process = Circuit([t(0), amplitude_damping(0.1, 0), rz(0.1, 0)], 1)
    exact = float(average_gate_fidelity(exact_transfer(process, (0,)), t(0)))
    stack = process_circuits(process, (0,))

    @quick_jit
    @jax.vmap
    def experiment(own):
        found = fit_process(sample_counts(own, stack, (0,), SHOTS))
        return found.average_gate_fidelity(t(0))

    means, errors = experiment(jax.random.split(key, 200))
    scores = (np.asarray(means, float) - exact) / np.asarray(errors, float)
    assert p_value(scores**2, 1) > stats.ALPHA
    assert p_value((2 * scores) ** 2, 1) < stats.ALPHA


# --- readout errors undone ------------------------------------------------------------


def test_estimated_readout_errors_are_undone_and_propagated(key):
    """Chi-squared with a readout that is itself estimated from few shots.

    Mutants: readout errors left in; the estimate taken for the truth, which makes the
    error bars too small.
    """
    process, confusion = injected(1), ReadoutConfusion(*np.asarray([[0.05], [0.12]]))
    truth = oracle_transfer(process)
    stack, states = process_circuits(process, (0,)), np.asarray([[0], [1]])
    prepared = readout_circuits(1, states)

    @quick_jit
    @jax.vmap
    def experiment(own):
        first, second = jax.random.split(own)
        seen = sample_counts(first, prepared, (0,), 200, confusion)
        counts = sample_counts(second, stack, (0,), SHOTS, confusion)
        readout = fit_readout(seen, states)
        return (
            fit_process(counts, readout=readout),
            fit_process(counts, readout=fit_readout_matrix(seen)),
            fit_process(counts),
            fit_process(counts, readout=readout.matrix()),
        )

    results = experiment(jax.random.split(key, 60))
    p_values = []
    for found in results:
        chi2 = chi_squared(
            found.transfer[:, 1:], found.covariance[:, 1:, :, 1:, :], truth[1:]
        )
        p_values.append(p_value(chi2, 12))
    by_wire, full, left_in, taken_for_true = p_values
    assert min(by_wire, full) > stats.ALPHA
    assert max(left_in, taken_for_true) < stats.ALPHA


# --- nearest channel ------------------------------------------------------------------


def test_the_nearest_channel_is_one_and_is_closer_to_the_truth(key):
    process = Circuit([h(0), depolarizing(0.05, 0)], 1)
    truth = np.asarray(exact_transfer(process, (0,)))
    stack = process_circuits(process, (0,))

    @quick_jit
    @jax.vmap
    def experiment(own):
        found = fit_process(sample_counts(own, stack, (0,), 100))
        channel, info = found.nearest((0,))
        return found.transfer, channel.kraus, info.converged

    raw, kraus, converged = experiment(jax.random.split(key, 20))
    assert np.all(converged)
    negative = 0
    for transfer, operators in zip(np.asarray(raw), np.asarray(kraus), strict=True):
        channel = kraus_channel(operators, 0)  # raises unless it keeps the trace
        near = np.asarray(transfer_matrix(channel))
        assert np.linalg.norm(near - truth) <= np.linalg.norm(transfer - truth) + 1e-4
        values = np.linalg.eigvalsh(np.asarray(choi_from_transfer(transfer)))
        negative += values.min() < -1e-3
    assert negative > 10  # there was something to project


# --- bad input ------------------------------------------------------------------------


def test_arguments_that_do_not_fit_are_refused(key):
    process = Circuit([h(0)], 2)
    stack = process_circuits(process, (0,))
    with pytest.raises(ValueError, match="`shots` must be at least 1"):
        sample_counts(key, stack, (0,), 0)
    with pytest.raises(ValueError, match="`wires` must lie in"):
        process_circuits(process, (2,))
    with pytest.raises(ValueError, match="`wires` must name at least one"):
        state_circuits(process, ())
    with pytest.raises(ValueError, match="`wires` must not repeat"):
        sample_counts(key, stack, (0, 0), 10)
    for letters in ("01+", "01+-", "", "0012", "01+r1"):
        with pytest.raises(ValueError, match="`preparations` must be different"):
            process_circuits(process, (0,), letters)
    with pytest.raises(ValueError, match=r"`counts` must have shape \(12, 2\)"):
        fit_process(jnp.ones((11, 2), int))
    with pytest.raises(ValueError, match=r"`counts` must have shape \(9, 4\)"):
        fit_state(jnp.ones((3, 4), int))
    two = ReadoutConfusion(np.zeros(2), np.zeros(2))
    with pytest.raises(ValueError, match="`readout` must be about 1 wires"):
        sample_counts(key, stack, (0,), 10, two)
    with (
        memory_limit(2**15),
        pytest.raises(ValueError, match="Covariance of a process"),
    ):
        fit_process(jnp.ones((144, 4), int))
    with pytest.raises(ValueError, match="`target` must have the estimate's wires"):
        fit_process(jnp.ones((12, 2), int)).average_gate_fidelity(cx(0, 1))
