"""One table of optimizers; each row passes the same tests."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from qjax.circuits import hardware_efficient, ising
from qjax.geometry import metric_tensor, metric_vp
from qjax.optim import qng, scale_by_metric, scale_by_metric_product
from qjax.simulate import expectation, run
from qjax.states import StateVector
from tests import oracles

HAMILTONIAN = ising(2)


def state(params) -> StateVector:
    start = StateVector.zeros(2, jnp.complex64)
    return run(hardware_efficient(params["angles"]), start)


def loss(params):
    return expectation(state(params), HAMILTONIAN)


def metric(params, batch=None):
    del batch
    return metric_tensor(state, params)


def product(params, vector, batch=None):
    del batch
    return metric_vp(state, params, vector)


def hybrid() -> optax.GradientTransformationExtraArgs:
    """Natural gradient for the angles only, Adam for the rest."""

    def angles_only(angles, batch=None):
        del batch
        # What other optimizers own is masked out and has no leaves.
        return metric_tensor(state, {"angles": angles["angles"]})

    transforms = {"quantum": qng(0.1, angles_only), "rest": optax.adam(0.1)}
    return optax.partition(transforms, {"angles": "quantum", "offset": "rest"})


def falling(count):
    """A schedule that needs no implicit promotion, which optax's own ones do."""
    return 0.2 * jnp.exp(-count.astype(jnp.float32) / 200)


OPTIMIZERS = {
    "qng": lambda: qng(0.1, metric),
    "qng with a schedule": lambda: qng(falling, metric, damping=0.1),
    "products": lambda: optax.chain(
        scale_by_metric_product(product, 0.01), optax.scale_by_learning_rate(0.1)
    ),
    "clipped": lambda: optax.chain(
        optax.clip_by_global_norm(1.0),
        scale_by_metric(metric, 0.01),
        optax.scale_by_learning_rate(0.1),
    ),
    "momentum": lambda: optax.chain(
        scale_by_metric(metric, 0.01),
        optax.trace(0.5),
        optax.scale_by_learning_rate(0.05),
    ),
}
rows = pytest.mark.parametrize("name", sorted(OPTIMIZERS))
few = pytest.mark.parametrize("name", ["products", "qng with a schedule"])


def initial() -> dict[str, jax.Array]:
    # float32 whatever the width of the process: dtype is a tested property.
    values = 0.5 * np.random.default_rng(0).normal(size=(2, 2, 2))
    return {"angles": jnp.asarray(values, jnp.float32)}


@few
def test_unknown_extra_arguments_are_tolerated_and_known_ones_optional(name):
    optimizer, params = OPTIMIZERS[name](), initial()
    optimizer = optax.with_extra_args_support(optimizer)
    gradient, opt_state = jax.grad(loss)(params), optimizer.init(params)
    plain, _ = optimizer.update(gradient, opt_state, params)
    extra, _ = optimizer.update(
        gradient, opt_state, params, batch=jnp.ones(3), value=1.0, nonsense="yes"
    )
    np.testing.assert_array_equal(plain["angles"], extra["angles"])


@rows
def test_no_second_trace(name):
    optimizer, params, traces = OPTIMIZERS[name](), initial(), []

    @jax.jit
    def step(params, opt_state):
        traces.append(1)
        updates, opt_state = optimizer.update(jax.grad(loss)(params), opt_state, params)
        return optax.apply_updates(params, updates), opt_state

    opt_state = optimizer.init(params)
    for _ in range(3):
        params, opt_state = step(params, opt_state)
    assert len(traces) == 1


@rows
def test_scan_converges_to_the_ground_state_like_the_loop(name):
    optimizer, params = OPTIMIZERS[name](), initial()

    def step(carry, _):
        params, opt_state = carry
        value, gradient = jax.value_and_grad(loss)(params)
        updates, opt_state = optimizer.update(gradient, opt_state, params)
        return (optax.apply_updates(params, updates), opt_state), value

    carry = (params, optimizer.init(params))
    (final, _), values = jax.jit(lambda c: jax.lax.scan(step, c, None, length=200))(
        carry
    )
    words = zip(HAMILTONIAN.coefficients, HAMILTONIAN.words, strict=True)
    matrix = sum(
        float(c) * oracles.pauli_word("".join(p for _, p in w), [q for q, _ in w], 2)
        for c, w in words
    )
    ground = np.linalg.eigvalsh(matrix).min()
    assert loss(final) - ground < 0.02 * abs(ground)
    jitted = jax.jit(step)
    for expected in values[:3]:
        carry, value = jitted(carry, None)
        np.testing.assert_allclose(value, expected, atol=1e-5)


