"""Channels that apply a random unitary: flips, depolarizing noise, any mixture.

Strengths are traced leaves: they may be batched with `jax.vmap` and differentiated on
the whole closed domain, 0 and 1 included.
"""

import itertools
from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np

from qjax._checks import as_float, check_probability, check_wires
from qjax._linalg import as_complex
from qjax._types import ArrayLike, is_traced
from qjax.circuits import Channel
from qjax.noise._kraus import pauli_mixture, scalars, with_remainder

_PAIRS = ["".join(pair) for pair in itertools.product("IXYZ", repeat=2)]


def bit_flip(probability: ArrayLike, wire: int) -> Channel:
    """Flip a qubit with some probability: rho -> (1 - p) rho + p X rho X.

    Args:
        probability: p in [0, 1].
        wire: Wire acted on.

    Returns:
        A channel of 2 Kraus operators.

    Raises:
        ValueError: If p lies outside [0, 1] (traced values: at run time).

    Source: Nielsen and Chuang, section 8.3.3. PennyLane: `BitFlip(p)`.

    Example:
        >>> from qjax.noise import bit_flip
        >>> bit_flip(0.25, 0).kraus.shape
        (2, 2, 2)
    """
    (p,) = scalars(check_probability(probability, "probability"))
    return pauli_mixture(jnp.stack([1 - p, p]), "IX", wire, "BitFlip")


def phase_flip(probability: ArrayLike, wire: int) -> Channel:
    """Flip the sign of |1> with some probability: rho -> (1 - p) rho + p Z rho Z.

    Args:
        probability: p in [0, 1].
        wire: Wire acted on.

    Returns:
        A channel of 2 Kraus operators.

    Raises:
        ValueError: If p lies outside [0, 1] (traced values: at run time).

    Source: Nielsen and Chuang, section 8.3.3. PennyLane: `PhaseFlip(p)`.

    Example:
        >>> from qjax.noise import phase_flip
        >>> phase_flip(0.25, 0).kraus.shape
        (2, 2, 2)
    """
    (p,) = scalars(check_probability(probability, "probability"))
    return pauli_mixture(jnp.stack([1 - p, p]), "IZ", wire, "PhaseFlip")


def bit_phase_flip(probability: ArrayLike, wire: int) -> Channel:
    """Apply Y with some probability: rho -> (1 - p) rho + p Y rho Y.

    Args:
        probability: p in [0, 1].
        wire: Wire acted on.

    Returns:
        A channel of 2 Kraus operators.

    Raises:
        ValueError: If p lies outside [0, 1] (traced values: at run time).

    Source: Nielsen and Chuang, section 8.3.3. PennyLane: `PauliError("Y", p)`.

    Example:
        >>> from qjax.noise import bit_phase_flip
        >>> bit_phase_flip(0.25, 0).kraus.shape
        (2, 2, 2)
    """
    (p,) = scalars(check_probability(probability, "probability"))
    return pauli_mixture(jnp.stack([1 - p, p]), "IY", wire, "BitPhaseFlip")


def pauli_channel(px: ArrayLike, py: ArrayLike, pz: ArrayLike, wire: int) -> Channel:
    """Apply a random Pauli matrix: rho -> (1 - sum_P p_P) rho + sum_P p_P P rho P.

    Args:
        px: Probability of X.
        py: Probability of Y.
        pz: Probability of Z. Each lies in [0, 1], and px + py + pz <= 1.
        wire: Wire acted on.

    Returns:
        A channel of 4 Kraus operators.

    Raises:
        ValueError: If a probability or their sum leaves [0, 1] (traced: at run time).

    Source: Nielsen and Chuang, section 8.3.3. PennyLane: `PauliError` one by one.

    Example:
        >>> from qjax.noise import pauli_channel
        >>> pauli_channel(0.1, 0.0, 0.2, 0).kraus.shape
        (4, 2, 2)
    """
    names = ("px", "py", "pz")
    values = map(check_probability, (px, py, pz), names)
    weights = with_remainder(*values, name="px, py, pz")
    return pauli_mixture(weights, "IXYZ", wire, "Pauli")


def depolarizing(probability: ArrayLike, wire: int) -> Channel:
    """Replace a qubit by a maximally mixed one: rho -> (1 - p) rho + p Tr(rho) I / 2.

    Args:
        probability: p in [0, 1]; at p = 1 everything is forgotten.
        wire: Wire acted on.

    Returns:
        A channel of 4 Kraus operators.

    Raises:
        ValueError: If p lies outside [0, 1] (traced values: at run time).

    Source: Nielsen and Chuang, eq. 8.100. Other packages give the probability q of some
    Pauli error instead: q = 3 p / 4, so this is PennyLane's
    `DepolarizingChannel(3 * p / 4)`.

    Example:
        >>> from qjax.noise import depolarizing
        >>> depolarizing(0.1, 0).kraus.shape
        (4, 2, 2)
    """
    (p,) = scalars(check_probability(probability, "probability"))
    weights = jnp.stack([1 - 3 * p / 4, p / 4, p / 4, p / 4])
    return pauli_mixture(weights, "IXYZ", wire, "Depolarizing")


def two_qubit_depolarizing(probability: ArrayLike, wires: Sequence[int]) -> Channel:
    """Replace two qubits by maximally mixed ones: rho -> (1 - p) rho + p Tr(rho) I / 4.

    Args:
        probability: p in [0, 1]; at p = 1 everything is forgotten.
        wires: The two wires acted on.

    Returns:
        A channel of 16 Kraus operators.

    Raises:
        ValueError: If p lies outside [0, 1] (traced values: at run time).

    Source: Nielsen and Chuang, eq. 8.106 with d = 4. In terms of the probability q of
    some Pauli error: q = 15 p / 16.

    Example:
        >>> from qjax.noise import two_qubit_depolarizing
        >>> two_qubit_depolarizing(0.1, (0, 1)).kraus.shape
        (16, 4, 4)
    """
    (p,) = scalars(check_probability(probability, "probability"))
    rest = jnp.broadcast_to(p / 16, (15,))
    weights = jnp.concatenate([(1 - 15 * p / 16)[None], rest])
    return pauli_mixture(weights, _PAIRS, wires, "Depolarizing2")


def mixed_unitary(
    weights: ArrayLike,
    unitaries: ArrayLike,
    wires: int | Sequence[int],
    name: str = "Mixture",
) -> Channel:
    """Apply one of some unitaries at random: rho -> sum_k w_k U_k rho U_k^dagger.

    Args:
        weights: Probabilities w, shape (k,).
        unitaries: U, shape (k, 2^w, 2^w).
        wires: w wires.
        name: Name in drawings.

    Returns:
        A channel whose trajectories need not look at the state.

    Raises:
        ValueError: If the shapes do not fit, a matrix is not unitary, or the weights
            are no distribution (traced values: at run time).

    Source: Nielsen and Chuang, section 8.3.

    Example:
        >>> import numpy as np
        >>> from qjax.noise import mixed_unitary
        >>> swap = np.eye(4)[[0, 2, 1, 3]]
        >>> pair, weights = np.stack([np.eye(4), swap]), np.asarray([0.9, 0.1])
        >>> mixed_unitary(weights, pair, (0, 1)).kraus.shape
        (2, 4, 4)
    """
    if is_traced(weights):
        array = as_float(weights, "weights")
    else:
        array = np.asarray(weights, float)
    channel = Channel(as_complex(unitaries), check_wires(wires), name, array)
    return channel.checked()
