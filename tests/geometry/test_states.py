"""The Fubini-Study metric: formulas, fidelity, a NumPy oracle, and its product."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

from qjax.circuits import Circuit, hardware_efficient, phase, ry, rz
from qjax.geometry import metric_tensor, metric_vp
from qjax.simulate import run
from qjax.states import DensityMatrix, StateVector
from tests import oracles
from tests.compiling import quick_jit

SHAPE = (2, 3, 2)


def layered(angles) -> StateVector:
    return run(hardware_efficient(angles), StateVector.zeros(3))


def angles(key) -> jax.Array:
    return jax.random.normal(key, SHAPE)


def numpy_state(flat: np.ndarray) -> np.ndarray:
    """The same circuit by Kronecker products."""
    vector = oracles.zero_state(3)
    for layer in flat.reshape(SHAPE):
        for position, name in enumerate(("ry", "rz")):
            for wire in range(3):
                gate = oracles.gate(name, layer[wire, position])
                vector = oracles.embed(gate, (wire,), 3) @ vector
        for wire in range(2):
            vector = oracles.embed(oracles.gate("cx"), (wire, wire + 1), 3) @ vector
    return vector


@pytest.mark.x64
def test_metric_is_the_oracles_on_random_circuits(getkey):
    for _ in range(5):
        params = angles(getkey())
        metric = jax.jit(lambda p: metric_tensor(layered, p))(params)
        expected = oracles.metric_tensor(numpy_state, np.asarray(params).reshape(-1))
        np.testing.assert_allclose(metric, expected, atol=1e-9)
        assert np.linalg.eigvalsh(metric).min() > -1e-12


@pytest.mark.x64
def test_metric_is_the_second_order_loss_of_fidelity(key):
    params = angles(key)
    direction = jax.random.normal(jax.random.fold_in(key, 1), SHAPE)
    step = 1e-3
    metric = metric_tensor(layered, params)
    flat = direction.reshape(-1)
    losses = [
        1 - abs(layered(params).overlap(layered(params + s * direction))) ** 2
        for s in (step, -step)
    ]
    # The odd term cancels: what is left over is of fourth order.
    loss = sum(losses) / 2 / step**2
    np.testing.assert_allclose(loss, flat @ metric @ flat, rtol=1e-4)


def test_known_formulas():
    def one(params):
        theta, phi = params
        return run(Circuit([ry(theta, 0), phase(phi, 0)], 1), StateVector.zeros(1))

    metric = metric_tensor(one, (jnp.asarray(0.7), jnp.asarray(0.2)))
    # Bloch sphere: (d theta^2 + sin(theta)^2 d phi^2) / 4.
    expected = np.diag([1, np.sin(0.7) ** 2]) / 4
    np.testing.assert_allclose(metric, expected, atol=1e-6)


def test_a_global_phase_does_not_count():
    def state(theta):
        return run(Circuit([rz(theta, 0)], 1), StateVector.zeros(1))

    np.testing.assert_allclose(metric_tensor(state, jnp.asarray(0.4)), 0, atol=1e-6)


def test_a_shared_parameter_sums_its_gates_blocks(key):
    theta = jnp.asarray(0.3)

    def shared(theta):
        return run(Circuit([ry(theta, 0), ry(theta, 1)], 2), StateVector.zeros(2))

    np.testing.assert_allclose(metric_tensor(shared, theta), [[0.5]], atol=1e-6)


def test_frozen_parameters_are_left_out(key):
    params = {"trained": angles(key)[:1], "frozen": angles(key)[1:]}

    def state(params):
        return layered(jnp.concatenate([params["trained"], params["frozen"]]))

    mask = {"trained": True, "frozen": False}
    trained, frozen = eqx.partition(params, mask)
    metric = metric_tensor(lambda p: state(eqx.combine(p, frozen)), trained)
    full = metric_tensor(layered, angles(key))
    size = trained["trained"].size
    np.testing.assert_allclose(metric, full[:size, :size], atol=1e-6)


def test_any_pytree_in_ravel_order_and_product_equals_matrix(getkey):
    params = {"b": angles(getkey())[0], "a": [angles(getkey())[1, :, 0], jnp.zeros(3)]}

    def state(params):
        second = jnp.stack(params["a"], axis=-1)
        return layered(jnp.stack([params["b"], second]))

    vector = jax.tree.map(lambda x: jax.random.normal(getkey(), x.shape), params)
    product = jax.jit(lambda p, v: metric_vp(state, p, v))(params, vector)
    assert jax.tree.structure(product) == jax.tree.structure(params)
    dense = metric_tensor(state, params) @ ravel_pytree(vector)[0]
    np.testing.assert_allclose(ravel_pytree(product)[0], dense, atol=1e-5)


def test_product_is_linear_and_traced_once(getkey):
    traces = []

    @jax.jit
    def product(params, vector):
        traces.append(1)
        return metric_vp(layered, params, vector)

    for _ in range(5):
        params, v, w = angles(getkey()), angles(getkey()), angles(getkey())
        total = product(params, 2 * v + w)
        apart = 2 * product(params, v) + product(params, w)
        np.testing.assert_allclose(total, apart, atol=1e-5)
    assert len(traces) == 1


def test_vmap_is_a_loop_and_the_metric_is_differentiable(getkey):
    batch = jnp.stack([angles(getkey()) for _ in range(3)])
    many = jax.vmap(lambda p: metric_tensor(layered, p))(batch)
    for row, params in zip(many, batch, strict=True):
        np.testing.assert_allclose(row, metric_tensor(layered, params), atol=1e-6)
    products = jax.vmap(lambda p: metric_vp(layered, p, p))(batch)
    np.testing.assert_allclose(
        products[1], metric_vp(layered, batch[1], batch[1]), atol=1e-5
    )

    def bloch(theta):
        turns = Circuit([ry(theta, 0), phase(jnp.asarray(0.2), 0)], 1)
        return run(turns, StateVector.zeros(1))

    assert np.isfinite(
        jax.grad(lambda t: metric_tensor(bloch, t)[0, 0])(jnp.asarray(0.3))
    )


@pytest.mark.x64
def test_single_precision_parameters_keep_their_dtype_under_x64(key):
    params = angles(key).astype(jnp.float32)

    def state(params):
        return run(hardware_efficient(params), StateVector.zeros(3, jnp.complex64))

    assert metric_tensor(state, params).dtype == jnp.float32
    assert metric_vp(state, params, params).dtype == jnp.float32


@pytest.mark.x64
def test_they_work_through_the_adjoint(key):
    """Forward mode cannot go through it: they transpose reverse mode instead."""
    params = jax.random.normal(key, (2, 2, 1))

    def state(gradient):
        zeros = StateVector.zeros(2)
        return lambda p: run(
            hardware_efficient(p, "Y"), zeros, method="blocks", gradient=gradient
        )

    for function in (metric_tensor, lambda s, p: metric_vp(s, p, jnp.cos(p))):
        found, expected = (
            quick_jit(lambda p, f=function, g=gradient: f(state(g), p))(params)
            for gradient in ("adjoint", "reverse")
        )
        np.testing.assert_allclose(found, expected, atol=1e-12)


def test_a_mixed_state_is_refused(key):
    def state(params):
        return run(hardware_efficient(params), DensityMatrix.zeros(3))

    for call in (metric_tensor, lambda s, p: metric_vp(s, p, p)):
        with pytest.raises(Exception, match=r"must return a StateVector|type"):
            call(state, angles(key))  # pyright: ignore[reportArgumentType]
