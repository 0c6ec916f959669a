"""The channel table against maps on density matrices written in plain NumPy."""

import inspect
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qjax.circuits import Circuit, h
from qjax.noise import CHANNELS, build, channels, depolarizing, thermal_relaxation
from qjax.simulate import run
from qjax.states import DensityMatrix
from tests import oracle_channels, oracles

NAMES = sorted(CHANNELS)
# A point inside the domain, and the direction from its corner at no noise.
INSIDE = {name: (0.3,) * len(CHANNELS[name].parameters) for name in NAMES}
INSIDE["thermal_relaxation"] = (50.0, 80.0, 20.0, 0.2)
RHO_1 = oracles.random_density(np.random.default_rng(1), 1)
RHO_2 = oracles.random_density(np.random.default_rng(2), 2)


def wires_of(name: str) -> tuple[int, ...]:
    return tuple(range(CHANNELS[name].num_wires))


def image(channel, rho: np.ndarray) -> np.ndarray:
    kraus = np.asarray(channel.kraus)
    return np.einsum("kab,bc,kdc->ad", kraus, rho, kraus.conj())


def state(name: str) -> np.ndarray:
    return RHO_1 if CHANNELS[name].num_wires == 1 else RHO_2


def test_the_table_has_the_oracles_rows_and_the_builders_arguments():
    assert set(CHANNELS) == set(oracle_channels.CHANNELS)
    for name, spec in CHANNELS.items():
        arguments = list(inspect.signature(spec.builder).parameters)
        assert spec.name == name
        assert arguments[:-1] == [parameter.name for parameter in spec.parameters]
        assert spec.num_wires == oracle_channels.CHANNELS[name][0]
        assert spec.source


@pytest.mark.x64
@pytest.mark.parametrize("name", NAMES)
def test_each_channel_is_its_map_on_the_whole_domain(name):
    rng = np.random.default_rng(3)
    size = 2 ** CHANNELS[name].num_wires
    for _ in range(20):
        strengths = oracle_channels.random_params(rng, name)
        channel = build(name, strengths, wires_of(name)).checked()
        expected = oracle_channels.CHANNELS[name][2](*strengths)
        np.testing.assert_allclose(
            oracle_channels.choi(lambda rho, c=channel: image(c, rho), size),
            oracle_channels.choi(expected, size),
            atol=1e-13,
        )


@pytest.mark.x64
@pytest.mark.parametrize("name", NAMES)
def test_trace_preserving_and_completely_positive(name):
    channel = build(name, INSIDE[name], wires_of(name))
    kraus = np.asarray(channel.kraus)
    size = 2 ** CHANNELS[name].num_wires
    total = np.einsum("kba,kbc->ac", kraus.conj(), kraus)
    np.testing.assert_allclose(total, np.eye(size), atol=1e-14)
    choi = oracle_channels.choi(lambda rho: image(channel, rho), size)
    assert np.linalg.eigvalsh(choi).min() > -1e-14


