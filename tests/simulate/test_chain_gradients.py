"""Gradients of chains: at degenerate spectra, and through truncation."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

from qjax.circuits import Circuit, Repeat, cx, cz, h, pauli, rx, rxx, ry, rz
from qjax.simulate import expectation, run
from qjax.states import MPS, StateVector

WIRES, DEPTH = 10, 12


def brickwork(angles):
    """Two layers of rotations and CZ on alternating links, for each row of angles."""

    def layer(own):
        operations = []
        for parity in range(2):
            turns = [g(own[parity, w, a], w) for w in range(WIRES)
                     for a, g in ((0, ry), (1, rz))]  # fmt: skip
            links = [cz(w, w + 1) for w in range(parity, WIRES - 1, 2)]
            operations += [*turns, *links]
        return Circuit(operations, WIRES)

    return Circuit([Repeat(jax.vmap(layer)(angles), angles.shape[0])], WIRES)


ZS = [pauli("Z", wire) for wire in range(WIRES)]
WEIGHTS = np.arange(1, WIRES + 1)


def value(angles, start):
    values = expectation(run(brickwork(angles), start), ZS)
    return jnp.sum(values * jnp.asarray(WEIGHTS, values.dtype))


@pytest.mark.x64
@pytest.mark.parametrize("max_bond", (16, 8))
def test_gradient_through_truncation_is_that_of_the_truncated_map(max_bond):
    rng = np.random.default_rng(max_bond)
    angles = jnp.asarray(rng.uniform(0, 2 * np.pi, (DEPTH // 2, 2, WIRES, 2)))
    start = MPS.zeros(WIRES, max_bond)
    function = jax.jit(lambda a: value(a, start))
    gradient = jax.jit(jax.grad(lambda a: value(a, start)))(angles)
    exact = jax.jit(jax.grad(lambda a: value(a, StateVector.zeros(WIRES))))(angles)
    step, found, expected = 1e-5, [], []
    for _ in range(3):
        direction = jnp.asarray(rng.normal(size=angles.shape))
        ahead, behind = angles + step * direction, angles - step * direction
        expected.append(float(function(ahead) - function(behind)) / (2 * step))
        found.append(float(jnp.sum(gradient * direction)))
    scale = np.abs(expected).max()
    assert np.abs(np.subtract(found, expected)).max() < 1e-6 * scale
    # Truncation is felt: the exact state has another gradient.
    gap = jnp.linalg.norm(gradient - exact) / jnp.linalg.norm(exact)
    assert float(gap) > 1e-5


def ghz_rotated(angles, num_wires):
    """A GHZ state after X rotations and ZZ-like couplings of its ends."""
    chain = [h(0), *(cx(w, w + 1) for w in range(num_wires - 1))]
    turns = [rx(angles[w], w) for w in range(4)]
    return Circuit(
        [*chain, *turns, rxx(angles[4], 0, 1), rxx(angles[5], 2, 3)], num_wires
    )


def product_state(angles, num_wires):
    turns = [ry(angles[w], w) for w in range(4)]
    return Circuit(
        [*turns, rxx(angles[4], 0, 1), cx(1, 2), rz(angles[5], 2)], num_wires
    )


OBSERVABLE = (
    pauli("YX", (0, 1)) + 0.5 * pauli("ZZ", (0, 3)) + pauli("XX", (1, 2))
    + 0.3 * pauli("YYYX", (0, 1, 2, 3))
)  # fmt: skip


@functools.cache
def energy_gradient(build):
    """One program for all angles."""

    def energy(own, start):
        return expectation(run(build(own, start.num_wires), start), OBSERVABLE)

    return jax.jit(jax.grad(energy))


@pytest.mark.parametrize("build", (ghz_rotated, product_state))
@pytest.mark.parametrize("dtype", (np.complex64, np.complex128))
@pytest.mark.parametrize("angle", (0.0, np.pi / 2, 0.3))
def test_gradients_of_degenerate_spectra_are_those_of_the_state(build, dtype, angle):
    with jax.enable_x64(dtype == np.complex128):
        angles = jnp.full(6, angle, jnp.finfo(dtype).dtype)
        expected = energy_gradient(build)(angles, StateVector.zeros(6, dtype))
        found = energy_gradient(build)(angles, MPS.zeros(6, 64, dtype))
        tolerance = 1e-5 if dtype == np.complex64 else 1e-12
        assert np.allclose(found, expected, atol=tolerance)
        assert found.dtype == angles.dtype


@pytest.mark.x64
def test_gradients_of_ghz_64_equal_parameter_shift():
    angles = jnp.zeros(6)

    def energy(own):
        state = run(ghz_rotated(own, 64), MPS.zeros(64, 32))
        return expectation(state, OBSERVABLE)

    found = jax.jit(jax.grad(energy))(angles)
    shifted = []
    one = jax.jit(energy)
    for index in range(6):
        shift = jnp.zeros(6).at[index].set(np.pi / 2)
        shifted.append(float(one(angles + shift) - one(angles - shift)) / 2)
    assert np.allclose(found, shifted, atol=1e-12)
    assert np.isfinite(np.asarray(found)).all()


def test_what_is_kept_does_not_change_a_gradient():
    rng = np.random.default_rng(0)
    angles = rng.uniform(0, 6, (2, 2, WIRES, 2)).astype(np.float32)

    def loss(own, kept):
        state = run(brickwork(own), MPS.zeros(WIRES, 2), gradient=kept)
        return expectation(state, ZS[4])

    slopes = jax.jit(jax.grad(loss), static_argnums=1)
    expected = slopes(angles, "auto")
    assert np.abs(expected).max() > 0.01
    for kept in ("reverse", "remat"):
        assert np.allclose(slopes(angles, kept), expected, atol=1e-4)


@pytest.mark.parametrize("dtype", (np.complex64, np.complex128))
def test_a_gradient_through_a_tied_cut_is_an_error(dtype):
    with jax.enable_x64(dtype == np.complex128):

        def energy(angle, max_bond):
            operations = [h(0), cx(0, 1), cx(1, 2), ry(angle, 2)]
            return expectation(
                run(Circuit(operations, 3), MPS.zeros(3, max_bond, dtype)),
                pauli("Z", 2),
            )

        angle = jnp.asarray(0.3, jnp.finfo(dtype).dtype)
        one = jax.jit(energy, static_argnums=1)
        assert np.isfinite(one(angle, 1))
        with pytest.raises(Exception, match=r"gradient .* is not determined"):
            jax.jit(jax.grad(energy), static_argnums=1)(angle, 1)

        # A cut between weights that differ has a derivative.
        def uneven(angle):
            operations = [ry(angle, 0), cx(0, 1), cx(1, 2)]
            state = run(Circuit(operations, 3), MPS.zeros(3, 1, dtype))
            return expectation(state, pauli("Z", 2))

        assert np.isfinite(jax.jit(jax.grad(uneven))(angle))


@pytest.mark.slow
@pytest.mark.x64
def test_at_special_angles_a_part_of_a_gradient_may_be_missing():
    """A known limit, told in docs/representations.md: if this fails, it is gone."""
    rng = np.random.default_rng(1)
    shape = (4, 2, WIRES, 2)
    angles = rng.integers(0, 4, shape) * np.pi / 2 * (rng.random(shape) < 0.2)
    words = pauli("YX", (3, 4)) + pauli("XX", (2, 3)) + 0.7 * pauli("YZ", (1, 2))
    words = words + pauli("XYX", (4, 5, 6)) + pauli("X", 0) + pauli("Z", 5)
    words = words + 0.3 * pauli("YYXX", (2, 3, 4, 5))

    @jax.jit
    def energy(own):
        return expectation(run(brickwork(own), MPS.zeros(WIRES, 8)), words)

    def slope(direction, step=1e-5):
        ahead, behind = angles + step * direction, angles - step * direction
        return float(energy(ahead) - energy(behind)) / (2 * step)

    first, second = (x / np.linalg.norm(x) for x in rng.normal(size=(2, *shape)))
    # The cut map has a derivative here: differences are linear in the direction ...
    assert abs(slope(first) + slope(second) - slope(first + second)) < 1e-4
    # ... and the gradient is another one.
    found = np.asarray(jax.jit(jax.grad(energy))(angles))
    assert abs(np.sum(found * first) - slope(first)) > 0.1

    # The check that the docs advise tells this point from one close to it.
    def check(at):
        check_grads(energy, (at,), 1, ["rev"], atol=1e-4, rtol=1e-3, eps=1e-5)

    with pytest.raises(AssertionError):
        check(angles)
    check(angles + 1e-3 * rng.normal(size=shape))
