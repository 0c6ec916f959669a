"""States and processes estimated from counts: linear inversion with its covariance."""

import functools
import itertools
from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float, Int

from qjax._checks import require
from qjax._linalg import pauli_words, real_to_complex
from qjax._memory import itemsize, require_fits
from qjax.circuits import Channel, Circuit
from qjax.circuits.operation import AbstractUnitary
from qjax.noise import (
    choi_from_transfer,
    kraus_from_choi,
    transfer_matrix,
)
from qjax.simulate import run
from qjax.states import DensityMatrix
from qjax.tomography.experiments import (
    Counts,
    KnownReadout,
    check_preparations,
    check_some,
    input_vectors,
    readout_matrix,
)
from qjax.tomography.projection import (
    ProjectionInfo,
    nearest_channel,
    nearest_state,
)
from qjax.tomography.readout import (
    ReadoutEstimate,
    ReadoutMatrixEstimate,
    multinomial_covariance,
)

Readout = KnownReadout | ReadoutEstimate | ReadoutMatrixEstimate
"""Readout errors to undo: known ones, or estimates whose errors are propagated."""


class StateEstimate(eqx.Module):
    """A state by linear inversion, with the covariance of its Pauli expectations.

    Attributes:
        expectations: Estimates of Tr(P rho), shape (4^k,), words in the order I, X, Y,
            Z of each wire, the first leading. Unbiased; they may belong to no state.
        covariance: Their covariance, shape (4^k, 4^k).
    """

    expectations: Float[Array, " p"]
    covariance: Float[Array, "p p"]

    def stderr(self) -> Float[Array, " p"]:
        """Return the standard error of each expectation."""
        return jnp.sqrt(jnp.maximum(jnp.diagonal(self.covariance), 0))

    def matrix(self) -> Complex[Array, "d d"]:
        """Return sum_P Tr(P rho) P / 2^k: of trace 1, perhaps not positive."""
        means = real_to_complex(self.expectations)
        words = _words(means)
        high = jax.lax.Precision.HIGHEST
        return jnp.einsum("p,pab->ab", means, words, precision=high) / words.shape[-1]

    def nearest(self) -> DensityMatrix:
        """Return the nearest state (`nearest_state`): closer to the true one too."""
        matrix = nearest_state(self.matrix())
        wires = matrix.shape[0].bit_length() - 1
        return DensityMatrix(matrix.reshape((2,) * (2 * wires)))


