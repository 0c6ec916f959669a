"""How far a noisy gate is from its target, and what twirling leaves of its error."""

import itertools
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from qjax._checks import require
from qjax._linalg import dagger, pauli_words
from qjax.circuits import Channel
from qjax.circuits.operation import AbstractOperation, AbstractUnitary
from qjax.noise._kraus import pauli_mixture
from qjax.noise.representations import Transfer, transfer_matrix

Process = AbstractOperation | Sequence[AbstractOperation] | Transfer
"""Operations in time order, or a Pauli transfer matrix."""


def _both(actual: Process, target: Process) -> tuple[Array, Array]:
    """Return both transfer matrices, written on the same wires in the same order."""
    wires = None
    for process in (actual, target):
        if isinstance(process, AbstractOperation):
            wires = process.wires
        elif isinstance(process, list | tuple) and process:
            wires = process[0].wires
    found, meant = (
        transfer_matrix(process, wires)
        if isinstance(process, AbstractOperation | list | tuple)
        else jnp.asarray(process)
        for process in (actual, target)
    )
    rule = f"have a transfer matrix of shape {meant.shape}, as `target` has"
    require(found.shape == meant.shape, "actual", rule, f"of shape {found.shape}")
    dtype = np.result_type(found.dtype, meant.dtype)
    return found.astype(dtype), meant.astype(dtype)


def process_fidelity(actual: Process, target: Process) -> Float[Array, ""]:
    """Return the process (entanglement) fidelity Tr(R_target^T R_actual) / 4^k.

    Args:
        actual: Operations in time order, such as a gate and its channels, or a transfer
            matrix from tomography.
        target: The gate that was meant, unitary, on k wires.

    Returns:
        Scalar in [0, 1] up to rounding, differentiable.

    Raises:
        ValueError: If the wires or shapes do not fit.

    Source: Nielsen, Phys. Lett. A 303, 249 (2002), eq. 3.

    Example:
        >>> from qjax.circuits import h
        >>> from qjax.noise import bit_flip, process_fidelity
        >>> round(float(process_fidelity([h(0), bit_flip(0.1, 0)], h(0))), 4)
        0.9
    """
    found, meant = _both(actual, target)
    return jnp.sum(found * meant) / found.shape[0]


def average_gate_fidelity(actual: Process, target: Process) -> Float[Array, ""]:
    """Return the fidelity with the target's output, averaged over pure inputs.

    F = (d F_process + 1) / (d + 1) with d = 2^k; an over-rotation by an angle a has
    1 - F = 2 sin^2(a / 2) / 3 on one wire, depolarizing by p has 1 - F = p (d - 1) / d.

    Args:
        actual: As in `process_fidelity`; it must keep the trace.
        target: The gate that was meant, unitary, on k wires.

    Returns:
        Scalar in [1 / (d + 1), 1] up to rounding, differentiable.

    Raises:
        ValueError: If the wires or shapes do not fit.

    Source: Nielsen, Phys. Lett. A 303, 249 (2002), eq. 3.

    Example:
        >>> from qjax.circuits import cx
        >>> from qjax.noise import average_gate_fidelity, two_qubit_depolarizing
        >>> noisy = [cx(0, 1), two_qubit_depolarizing(0.04, (0, 1))]
        >>> round(float(average_gate_fidelity(noisy, cx(0, 1))), 4)
        0.97
    """
    found, meant = _both(actual, target)
    size = 2 ** (found.shape[0].bit_length() // 2)
    return (jnp.sum(found * meant) / size + 1) / (size + 1)


def unitarity(process: Process) -> Float[Array, ""]:
    """Return the mean purity that a channel keeps: 1 if and only if it is unitary.

    u = Tr(T^T T) / (4^k - 1) with T the transfer matrix without the identity's row and
    column. It tells coherent errors (u = 1) from stochastic ones of the same fidelity.

    Args:
        process: Operations in time order or a transfer matrix, keeping the trace.

    Source: Wallman, Granade, Harper and Flammia, New J. Phys. 17, 113020 (2015), eq. 4.

    Example:
        >>> from qjax.circuits import rx
        >>> from qjax.noise import pauli_twirl, unitarity
        >>> error = rx(0.2, 0)
        >>> [round(float(unitarity(one)), 4) for one in (error, pauli_twirl(error))]
        [1.0, 0.9737]
    """
    found, _ = _both(process, process)
    return jnp.sum(found[1:, 1:] ** 2) / (found.shape[0] - 1)


def pauli_twirl(
    operation: AbstractUnitary | Channel, target: AbstractUnitary | None = None
) -> Channel:
    """Return the Pauli channel that random Pauli frames make of an error.

    E -> mean_P P E(P . P) P has the weights p_P = sum_k |Tr(P K_k)|^2 / 4^w and keeps
    the diagonal of the transfer matrix: the fidelity stays, what is coherent goes.

    Args:
        operation: A channel or unitary on w wires.
        target: The gate that `operation` stands for; then the error twirled is E U^-1,
            to be put after the gate U. None: the operation is the error.

    Returns:
        A Pauli channel of 4^w words on the operation's wires.

    Raises:
        ValueError: If the target has other wires than the operation.

    Source: Geller and Zhou, Phys. Rev. A 88, 012314 (2013).

    Example:
        >>> from qjax.circuits import rx
        >>> from qjax.noise import pauli_twirl
        >>> [round(float(weight), 4) for weight in pauli_twirl(rx(0.2, 0)).weights]
        [0.99, 0.01, 0.0, 0.0]
    """
    if isinstance(operation, AbstractUnitary):
        kraus = operation.matrix()[None]
    else:
        kraus = jnp.asarray(operation.kraus)
    wires, high = operation.wires, jax.lax.Precision.HIGHEST
    if target is not None:
        fits = target.wires == wires
        require(fits, "target", f"act on wires {wires}", target.wires)
        undo = dagger(target.matrix()).astype(kraus.dtype)
        kraus = jnp.einsum("kij,jl->kil", kraus, undo, precision=high)
    words = jnp.asarray(pauli_words(len(wires)), kraus.dtype)
    overlaps = jnp.einsum("pij,kji->pk", words, kraus, precision=high)
    weights = jnp.sum(overlaps.real**2 + overlaps.imag**2, axis=1) / len(words)
    names = ["".join(word) for word in itertools.product("IXYZ", repeat=len(wires))]
    return pauli_mixture(weights, names, wires, "PauliTwirl")