@pytest.mark.parametrize("width", ["x32", "x64"])
@few
def test_updates_have_the_dtype_of_the_parameters(name, width):
    with jax.enable_x64(width == "x64"):
        optimizer, params = OPTIMIZERS[name](), initial()
        gradient = jax.grad(loss)(params)
        updates, _ = optimizer.update(gradient, optimizer.init(params), params)
        assert updates["angles"].dtype == params["angles"].dtype == jnp.float32


@pytest.mark.x64
def test_matrix_free_step_is_the_dense_step():
    params = jax.tree.map(lambda x: x.astype(jnp.float64), initial())
    gradient = jax.grad(loss)(params)
    dense = scale_by_metric(metric, 0.01)
    free = scale_by_metric_product(product, 0.01, max_steps=100, tolerance=1e-12)
    steps = [t.update(gradient, t.init(params), params)[0] for t in (dense, free)]
    np.testing.assert_allclose(steps[0]["angles"], steps[1]["angles"], atol=1e-4)


@pytest.mark.x64
def test_step_solves_the_damped_equation():
    params = jax.tree.map(lambda x: x.astype(jnp.float64), initial())
    gradient = jax.grad(loss)(params)
    transform = scale_by_metric(metric, 0.05)
    step, _ = transform.update(gradient, transform.init(params), params)
    shifted = np.asarray(metric(params)) + 0.05 * np.eye(8)
    np.testing.assert_allclose(
        shifted @ step["angles"].reshape(-1),
        gradient["angles"].reshape(-1),
        atol=1e-10,
    )


def test_the_batch_reaches_the_metric():
    def scaled(params, batch):
        return batch * jnp.eye(params.size)

    params = jnp.ones(2)
    transform = scale_by_metric(scaled, 0.0)
    state = transform.init(params)
    step, _ = transform.update(params, state, params, batch=jnp.asarray(4.0))
    np.testing.assert_allclose(step, [0.25, 0.25])
    free = scale_by_metric_product(lambda p, v, batch: batch * v, 1e-6)
    state = free.init(params)
    step, _ = free.update(params, state, params, batch=jnp.asarray(4.0))
    np.testing.assert_allclose(step, [0.25, 0.25], rtol=1e-5)


def test_the_circuits_part_gets_the_metric_and_the_rest_adam():
    optimizer = hybrid()
    params = {**initial(), "offset": jnp.asarray(2.0)}

    def total(params):
        return loss(params) + params["offset"] ** 2

    @jax.jit
    def step(params, opt_state):
        gradient = jax.grad(total)(params)
        updates, opt_state = optimizer.update(
            gradient, opt_state, params, batch=jnp.ones(2)
        )
        return optax.apply_updates(params, updates), opt_state

    pure, opt_state = qng(0.1, metric), optimizer.init(params)
    gradient = jax.grad(loss)({"angles": params["angles"]})
    expected, _ = pure.update(gradient, pure.init(gradient), initial())
    with jax.numpy_dtype_promotion("standard"):  # optax's Adam mixes ints and floats
        first, opt_state = step(params, opt_state)
    change = first["angles"] - params["angles"]
    np.testing.assert_allclose(change, expected["angles"], atol=1e-5)
    # Adam's first step has the size of its rate.
    np.testing.assert_allclose(first["offset"], 1.9, atol=1e-4)


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="`damping` must be at least 0"):
        scale_by_metric(metric, -0.1)
    with pytest.raises(ValueError, match="`damping` must be positive"):
        scale_by_metric_product(product, 0.0)
    with pytest.raises(ValueError, match="`params` must be passed"):
        qng(0.1, metric).update(initial(), qng(0.1, metric).init(initial()))