class ProcessEstimate(eqx.Module):
    """A process by linear inversion: its Pauli transfer matrix with a covariance.

    Attributes:
        transfer: Estimate of R_PQ = Tr(P E(Q)) / 2^k, shape (4^k, 4^k), words in the
            order I, X, Y, Z of each wire, the first leading. Unbiased; it may belong to
            no channel.
        covariance: Cov(R_PQ, R_ST), shape (4^k,) * 4.
    """

    transfer: Float[Array, "p p"]
    covariance: Float[Array, "p p p p"]

    def stderr(self) -> Float[Array, "p p"]:
        """Return the standard error of each entry; the first row is exact."""
        variances = jnp.einsum("pqpq->pq", self.covariance)
        return jnp.sqrt(jnp.maximum(variances, 0))

    def average_gate_fidelity(
        self, target: AbstractUnitary
    ) -> tuple[Float[Array, ""], Float[Array, ""]]:
        """Return the average gate fidelity with a unitary, and its standard error.

        Args:
            target: The gate that was meant, on k wires in the order of the tomography.

        Raises:
            ValueError: If it has not k wires.

        Source: `qjax.noise.average_gate_fidelity`, linear in R.
        """
        meant = transfer_matrix(target).astype(self.transfer.dtype)
        fits, rule = meant.shape == self.transfer.shape, "have the estimate's wires"
        require(fits, "target", rule, target.wires)
        size = 2 ** (meant.shape[0].bit_length() // 2)
        slope = meant / (size * (size + 1))
        mean = jnp.sum(slope * self.transfer) + 1 / (size + 1)
        variance = jnp.einsum("pq,pqst,st->", slope, self.covariance, slope)
        return mean, jnp.sqrt(jnp.maximum(variance, 0))

    def nearest(self, wires: Sequence[int]) -> tuple[Channel, ProjectionInfo]:
        """Return the nearest channel (`nearest_channel`): closer to the true one too.

        Args:
            wires: k wires to put it on.
        """
        choi, info = nearest_channel(choi_from_transfer(self.transfer))
        return Channel(kraus_from_choi(choi), tuple(wires), "Tomography"), info


def fit_state(counts: Counts, readout: Readout = None) -> StateEstimate:
    """Estimate a state from counts in all Pauli bases, by linear inversion.

    Each word's expectation is the mean over the bases that show it; with a readout
    matrix A the frequencies f are A^-1 f first.

    Args:
        counts: Counts of the circuits of `state_circuits`, shape (3^k, 2^k).
        readout: Readout errors to undo. An estimate's own covariance is propagated, to
            first order.

    Returns:
        Estimate with its covariance, from the observed frequencies.

    Raises:
        ValueError: If the shape is off or the readout is about other wires.

    Source: Guta, Kahn, Kueng and Tropp, J. Phys. A 53, 204001 (2020).

    Example:
        >>> import jax.numpy as jnp
        >>> from qjax.tomography import fit_state
        >>> found = fit_state(jnp.asarray([[50, 50], [50, 50], [100, 0]]))
        >>> found.expectations.tolist()
        [1.0, 0.0, 0.0, 1.0]
    """
    counts = jnp.asarray(counts)
    num_wires = _check_counts(counts, 1)
    # The only input is the state itself: a transfer matrix of one column.
    mean, covariance = _invert(counts[None], np.ones((1, 1)), readout, num_wires)
    return StateEstimate(mean[:, 0], covariance[:, 0, :, 0])


def fit_process(
    counts: Counts,
    preparations: str = "01+r",
    readout: Readout = None,
) -> ProcessEstimate:
    """Estimate a process from counts of all inputs in all Pauli bases.

    Y_i = R r_i for the outputs' expectations Y_i and the inputs' r_i: R = Y r^+ by
    least squares. Preparation and basis changes are taken to be perfect: their errors
    are counted as the process's (gate set tomography would tell them apart).

    Args:
        counts: Counts of the circuits of `process_circuits`, shape (p^k 3^k, 2^k).
        preparations: Inputs of each wire, as there.
        readout: Readout errors to undo, as in `fit_state`.

    Returns:
        Estimate with its covariance.

    Raises:
        ValueError: If the shape is off, the inputs do not determine a channel, the
            readout is about other wires, or the covariance (256^k numbers) does not fit
            into memory.

    Source: Chuang and Nielsen, J. Mod. Opt. 44, 2455 (1997); least squares and its
    projection: Surawy-Stepney, Kahn, Kueng and Guta, Quantum 6, 844 (2022).

    Example:
        >>> import jax
        >>> from qjax.circuits import Circuit, h
        >>> from qjax.tomography import fit_process, process_circuits, sample_counts
        >>> stack = process_circuits(Circuit([h(0)], 1), (0,))
        >>> counts = sample_counts(jax.random.key(1), stack, (0,), 1000)
        >>> found = fit_process(counts)
        >>> abs(float(found.transfer[1, 3]) - 1) < 5 * float(found.stderr()[1, 3])
        True
    """
    check_preparations(preparations)
    counts = jnp.asarray(counts)
    num_wires = _check_counts(counts, len(preparations))
    # The covariance and one intermediate result of its size.
    num_bytes = 2 * 256**num_wires * itemsize(float)
    what = f"Covariance of a process of {num_wires} wires"
    require_fits(num_bytes, what, [(0, "use fewer wires")])
    inputs = input_vectors(preparations, num_wires)
    by_input = counts.reshape(len(inputs), 3**num_wires, 2**num_wires)
    weights = np.linalg.pinv(inputs).T
    return ProcessEstimate(*_invert(by_input, weights, readout, num_wires))


def _check_counts(counts: Array, inputs: int) -> int:
    """Return the number of wires k of counts of inputs^k 3^k circuits."""
    shape = counts.shape
    wires = max(shape[-1].bit_length() - 1, 1) if shape else 1
    expected = ((3 * inputs) ** wires, 2**wires)
    require(shape == expected, "counts", f"have shape {expected}", f"of shape {shape}")
    return wires


@functools.cache
def _word_table(num_wires: int) -> Float[np.ndarray, "p s b"]:
    """Return W with Tr(P rho) = sum_sb W_Psb f_sb: the mean over bases that show P."""
    bits = np.asarray(list(itertools.product((0, 1), repeat=num_wires)))
    bases = ["".join(word) for word in itertools.product("XYZ", repeat=num_wires)]
    rows = []
    for word in itertools.product("IXYZ", repeat=num_wires):
        support = np.asarray([letter != "I" for letter in word])
        shown = [
            all(p in ("I", b) for p, b in zip(word, basis, strict=True))
            for basis in bases
        ]
        signs = (-1.0) ** bits[:, support].sum(axis=1)
        rows.append(np.asarray(shown)[:, None] * signs[None, :] / sum(shown))
    return np.stack(rows)


def _words(like: Array) -> Complex[Array, "p d d"]:
    return jnp.asarray(pauli_words(like.shape[0].bit_length() // 2), like.dtype)


def _invert(
    counts: Int[Array, "i s b"],
    weights: Float[np.ndarray, "i q"],
    readout: Readout,
    num_wires: int,
) -> tuple[Float[Array, "p q"], Float[Array, "p q p q"]]:
    """Return R_Pq = sum_isb W_Psb (A^-1 f_is)_b G_iq and its covariance."""
    estimated = isinstance(readout, ReadoutEstimate | ReadoutMatrixEstimate)
    known = readout.matrix() if estimated else readout
    undo = jnp.linalg.inv(readout_matrix(known, num_wires))
    trials = jnp.sum(counts, axis=-1, keepdims=True).astype(undo.dtype)
    frequencies = counts.astype(undo.dtype) / trials
    inputs = jnp.asarray(weights, undo.dtype)
    high = jax.lax.Precision.HIGHEST
    einsum = functools.partial(jnp.einsum, precision=high)
    table = einsum("psa,ab->psb", jnp.asarray(_word_table(num_wires), undo.dtype), undo)
    outputs = einsum("psb,isb->ip", table, frequencies)
    mean = einsum("ip,iq->pq", outputs, inputs)
    spread = multinomial_covariance(counts).astype(undo.dtype)
    of_outputs = einsum("psb,isbc,rsc->ipr", table, spread, table)
    covariance = einsum("ipr,iq,it->pqrt", of_outputs, inputs, inputs)
    if estimated:
        # d(A^-1 f) = -A^-1 dA A^-1 f, with the same dA in every circuit.
        true = einsum("ab,isb->isa", undo, frequencies)
        slopes = einsum("psa,isb,iq->pqab", table, true, inputs)
        errors = readout.matrix_covariance().astype(undo.dtype)
        extra = einsum("pqab,abcd,rtcd->pqrt", slopes, errors, slopes)
        covariance = covariance + extra
    return mean, covariance


def exact_transfer(circuit: Circuit, wires: Sequence[int]) -> Float[Array, "p p"]:
    """Return the Pauli transfer matrix of what a whole circuit does to some wires.

    The truth that `fit_process` estimates: other wires start in |0> and are traced out,
    measurements are read by nobody. Cost: 4^k runs of a density matrix of n wires.

    Args:
        circuit: Circuit of n wires.
        wires: The k wires, the first leading.

    Returns:
        R_PQ = Tr(P E(Q)) / 2^k, shape (4^k, 4^k).

    Raises:
        ValueError: If a wire is unknown or there is none.

    Example:
        >>> from qjax.circuits import Circuit, cx
        >>> from qjax.tomography import exact_transfer
        >>> exact_transfer(Circuit([cx(0, 1)], 2), (0,)).diagonal().tolist()
        [1.0, 0.0, 0.0, 1.0]
    """
    wires = check_some(wires, circuit.num_wires)
    blank = DensityMatrix.zeros(circuit.num_wires)
    words = jnp.asarray(pauli_words(len(wires)), blank.dtype)
    # |0><0| becomes any word there: its entries stand where the wires are 0.
    places = (*wires, *(wire + circuit.num_wires for wire in wires))
    axes = range(2 * circuit.num_wires)
    where = tuple(slice(None) if axis in places else 0 for axis in axes)

    def image(word: Complex[Array, "d d"]) -> Complex[Array, "d d"]:
        tensor = word.reshape((2,) * len(places))
        ordered = tensor.transpose(np.argsort(places))
        start = jnp.zeros_like(blank.tensor).at[where].set(ordered)
        return run(circuit, DensityMatrix(start)).reduced(wires)

    images = jax.vmap(image)(words)
    high = jax.lax.Precision.HIGHEST
    traces = jnp.einsum("pab,qba->pq", words, images, precision=high)
    return traces.real / words.shape[-1]
