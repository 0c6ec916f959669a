"""Parametrised objects keep their constraints; entropies differentiate everywhere."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qjax.bounds.search import (
    binary_divergence,
    divergence_from_mixed,
    effects,
    holevo,
    isometries,
    kets,
    kraus_operators,
    mixed_states,
    povms,
    von_neumann_entropy,
)

pytestmark = pytest.mark.x64


def _draw(key, *shape):
    generator = np.random.default_rng(np.asarray(jax.random.key_data(key)))
    return jnp.asarray(generator.normal(size=shape))


def _hermitian(key, size):
    raw = np.asarray(_draw(key, 2, size, size))
    matrix = raw[0] + 1j * raw[1]
    return matrix + matrix.conj().T


def test_kets_and_mixed_states_are_normalised_and_positive(getkey):
    vectors = np.asarray(kets(_draw(getkey(), 2, 5, 3, 4)))
    assert np.allclose(np.linalg.norm(vectors, axis=-1), 1, atol=1e-14)
    states = np.asarray(mixed_states(_draw(getkey(), 2, 5, 4, 2)))
    assert np.allclose(np.trace(states, axis1=1, axis2=2), 1, atol=1e-14)
    values = np.linalg.eigvalsh(states)
    assert values.min() > -1e-14
    assert np.allclose(values[:, :2], 0, atol=1e-14) and np.all(values[:, 2:] > 1e-6)


def test_isometries_are_isometric_and_map_an_isometry_to_itself(getkey):
    found = np.asarray(isometries(_draw(getkey(), 2, 5, 4, 3)))
    gram = found.conj().mT @ found
    assert np.allclose(gram, np.eye(3), atol=1e-13)
    parts = jnp.asarray(np.stack([np.real(found), np.imag(found)]))
    assert np.allclose(np.asarray(isometries(parts)), found, atol=1e-13)


def test_kraus_operators_keep_the_trace_and_povms_are_complete(getkey):
    kraus = np.asarray(kraus_operators(_draw(getkey(), 2, 5, 3, 2, 4)))
    kept = np.einsum("skoi,skoj->sij", kraus.conj(), kraus)
    assert np.allclose(kept, np.eye(4), atol=1e-13)
    parts = np.asarray(povms(_draw(getkey(), 2, 5, 4, 1, 2)))
    assert np.allclose(parts.sum(axis=1), np.eye(2), atol=1e-13)
    assert np.linalg.eigvalsh(parts).min() > -1e-13
    assert np.allclose(np.linalg.eigvalsh(parts)[..., 0], 0, atol=1e-13)  # rank one


def test_effects_lie_between_zero_and_one_and_sharpen(getkey):
    array = _draw(getkey(), 6, 9, 4)
    soft, sharp = (np.asarray(effects(array, jnp.asarray(s))) for s in (1.0, 1e4))
    for tests in (soft, sharp):
        assert np.allclose(tests, tests.conj().mT, atol=1e-13)
        values = np.linalg.eigvalsh(tests)
        assert values.min() > -1e-13 and values.max() < 1 + 1e-13
    assert np.max(np.abs(soft @ soft - soft)) > 0.01
    assert np.allclose(sharp @ sharp, sharp, atol=1e-9)


def test_wrong_shapes_are_refused():
    with pytest.raises(ValueError, match="have at least 3 rows"):
        isometries(jnp.ones((2, 2, 3)))
    with pytest.raises(ValueError, match="have 5 rows"):
        effects(jnp.ones((4, 2)), jnp.asarray(1.0))


SPECTRA = {
    "maximally mixed": [0.25, 0.25, 0.25, 0.25],
    "one pair": [0.4, 0.3, 0.15, 0.15],
    "distinct": [0.4, 0.3, 0.2, 0.1],
    "near pure": [1 - 3e-6, 1e-6, 1e-6, 1e-6],
}


def _state(key, spectrum):
    _, basis = np.linalg.eigh(_hermitian(key, 4))
    return jnp.asarray((basis * np.asarray(spectrum)) @ basis.conj().T)


def _textbook(matrix):
    values = np.linalg.eigvalsh(matrix)
    return -np.sum(values * np.log2(values))


@pytest.mark.parametrize("name", SPECTRA)
def test_entropy_gradient_agrees_with_finite_differences(name, getkey):
    rho, change = _state(getkey(), SPECTRA[name]), _hermitian(getkey(), 4)
    step = 1e-4 * min(SPECTRA[name])
    value, slope = jax.jvp(von_neumann_entropy, (rho,), (jnp.asarray(change),))
    outer = [_textbook(np.asarray(rho) + s * step * change) for s in (1, -1)]
    expected = (outer[0] - outer[1]) / (2 * step)
    assert float(value) == pytest.approx(_textbook(np.asarray(rho)), abs=1e-13)
    assert float(slope) == pytest.approx(expected, rel=1e-4, abs=1e-6)
    wrong = float(slope) + np.trace(change).real / np.log(2)  # without the 1/ln 2
    assert wrong != pytest.approx(expected, rel=1e-4, abs=1e-6)


def test_reverse_mode_exists_where_eigenvector_derivatives_do_not(getkey):
    rho = _state(getkey(), SPECTRA["maximally mixed"])

    def naive(matrix):
        values, vectors = jnp.linalg.eigh(matrix)
        scaled = vectors * jnp.log2(values).astype(complex)[None]
        logarithm = scaled @ vectors.conj().T
        return -jnp.trace(matrix @ logarithm).real

    assert not np.all(
        np.isfinite(np.asarray(jax.grad(naive)(jnp.eye(4, dtype=complex) / 4)))
    )
    slope = np.asarray(jax.grad(von_neumann_entropy)(rho))
    # dS = -(log2(1/4) + 1/ln 2) Tr d rho at I/4.
    assert np.allclose(slope, (2 - 1 / np.log(2)) * np.eye(4), atol=1e-12)
    pure = jnp.zeros((4, 4), complex).at[0, 0].set(1)
    assert np.all(np.isfinite(np.asarray(jax.grad(von_neumann_entropy)(pure))))


def test_holevo_and_divergences_at_known_points():
    states = jnp.asarray([np.diag([1, 0]), np.diag([0, 1])], dtype=complex)
    skewed = float(holevo(states, jnp.asarray([0.25, 0.75])))
    assert skewed == pytest.approx(0.8112781244591328)
    assert float(divergence_from_mixed(states)[0]) == pytest.approx(1)
    found = float(binary_divergence(jnp.asarray(1.0), jnp.asarray(0.25)))
    assert found == pytest.approx(2)
