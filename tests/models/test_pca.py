"""Principal components against singular values and against scikit-learn."""

import numpy as np
import pytest
from sklearn.decomposition import PCA as ReferencePCA

from qjax.models import fit_pca


def data(count: int = 200, size: int = 7) -> np.ndarray:
    rng = np.random.default_rng(5)
    mixing = rng.normal(size=(size, size)) * np.arange(1, size + 1)[:, None]
    return rng.normal(size=(count, size)) @ mixing + rng.normal(size=size)


def test_centred_components_are_those_of_scikit_learn_up_to_sign():
    x = data()
    ours, theirs = fit_pca(x, 4, centre=True), ReferencePCA(4).fit(x)
    cosines = np.sum(ours.components * theirs.components_, axis=1)
    np.testing.assert_allclose(np.abs(cosines), 1, atol=1e-10)
    # scikit-learn divides by N - 1.
    expected = np.sqrt(theirs.explained_variance_ * (len(x) - 1) / len(x))
    np.testing.assert_allclose(ours.scales, expected, rtol=1e-10)


def test_components_without_centring_are_right_singular_vectors():
    x = data()
    ours = fit_pca(x, 3, centre=False)
    _, values, vectors = np.linalg.svd(x, full_matrices=False)
    cosines = np.sum(ours.components * vectors[:3], axis=1)
    np.testing.assert_allclose(np.abs(cosines), 1, atol=1e-10)
    np.testing.assert_allclose(ours.scales, values[:3] / np.sqrt(len(x)), rtol=1e-10)
    assert not np.any(ours.offset)
    # The mean of this data is not 0, so the two kinds must differ.
    centred = fit_pca(x, 3, centre=True)
    assert np.max(np.abs(centred.components - ours.components)) > 1e-3


def test_the_largest_entry_of_each_component_is_positive():
    x = data()
    for sign in (1, -1):
        components = fit_pca(sign * x, 5, centre=True).components
        largest = np.argmax(np.abs(components), axis=1)
        assert np.all(components[np.arange(5), largest] > 0)


def test_projection_subtracts_the_mean_of_the_training_data():
    x = data()
    pca = fit_pca(x, 7, centre=True)
    assert pca(x).dtype == np.float32
    np.testing.assert_allclose(pca(x).mean(axis=0), 0, atol=1e-4)
    expected = (x[:3] - x.mean(axis=0)) @ pca.components.T
    np.testing.assert_allclose(pca(x[:3]), expected, rtol=1e-4, atol=1e-4)


def test_fitted_numbers_count_the_mean_only_where_it_is_used():
    x = data()
    assert fit_pca(x, 4, centre=False).num_fitted == 4 * 7
    assert fit_pca(x, 4, centre=True).num_fitted == 4 * 7 + 7


@pytest.mark.parametrize("count", [0, 8])
def test_a_number_of_components_out_of_range_is_refused(count: int):
    with pytest.raises(ValueError, match=r"`num_components` must lie in \[1, 7\]"):
        fit_pca(data(), count, centre=True)
