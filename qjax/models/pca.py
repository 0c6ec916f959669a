"""Principal components, fitted on training data only."""

import equinox as eqx
import numpy as np
import scipy.linalg
from jaxtyping import Float

from qjax._checks import require


class PCA(eqx.Module):
    """A linear map to the leading principal directions.

    Attributes:
        offset: Subtracted before projecting, shape (d,): the training mean, or zeros.
        components: Orthonormal directions, shape (k, d), by falling weight.
        scales: Root mean square of the training data along each, shape (k,).
    """

    offset: Float[np.ndarray, " d"]
    components: Float[np.ndarray, "k d"]
    scales: Float[np.ndarray, " k"]

    def __call__(self, data: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n k"]:
        """Project data onto the components: (x - offset) C^T, in float32."""
        shifted = np.asarray(data, np.float32) - self.offset.astype(np.float32)[None]
        return shifted @ self.components.T.astype(np.float32)

    @property
    def num_fitted(self) -> int:
        """Numbers fitted to the training data: the components, and the mean if used."""
        return self.components.size + int(np.count_nonzero(self.offset))


def fit_pca(
    data: Float[np.ndarray, "n d"], num_components: int, *, centre: bool
) -> PCA:
    """Find the k directions of largest (second) moment of the data.

    The eigenvectors of X^T X / N, with the mean removed from X if `centre`; each sign
    is fixed so that the entry of largest size is positive.

    Args:
        data: Training data, shape (N, d).
        num_components: k, in [1, d].
        centre: Remove the mean. Without it the first direction is close to the mean
            itself, and amplitude encoding keeps how much of it an image has.

    Returns:
        The fitted map, in float64.

    Raises:
        ValueError: If `num_components` is out of range.

    Source: Pearson 1901; Hotelling 1933.

    Example:
        >>> import numpy as np
        >>> from qjax.models import fit_pca
        >>> data = np.asarray([[2.0, 0.0], [-2.0, 0.0], [0.0, 1.0]])
        >>> fit_pca(data, 1, centre=False).components.tolist()
        [[1.0, 0.0]]
    """
    count, size = data.shape
    rule = f"lie in [1, {size}]"
    require(1 <= num_components <= size, "num_components", rule, num_components)
    full = np.asarray(data, np.float64)
    offset = full.mean(axis=0) if centre else np.zeros(size)
    shifted = full - offset
    weights, vectors = scipy.linalg.eigh(
        shifted.T @ shifted / count, subset_by_index=[size - num_components, size - 1]
    )
    components = vectors.T[::-1]
    largest = np.argmax(np.abs(components), axis=1)
    signs = np.sign(components[np.arange(num_components), largest])
    scales = np.sqrt(np.maximum(weights[::-1], 0))
    return PCA(offset, components * signs[:, None], scales)