@pytest.mark.x64
@pytest.mark.parametrize("name", NAMES)
def test_differentiable_inside_the_domain_and_at_no_noise(name):
    """Right at 0 too, not only finite: the slope of sqrt(p) there is infinite."""

    def entries(strengths):
        kraus = build(name, strengths, wires_of(name)).kraus
        rho = jnp.asarray(state(name))
        final = jnp.einsum("kab,bc,kdc->ad", kraus, rho, kraus.conj())
        return jnp.stack([final.real, final.imag])

    oracle = oracle_channels.CHANNELS[name][2]

    def reference(strengths):
        final: Any = oracle(*strengths)(state(name))
        return np.stack([final.real, final.imag])

    inside = np.array(INSIDE[name])
    low = np.array([parameter.low for parameter in CHANNELS[name].parameters])
    if name == "thermal_relaxation":
        low = np.array([50.0, 80.0, 0.0, 0.0])
    for point in (inside, low):
        jacobian = jax.jacrev(entries)(tuple(jnp.asarray(point)))
        for i, actual in enumerate(jacobian):
            step = 1e-5 * np.eye(len(point))[i]
            # Second-order one-sided difference: the domain ends at `low`.
            expected = (
                4 * reference(point + step)
                - reference(point + 2 * step)
                - 3 * reference(point)
            ) / 2e-5
            np.testing.assert_allclose(actual, expected, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_gradients_stay_finite_in_single_precision_at_both_ends(name):
    parameters = CHANNELS[name].parameters
    if name == "thermal_relaxation":
        ends = [(50.0, 100.0, 0.0, 0.0), (50.0, 100.0, 900.0, 1.0)]
    else:
        joint = name in ("pauli_channel", "reset_error")
        high = (1.0, *(0.0,) * (len(parameters) - 1)) if joint else None
        ends = [(0.0,) * len(parameters), high or (1.0,) * len(parameters)]
    weights = jnp.asarray(np.random.default_rng(4).normal(size=state(name).shape))

    def loss(strengths):
        circuit = Circuit([build(name, strengths, wires_of(name))], 2)
        start = Circuit([h(0), h(1)], 2)
        final = run(start + circuit, DensityMatrix.zeros(2)).matrix()
        size = len(state(name))
        return jnp.sum(weights * final[:size, :size].real)

    for end in ends:
        gradient = jax.jit(jax.grad(loss))(tuple(map(jnp.asarray, end)))
        assert all(np.isfinite(entry) for entry in gradient), (end, gradient)


@pytest.mark.parametrize("name", NAMES)
def test_strengths_may_be_batched(name):
    batch = [jnp.asarray([s, 0.9 * s]) for s in INSIDE[name]]
    many = jax.jit(jax.vmap(lambda *s: build(name, s, wires_of(name))))(*batch)
    for row in range(2):
        one = build(name, [entry[row] for entry in batch], wires_of(name))
        np.testing.assert_allclose(many.kraus[row], one.kraus, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_strengths_out_of_range_are_reported_concrete_and_traced(name):
    spec = CHANNELS[name]
    builder = jax.jit(lambda *s: build(name, s, wires_of(name)))
    for i, parameter in enumerate(spec.parameters):
        wrong = [parameter.low - 0.1]
        wrong += [parameter.high + 0.1] if np.isfinite(parameter.high) else []
        for value in (*wrong, float("nan")):
            strengths = [*INSIDE[name]]
            strengths[i] = value
            with pytest.raises(ValueError, match=f"`{parameter.name}` must"):
                build(name, strengths, wires_of(name))
            with pytest.raises(Exception, match=f"`{parameter.name}` must"):
                jax.block_until_ready(builder(*map(jnp.asarray, strengths)))


@pytest.mark.parametrize(
    ("name", "strengths"),
    [
        ("pauli_channel", (0.5, 0.4, 0.2)),
        ("reset_error", (0.7, 0.4)),
        ("thermal_relaxation", (50.0, 101.0, 1.0, 0.0)),
    ],
)
def test_joint_rules_are_reported_concrete_and_traced(name, strengths):
    assert CHANNELS[name].joint_rule
    with pytest.raises(ValueError, match="must"):
        build(name, strengths, 0)
    with pytest.raises(ValueError, match="must"):  # concrete inside jit: trace time
        jax.jit(lambda: build(name, strengths, 0))()
    with pytest.raises(Exception, match="must"):
        builder = jax.jit(lambda *s: build(name, s, 0))
        jax.block_until_ready(builder(*map(jnp.asarray, strengths)))


def test_t2_between_t1_and_twice_t1_is_allowed_and_at_the_limit_is_pure_damping():
    limit = thermal_relaxation(50.1, 100.2, 20.0, 0.0, 0)
    damping = channels.amplitude_damping(1 - np.exp(-20.0 / 50.1), 0)
    np.testing.assert_allclose(image(limit, RHO_1), image(damping, RHO_1), atol=1e-6)
    traced = jax.jit(lambda t1, t2: thermal_relaxation(t1, t2, 20.0, 0.0, 0))
    jax.block_until_ready(traced(jnp.float32(50.1), jnp.float32(100.2)))


def test_depolarizing_is_pennylanes_with_three_quarters_of_the_probability():
    qml = pytest.importorskip("pennylane")
    kraus = np.stack(qml.DepolarizingChannel(3 * 0.2 / 4, wires=0).kraus_matrices())
    ours = depolarizing(0.2, 0)
    expected = np.einsum("kab,bc,kdc->ad", kraus, RHO_1, kraus.conj())
    np.testing.assert_allclose(image(ours, RHO_1), expected, atol=1e-6)


def test_generalized_amplitude_damping_takes_pennylanes_arguments():
    qml = pytest.importorskip("pennylane")
    kraus = qml.GeneralizedAmplitudeDamping(0.3, 0.1, wires=0).kraus_matrices()
    kraus = np.stack(kraus)
    ours = channels.generalized_amplitude_damping(0.3, 0.1, 0)
    expected = np.einsum("kab,bc,kdc->ad", kraus, RHO_1, kraus.conj())
    np.testing.assert_allclose(image(ours, RHO_1), expected, atol=1e-6)


def test_an_unknown_channel_and_wrong_counts_are_named():
    with pytest.raises(ValueError, match="`name` must be one of"):
        build("depolarising", (0.1,), 0)
    with pytest.raises(ValueError, match="`wires` must have 2 entries"):
        build("two_qubit_depolarizing", (0.1,), 0)
    with pytest.raises(ValueError, match="`strengths` must have 1 entries"):
        build("bit_flip", (0.1, 0.2), 0)


@pytest.mark.x64
def test_widths_may_be_mixed():
    channel = channels.generalized_amplitude_damping(np.float32(0.3), 0.1, 0)
    assert channel.kraus.dtype == np.complex128


def test_a_strength_that_is_no_scalar_says_to_use_vmap():
    with pytest.raises(Exception, match=r"vmap|Type-check|beartype"):
        depolarizing(jnp.asarray([0.1, 0.2]), 0)
