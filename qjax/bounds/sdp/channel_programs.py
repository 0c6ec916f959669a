"""Semidefinite programs of a channel: the strong-converse bound and Doeblin's minimum.

Operators live on input (x) output; J = sum_k vec(K_k) vec(K_k)^dag is the Choi matrix
and Gamma the partial transpose on the output.
"""

import dataclasses

import numpy as np
from jaxtyping import Complex

from qjax._checks import require
from qjax.bounds.sdp.solver import modeller, solve


@dataclasses.dataclass(frozen=True)
class ChannelBeta:
    """Solution of the strong-converse program; `log2(value)` bounds the capacity.

    Attributes:
        value: beta = Tr Sigma, in [1, out].
        sigma: Sigma, shape (out, out).
        remainder: R, shape (in * out, in * out).
    """

    value: float
    sigma: np.ndarray
    remainder: np.ndarray


@dataclasses.dataclass(frozen=True)
class Doeblin:
    """Largest erasure contained in a channel; capacity <= 1 - value per qubit.

    Attributes:
        value: mu in [0, 1].
        sigma: mu sigma, unnormalised, shape (out, out).
    """

    value: float
    sigma: np.ndarray


def choi_matrix(kraus: Complex[np.ndarray, "k out d"]) -> np.ndarray:
    """J = sum_ij |i><j| (x) N(|i><j|), of trace d.

    Args:
        kraus: Kraus operators.

    Raises:
        ValueError: If they do not preserve the trace to 1e-9.

    Example:
        >>> import numpy as np
        >>> from qjax.bounds.sdp import choi_matrix
        >>> choi_matrix(np.eye(2, dtype=complex)[None]).real[0].tolist()
        [1.0, 0.0, 0.0, 1.0]
    """
    kraus = np.asarray(kraus)
    kept = np.einsum("koi,koj->ij", kraus.conj(), kraus)
    off = float(np.max(np.abs(kept - np.eye(kraus.shape[2]))))
    require(off < 1e-9, "kraus", "preserve the trace to 1e-9", f"off by {off:.1e}")
    vectors = kraus.transpose(0, 2, 1).reshape(len(kraus), -1)
    return vectors.T @ vectors.conj()


def channel_beta(kraus: Complex[np.ndarray, "k out d"]) -> ChannelBeta:
    """Strong-converse bound of a channel: m uses carry at most m log2(beta) bits.

    beta = min Tr Sigma  s.t.  -R <= J^Gamma <= R,  -I (x) Sigma <= R^Gamma <= I (x)
    Sigma. A code of M words through m uses succeeds with probability <= beta^m / M.

    Args:
        kraus: Kraus operators, complex.

    Returns:
        The value and the certificate, to the solver's accuracy (about 1e-8).

    Raises:
        ImportError: If cvxpy is not installed.
        ValueError: If the channel does not preserve the trace.
        RuntimeError: If no solver finds an optimum.

    Source: Wang, Xie and Duan, IEEE Trans. Inf. Theory 64, 640 (2018),
    arXiv:1610.06381.

    Example:
        >>> import numpy as np
        >>> from qjax.bounds.sdp import channel_beta
        >>> round(channel_beta(np.eye(2, dtype=complex)[None]).value, 5)
        2.0
    """
    cp = modeller()
    choi = choi_matrix(kraus)
    out, size = kraus.shape[1:]
    dims = (size, out)
    sigma = cp.Variable((out, out), hermitian=True)
    remainder = cp.Variable((size * out, size * out), hermitian=True)
    turned = partial_transpose(choi, size, out)
    flipped = cp.partial_transpose(remainder, dims, axis=1)
    local = cp.kron(np.eye(size), sigma)
    constraints = [
        remainder - turned >> 0, remainder + turned >> 0,
        local - flipped >> 0, local + flipped >> 0,
    ]  # fmt: skip
    trace = cp.real(cp.trace(sigma))
    value = solve(cp.Problem(cp.Minimize(trace), constraints))
    return ChannelBeta(value, np.asarray(sigma.value), np.asarray(remainder.value))


def doeblin(kraus: Complex[np.ndarray, "k out d"]) -> Doeblin:
    """Largest mu for which N - mu Tr(.) sigma is completely positive.

    mu = max Tr S  s.t.  J - I (x) S >= 0, S >= 0.

    Args:
        kraus: Kraus operators, complex.

    Returns:
        mu and S = mu sigma.

    Raises:
        ImportError: If cvxpy is not installed.
        ValueError: If the channel does not preserve the trace.
        RuntimeError: If no solver finds an optimum.

    Source: theory of bounds, section 2 (L6(c)); Hirche, arXiv:2405.00105 (2024).

    Example:
        >>> import numpy as np
        >>> from qjax.bounds.sdp import doeblin
        >>> reset = np.sqrt(0.2) * np.asarray([[[1, 0], [0, 0]], [[0, 1], [0, 0]]])
        >>> kraus = np.concatenate([np.sqrt(0.8) * np.eye(2)[None], reset])
        >>> round(doeblin(kraus.astype(complex)).value, 5)
        0.2
    """
    cp = modeller()
    choi = choi_matrix(kraus)
    out, size = kraus.shape[1:]
    sigma = cp.Variable((out, out), hermitian=True)
    constraints = [choi - cp.kron(np.eye(size), sigma) >> 0, sigma >> 0]
    value = solve(cp.Problem(cp.Maximize(cp.real(cp.trace(sigma))), constraints))
    return Doeblin(value, np.asarray(sigma.value))


def partial_transpose(matrix: np.ndarray, size: int, out: int) -> np.ndarray:
    """Transpose the second factor of a matrix on input x output."""
    tensor = matrix.reshape(size, out, size, out)
    return tensor.transpose(0, 3, 2, 1).reshape(size * out, size * out)
