"""Parameter shift: equal to reverse mode and finite differences, for every gate."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qjax.circuits import (
    GATES,
    Circuit,
    Conditional,
    Measure,
    PauliSum,
    controlled,
    crx,
    gate,
    h,
    hardware_efficient,
    hermitian,
    pauli,
    pauli_rotation,
    rx,
    ry,
    rz,
    template,
    u3,
    unitary,
)
from qjax.circuits.operation import Unitary
from qjax.gradients import (
    forward_gradient,
    frequencies,
    parameter_shift,
    sampled_parameter_shift,
)
from qjax.noise import amplitude_damping, depolarizing
from qjax.simulate import estimate, expectation, run
from qjax.states import DensityMatrix, StateVector
from tests import oracles, stats

RNG = np.random.default_rng(3)
START = oracles.random_unitary(RNG, 8)
END = oracles.random_unitary(RNG, 8)
OBSERVABLE = hermitian(END @ np.diag(np.arange(8.0)) @ END.conj().T, (0, 1, 2))

PARAMETRISED = [name for name, spec in GATES.items() if spec.num_params]
EXTRA = {
    "RXZY": lambda x: pauli_rotation(x[0], "XZY", (2, 0, 1)),
    "C-RX": lambda x: controlled(rx(x[0], 2), (0,), (0,)),
    "CC-PHASE": lambda x: controlled(gate("PHASE", 2, x[0]), (0, 1)),
    "C-U3": lambda x: controlled(u3(x[0], x[1], x[2], 2), 1),
    "C-RZZ": lambda x: controlled(gate("RZZ", (2, 0), x[0]), 1),
}


def build_of(name):
    if name in EXTRA:
        return EXTRA[name]
    spec = GATES[name]
    wires = (2, 0)[: spec.num_wires]
    return lambda x: gate(name, wires, *(x[i] for i in range(spec.num_params)))


def assert_close(found, expected):
    def check(one, other):
        np.testing.assert_allclose(one, other, atol=1e-12)

    jax.tree.map(check, found, expected)


def value(circuit):
    return expectation(run(circuit, StateVector.zeros(3)), OBSERVABLE)


@pytest.mark.parametrize("name", [*PARAMETRISED, *EXTRA])
def test_every_gate_agrees_with_reverse_mode_and_finite_differences(name, x64):
    count = 3 if "U3" in name else 1
    params = jnp.asarray([0.4, -1.1, 2.3][:count])

    def build(x):
        return Circuit([unitary(START, (0, 1, 2)), build_of(name)(x)], 3)

    def direct(x):
        return value(build(x))

    exact = jax.jit(jax.grad(direct))(params)
    shift = jax.jit(lambda x: parameter_shift(value, x, circuit_fn=build))(params)
    spectra = frequencies(build, params)
    other = jax.jit(lambda x: parameter_shift(direct, x, spectra=spectra))(params)
    both, forward = jax.jit(lambda x: forward_gradient(direct, x))(params)
    difference = oracles.gradient(jax.jit(direct), np.asarray(params))
    np.testing.assert_allclose(shift, exact, atol=1e-11)
    np.testing.assert_allclose(other, exact, atol=1e-11)
    np.testing.assert_allclose(forward, exact, atol=1e-11)
    np.testing.assert_allclose(difference, exact, atol=1e-6)
    assert float(jnp.abs(exact).max()) > 1e-3
    np.testing.assert_allclose(both, direct(params), atol=1e-12)


def test_two_terms_are_wrong_for_a_controlled_rotation(x64):
    """The mutant that knows one rule only."""

    @jax.jit
    def direct(x):
        ops = [unitary(START, (0, 1, 2)), crx(x, 0, 1)]
        return value(Circuit(ops, 3))

    x = jnp.asarray(0.7)
    exact = jax.grad(direct)(x)
    right = parameter_shift(direct, x, spectra=(0.5, 1.0))
    wrong = parameter_shift(direct, x, spectra=(1.0,))
    assert abs(float(right - exact)) < 1e-11 < 1e-3 < abs(float(wrong - exact))


# --- circuits -------------------------------------------------------------------------


def shared(params):
    """Shared, scaled, nonlinear and unused parameters, in a pytree."""
    a, b = params["a"], params["b"]
    return Circuit(
        [h(0), ry(a[0], 0), crx(2 * a[0] - a[1], 0, 1), rz(jnp.sin(b), 1)]
        + [rx(0.3, 0), u3(a[1], b, a[0] * b, 1), ry(-0.5 * a[0], 0)],
        2,
    )


def observe(circuit):
    words = (((0, "Z"),), ((0, "X"), (1, "Y")))
    observable = PauliSum(np.asarray([1.0, 0.5]), words)
    return expectation(run(circuit, StateVector.zeros(2)), observable)


PARAMS = {"a": np.asarray([0.3, -0.8, 0.1]), "b": np.asarray(0.6)}


def test_any_builder_is_shifted_gate_by_gate(x64):
    params = jax.tree.map(jnp.asarray, PARAMS)
    exact = jax.jit(jax.grad(lambda p: observe(shared(p))))(params)
    go = jax.jit(lambda p: parameter_shift(observe, p, circuit_fn=shared))
    found = go(params)
    assert_close(found, exact)
    assert float(exact["a"][2]) == 0


def test_batches_jit_and_vmap_change_nothing(x64):
    params = jax.tree.map(jnp.asarray, PARAMS)

    def go(p, batch_size=None):
        return parameter_shift(observe, p, circuit_fn=shared, batch_size=batch_size)

    plain = go(params)  # without jit
    stacked = jax.tree.map(lambda leaf: jnp.stack([leaf, leaf + 0.2]), params)
    mapped = jax.jit(jax.vmap(go))(stacked)
    second = jax.jit(go)(jax.tree.map(lambda leaf: leaf[1], stacked))
    for other, one in (
        (jax.jit(lambda p: go(p, 3))(params), plain),
        (jax.tree.map(lambda leaf: leaf[0], mapped), plain),
        (jax.tree.map(lambda leaf: leaf[1], mapped), second),
    ):
        assert_close(other, one)


def test_repeated_layers_and_templates_stay_rolled(x64):
    params = jnp.asarray(np.random.default_rng(0).uniform(-3, 3, (3, 2, 2)))

    def loop(x):
        return Circuit([ry(angle, 0) for angle in x[:, 0, 0]], 2)

    for build in (hardware_efficient, template(loop, params)):
        exact = jax.jit(jax.grad(lambda p, b=build: observe(b(p))))(params)
        go = jax.jit(lambda p, b=build: parameter_shift(observe, p, circuit_fn=b))
        found = go(params)
        np.testing.assert_allclose(found, exact, atol=1e-12)


def test_noise_measurement_and_feedback_keep_the_rule(x64):
    def build(x):
        noisy = [ry(x[0], 0), amplitude_damping(0.2, 0), rx(x[1], 1), Measure(0)]
        return Circuit([*noisy, Conditional(crx(x[0], 0, 1), (0,), (1,))], 2)

    def read(circuit):
        return expectation(run(circuit, DensityMatrix.zeros(2)), pauli("Z", 1))

    params = jnp.asarray([0.9, 0.4])
    exact = jax.jit(jax.grad(lambda x: read(build(x))))(params)
    found = jax.jit(lambda x: parameter_shift(read, x, circuit_fn=build))(params)
    np.testing.assert_allclose(found, exact, atol=1e-12)


def test_a_circuit_without_parameters_has_gradient_zero():
    def build(_):
        return Circuit([h(0)], 2)

    found = parameter_shift(observe, jnp.ones(2), circuit_fn=build)
    np.testing.assert_array_equal(found, np.zeros(2))


# --- shots ----------------------------------------------------------------------------


def shots_value(key, circuit):
    words = (((0, "Z"),), ((0, "X"), (1, "Y")))
    observable = PauliSum(np.asarray([1.0, 0.5]), words)
    return estimate(key, run(circuit, StateVector.zeros(2)), observable, 20)


def test_shots_give_an_unbiased_gradient_with_an_honest_error(key):
    params = jax.tree.map(jnp.float32, PARAMS)
    exact = jax.jit(jax.grad(lambda p: observe(shared(p))))(params)

    def go(one):
        return sampled_parameter_shift(one, shots_value, params, circuit_fn=shared)

    found = jax.jit(jax.vmap(go))(jax.random.split(key, 1000))
    level = stats.corrected(6)
    rows = [
        (np.asarray(found.mean["a"])[:, 0], exact["a"][0], found.stderr["a"][:, 0]),
        (np.asarray(found.mean["a"])[:, 1], exact["a"][1], found.stderr["a"][:, 1]),
        (np.asarray(found.mean["b"]), exact["b"], found.stderr["b"]),
    ]
    for means, truth, errors in rows:
        assert stats.mean_p_value(means, float(truth)) > level
        # The mutant: common random numbers for all terms would leave this wrong.
        ratio = np.sqrt(np.mean(np.asarray(errors) ** 2)) / means.std(ddof=1)
        assert 0.85 < ratio < 1.15
        wrong = float(truth) + 0.1 * abs(float(truth)) + 0.02
        assert stats.mean_p_value(means, wrong) < level
    np.testing.assert_array_equal(found.mean["a"][:, 2], 0)
    # Angles that move: RY, CRX, RZ, U3 (3), RY; two groups of 20 shots.
    assert found.samples == (2 + 4 + 2 + 6 + 2) * 40


def test_shots_with_given_spectra(key):
    def read(one, x):
        state = run(Circuit([ry(x, 0)], 1), StateVector.zeros(1))
        return estimate(one, state, pauli("Z", 0), 100_000)

    x = jnp.float32(0.6)
    found = sampled_parameter_shift(key, read, x, spectra=(1.0,), batch_size=1)
    p = stats.z_p_value(float(found.mean), -np.sin(0.6), float(found.stderr))
    assert p > stats.ALPHA and found.samples == 200_000


# --- bad input ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "operation, name",
    [
        (lambda x: depolarizing(x, 0), "Depolarizing"),
        (lambda x: Unitary(ry(x, 0).matrix(), (0,)), "U"),
    ],
)
def test_an_operation_without_a_rule_is_named_with_what_works(operation, name):
    def go(x):
        return parameter_shift(
            observe, x, circuit_fn=lambda y: Circuit([operation(y)], 2)
        )

    for call in (go, jax.jit(go)):
        with pytest.raises(ValueError, match=f"puts one into {name}; `jax.grad`, "):
            call(jnp.float32(0.2))


def test_arguments_that_do_not_fit_are_refused(key):
    x = jnp.ones(2)
    for arguments in ({}, {"circuit_fn": shared, "spectra": (1.0,)}):
        with pytest.raises(ValueError, match="or else `spectra`, not both"):
            parameter_shift(observe, x, **arguments)
    with pytest.raises(ValueError, match="`spectra` must hold numbers, or 2 sequences"):
        parameter_shift(jnp.sum, x, spectra=((1.0,),) * 3)
    with pytest.raises(ValueError, match="`params` must hold real floating numbers"):
        parameter_shift(jnp.sum, jnp.arange(2), spectra=(1.0,))
    with pytest.raises(TypeError, match="must return a Circuit, but returns float"):
        number: Any = lambda y: 1.0  # noqa: E731
        parameter_shift(observe, x, circuit_fn=number)
    with pytest.raises(TypeError, match="must return an Estimate, but returns"):
        wrong: Any = lambda k, y: jnp.sum(y)  # noqa: E731
        sampled_parameter_shift(key, wrong, x, spectra=(1.0,))
    with pytest.raises(ValueError, match="`batch_size` must be at least 1"):
        parameter_shift(jnp.sum, x, spectra=(1.0,), batch_size=0)
