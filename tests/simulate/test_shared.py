"""Trajectories that share a noiseless run: the same as those run one by one."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qjax.circuits import Circuit, Repeat, cx, cz, h, pauli, rx, ry, s
from qjax.noise import (
    amplitude_damping,
    bit_flip,
    depolarizing,
    phase_flip,
    two_qubit_depolarizing,
)
from qjax.simulate import (
    average,
    average_trajectories,
    average_until,
    expectation,
    run,
    trajectory,
)
from qjax.simulate.shared import share_run, shares_run
from qjax.states import DensityMatrix, PauliDensity, StateVector, fidelity
from tests import stats

N, FEW = 8, 5
"""Wires: as many as averages share a run of, and what is enough to see it right."""

WORDS = [pauli("Z", 1), pauli("X", 3), pauli("ZZ", (2, 7)), pauli("XX", (5, 6))]


def chain(own, strength) -> Circuit:
    """One segment: all noise stands among Clifford gates."""
    n = len(own)
    operations = [ry(own[wire], wire) for wire in range(n)]
    for wire in range(n - 1):
        operations += [cx(wire, wire + 1), depolarizing(strength, wire + 1)]
    return Circuit(operations, n)


def chains(angles, strength) -> Circuit:
    body = jax.vmap(lambda own: chain(own, strength))(angles)
    return Circuit([Repeat(body, len(angles))], angles.shape[1])


def noisy(angles, strength) -> Circuit:
    """Straight parts around two repeated ones; the second has two segments."""

    def stopped(own):
        pair = two_qubit_depolarizing(strength, (3, 4))
        operations = [rx(own[0], 1), bit_flip(strength, 1), ry(own[1], 1), cz(1, 3)]
        return Circuit([*operations, pair, s(3), h(4)], FEW)

    stops = Repeat(jax.vmap(stopped)(angles), len(angles))
    between = [phase_flip(strength, 3), h(3), bit_flip(strength, 0)]
    head = Circuit([h(0), bit_flip(strength, 2)], FEW) + chains(angles, strength)
    return head + Circuit([*between, stops], FEW)


SEGMENTS, STEPS = 1 + 3 + 1 + 2 * 3, 1 + 3 + 1 + 3
ANGLES = np.random.default_rng(8).uniform(-np.pi, np.pi, (3, N)).astype(np.float32)
NARROW = ANGLES[:, :FEW]
SUM = pauli("Z", 1) + 0.5 * pauli("X", 3) + pauli("ZZ", (2, 7))


@functools.partial(jax.jit, static_argnums=0)
def together(batch: int, keys, prepared):
    """Final states and ln probabilities by batches of a shared run."""
    split = keys.reshape(-1, batch)
    finals, logs = jax.lax.map(prepared.trajectories, split)
    return finals.amplitudes.reshape(len(keys), -1), logs.reshape(-1)


@functools.cache
def alone(count: int, seed: int, strength: float):
    keys = jax.random.split(jax.random.key(seed), count)
    go = jax.jit(jax.vmap(trajectory, in_axes=(0, None, None)))
    finals, records = go(keys, noisy(NARROW, strength), StateVector.zeros(FEW))
    return keys, np.asarray(finals.amplitudes).reshape(count, -1), records.log_prob


def overlaps(one, other) -> np.ndarray:
    return abs(np.einsum("bi,bi->b", np.asarray(one).conj(), np.asarray(other)))


# --- trajectory by trajectory ---------------------------------------------------------


@pytest.mark.parametrize("batch, kept", [(1, 2**26), (4, 2**26), (1, 3 * 2**8)])
def test_each_key_gives_what_trajectory_gives_up_to_a_phase(batch, kept):
    """Also with few kept states; the mutant takes the words of another key."""
    keys, finals, log_probs = alone(24, 1, 0.06)
    prepared = share_run(noisy(NARROW, 0.06), StateVector.zeros(FEW), kept)
    assert len(prepared.kept) == min(1 + STEPS, kept // 2**8)
    found, logs = together(batch, keys, prepared)
    np.testing.assert_allclose(overlaps(found, finals), 1, atol=1e-5)
    np.testing.assert_allclose(logs, log_probs, rtol=1e-4)
    assert np.sum(overlaps(found[::-1], finals) < 0.9) > 12


def test_a_trajectory_without_errors_costs_nothing(key):
    """It is the kept state, whatever the matrices; one error needs the rest of them."""
    exact = run(without_noise(noisy(NARROW, 0.06)), StateVector.zeros(FEW))
    prepared = share_run(noisy(NARROW, 0.06), StateVector.zeros(FEW))
    lame = jax.tree.map(lambda m: jnp.full_like(m, jnp.nan), prepared.matrices)
    prepared = dataclasses.replace(prepared, matrices=lame)
    for segment, finite in ((None, True), (SEGMENTS - 1, True), (SEGMENTS - 2, False)):
        words = np.zeros((1, SEGMENTS, 2), np.uint32)
        if segment is not None:
            words[0, segment] = 5, 3
        final = prepared.final_states(jnp.asarray(words))
        assert np.all(np.isfinite(np.asarray(final.amplitudes))) == finite
        if segment is None:
            one = jax.tree.map(lambda leaf: leaf[0], final)
            assert abs(float(fidelity(one, exact)) - 1) < 1e-5


def without_noise(circuit: Circuit) -> Circuit:
    operations = []
    for operation in circuit.operations:
        if isinstance(operation, Repeat):
            body = without_noise(operation.body)
            operations.append(Repeat(body, operation.depth))
        elif operation.name not in ("BitFlip", "PhaseFlip", "Depolarizing",
                                    "Depolarizing2"):  # fmt: skip
            operations.append(operation)
    return Circuit(operations, circuit.num_wires)


def test_which_circuits_and_states_share_a_run():
    circuit = chains(ANGLES, 0.1)
    assert shares_run(circuit, StateVector.zeros(N))
    assert not shares_run(circuit, DensityMatrix.zeros(N))
    damped = circuit + Circuit([amplitude_damping(0.1, 0)], N)
    assert not shares_run(damped, StateVector.zeros(N))
    small = Circuit([h(0), bit_flip(0.1, 0)], 1)
    assert not shares_run(small, StateVector.zeros(1))


# --- averages -------------------------------------------------------------------------


def test_the_average_is_that_of_the_density_matrix(key):
    """Four z-tests at joint level ALPHA; the mutant has half of the noise."""
    zero = StateVector.zeros(N)
    mean = jax.jit(
        lambda k: average_trajectories(k, chains(ANGLES, 0.03), zero, WORDS, 4000)
    )(key)
    p_values = {}
    for name, strength in (("right", 0.03), ("mutant", 0.015)):
        exact = expectation(run(chains(ANGLES, strength), PauliDensity.zeros(N)), WORDS)
        gaps = zip(mean.mean, exact, mean.stderr, strict=True)
        p_values[name] = [stats.z_p_value(*map(float, gap)) for gap in gaps]
    assert min(p_values["right"]) > stats.corrected(4)
    assert min(p_values["mutant"]) < stats.corrected(4)


def unshared(monkeypatch) -> None:
    monkeypatch.setattr(average, "shares_run", lambda circuit, state: False)


def mean(angles, strength, k, size=None, shots=None):
    zero = StateVector.zeros(N)
    circuit = chains(angles, strength)
    return average_trajectories(
        k, circuit, zero, SUM, 6, shots=shots, batch_size=size
    ).mean


def test_values_are_those_of_trajectories_one_by_one(key, x64, monkeypatch):
    """Under jit and vmap, in batches of one and of many, with shots and without."""
    angles, keys = jnp.asarray(ANGLES, float), jax.random.split(key, 2)

    def values(size, shots):
        go = jax.vmap(lambda k: mean(angles, 0.05, k, size, shots))
        return np.asarray(jax.jit(go)(keys))

    found = {case: values(*case) for case in ((1, None), (6, 2))}
    unshared(monkeypatch)
    for shots in (None, 2):
        expected = values(6, shots)
        assert np.ptp(expected) > 1e-3
        for case in found:
            same = np.allclose(found[case], expected, atol=1e-11)
            assert same == (case[1] == shots)


def test_gradients_are_those_of_trajectories_one_by_one(key, x64, monkeypatch):
    """The derivative is another program than the value: both under one jit and vmap."""
    angles, keys = jnp.asarray(ANGLES[:2], float), jax.random.split(key, 2)

    def both(k):
        pair = jax.value_and_grad(mean, argnums=(0, 1))(angles, 0.05, k)
        return mean(angles, 0.05, k), pair

    value, (same, slopes) = jax.jit(jax.vmap(both))(keys)
    np.testing.assert_allclose(same, value, atol=1e-11)
    unshared(monkeypatch)
    direct = jax.jit(jax.vmap(jax.grad(mean, argnums=(0, 1)), in_axes=(None, None, 0)))
    for one, other in zip(slopes, direct(angles, 0.05, keys), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-11)
    assert np.abs(slopes[0]).max() > 1e-2 and np.abs(slopes[1]).min() > 1e-3


@pytest.mark.slow
def test_forward_mode_gives_the_slope_of_reverse_mode(key, x64):
    angles = jnp.asarray(ANGLES[:2], float)
    value, slope = jax.jit(jax.value_and_grad(lambda p: mean(angles, p, key)))(0.05)
    go = jax.jit(lambda p: jax.jvp(lambda q: mean(angles, q, key), (p,), (1.0,)))
    np.testing.assert_allclose(go(0.05), (value, slope), atol=1e-11)


def test_average_until_takes_the_same_trajectories(key):
    circuit, zero = chains(ANGLES, 0.02), StateVector.zeros(N)
    found = average_until(
        key, circuit, zero, WORDS, target_stderr=0.05, max_trajectories=2000
    )
    assert found.reached
    count = int(found.num_trajectories)
    fixed = average_trajectories(key, circuit, zero, WORDS, count)
    np.testing.assert_allclose(found.mean, fixed.mean, atol=1e-5)
