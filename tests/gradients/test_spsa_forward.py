"""Simultaneous perturbation and forward mode."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qjax.circuits import hardware_efficient, pauli
from qjax.gradients import forward_gradient, spsa
from qjax.simulate import estimate, expectation, run
from qjax.states import StateVector
from tests import stats

PARAMS = np.random.default_rng(1).uniform(-1, 1, (2, 2, 2)).astype(np.float32)
OBSERVABLE = pauli("ZX", (0, 1))


def state(params):
    return run(hardware_efficient(params), StateVector.zeros(2))


def exact_value(params):
    return expectation(state(params), OBSERVABLE)


def shots_value(key, params):
    return estimate(key, state(params), OBSERVABLE, 10).mean


@pytest.mark.parametrize("by_shots", [False, True])
def test_spsa_is_unbiased_up_to_the_square_of_the_radius(by_shots, key):
    params = jnp.asarray(PARAMS)
    slope = jax.grad(exact_value)(params)
    value = shots_value if by_shots else lambda _, p: exact_value(p)
    go = jax.jit(
        lambda k: spsa(
            k, value, params, radius=0.1, num_samples=20_000, batch_size=4000
        )
    )
    found = go(key)
    assert found.samples == 20_000 and found.mean.shape == params.shape
    errors = np.asarray(found.stderr)
    # |f'''| <= 1 bounds the bias of each direction by r^2 p^3 / 6 at worst; it is far
    # below the standard errors here, which the next line makes sure of.
    assert errors.min() > 0.001
    gaps = np.asarray(found.mean - slope).ravel()
    level = stats.corrected(gaps.size)
    pairs = list(zip(gaps, errors.ravel(), strict=True))
    p_values = [stats.z_p_value(g, 0, e + 0.002) for g, e in pairs]
    assert min(p_values) > level
    # The mutant forgets the 2 of 2 r.
    doubled = [
        stats.z_p_value(g, 0, e)
        for g, e in zip((2 * found.mean - slope).ravel(), errors.ravel(), strict=True)
    ]
    assert min(map(float, doubled)) < level


def test_spsa_maps_over_keys_and_takes_any_pytree(getkey):
    def value(_, tree):
        return jnp.sum(tree["a"] ** 2) + 3 * tree["b"]

    tree = {"a": jnp.ones((2, 1)), "b": jnp.float32(2.0)}

    def go(key):
        return spsa(key, value, tree, radius=0.5, num_samples=8)

    keys = jax.random.split(getkey(), 3)
    mapped = jax.jit(jax.vmap(go))(keys)
    for i in range(3):
        one = go(keys[i])
        np.testing.assert_allclose(mapped.mean["a"][i], one.mean["a"], rtol=1e-5)
        np.testing.assert_allclose(mapped.stderr["b"][i], one.stderr["b"], rtol=1e-4)
    assert one.mean["a"].shape == (2, 1)
    assert np.isnan(spsa(getkey(), value, tree, radius=0.5, num_samples=1).stderr["b"])


def test_spsa_refuses_what_does_not_fit(key):
    def value(_, x):
        return x

    x = jnp.float32(1.0)
    with pytest.raises(ValueError, match="`radius` must be positive"):
        spsa(key, value, x, radius=0.0, num_samples=2)
    with pytest.raises(ValueError, match="`num_samples` must be at least 1"):
        spsa(key, value, x, radius=0.1, num_samples=0)


# --- forward mode ---------------------------------------------------------------------


@pytest.mark.parametrize("batch_size", [None, 3])
def test_forward_mode_is_reverse_mode(batch_size, x64):
    params = {"turns": jnp.asarray(PARAMS, float), "scale": jnp.asarray(0.7)}

    def value(p):
        return p["scale"] * exact_value(p["turns"])

    expected = jax.value_and_grad(value)(params)
    go = jax.jit(lambda p: forward_gradient(value, p, batch_size=batch_size))
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, atol=1e-12), go(params), expected
    )


def test_forward_mode_of_several_values_and_under_vmap(x64):
    def values(x):
        return jnp.stack([x[0] * x[1], x[1] ** 2, x[0]])

    x = jnp.asarray([[2.0, 3.0], [1.0, -1.0]])
    found, slopes = jax.vmap(lambda row: forward_gradient(values, row))(x)
    np.testing.assert_allclose(found, jax.vmap(values)(x))
    np.testing.assert_allclose(slopes, jax.vmap(jax.jacrev(values))(x).swapaxes(1, 2))


def test_forward_mode_needs_parameters():
    with pytest.raises(ValueError, match="`params` must hold real floating numbers"):
        forward_gradient(lambda p: jnp.float32(1.0), {})
