"""A classical circuit that beats storage under amplitude damping, whatever the rate.

Between layers of decay a permutation of the computational basis moves the weight of
states that have lost an excitation back to states with more of them, and leaves
|0...0> alone. The probability to be found excited then decays like mu^T, where mu is
the spectral radius of (decay, then permute) on the excited states, and mu > 1 - gamma:
already the cycle |11> -> |01> -> |10> -> |11> on two qubits does it. One bit, |0...0>
or excited, is a Z-channel of survival ~ mu^T, worth ~ mu^T / (e ln 2) bits, while
storage is capped at m h((1 - gamma)^T): the ratio grows without limit.

Why mu > eta = 1 - gamma for that cycle: mu is the root of f(mu) = eta gamma + eta^2
gamma / mu + eta^4 / mu^2 - mu, which falls in mu, and f(eta) = eta gamma > 0.
"""

import itertools
import math

import numpy as np

from qjax._checks import require
from qjax.bounds.memory.array_records import array_record
from qjax.bounds.search.ascent import NormalStart
from qjax.bounds.search.candidates import Candidate
from qjax.bounds.search.interleaved_attack import replay_damping

_BLAHUT_STEPS = 500


def decay_matrix(gamma: float, num_wires: int) -> np.ndarray:
    """P(after | before) of one damping layer on basis states, rows are `before`."""
    single = np.asarray([[1.0, 0.0], [gamma, 1 - gamma]])
    total = np.eye(1)
    for _ in range(num_wires):
        total = np.kron(total, single)
    return total


def refrigerator_permutation(gamma: float, num_wires: int) -> tuple[int, ...]:
    """The permutation of basis states, 0 fixed, with the slowest decay to |0...0>.

    Maximises the spectral radius of (decay, then permute) on the excited states over
    all (2^m - 1)! permutations.

    Args:
        gamma: Decay probability per layer, in (0, 1).
        num_wires: m in {1, 2, 3}.

    Returns:
        Image of each basis state.

    Raises:
        ValueError: If an argument is out of range.

    Example:
        >>> from qjax.bounds.search import refrigerator_permutation
        >>> refrigerator_permutation(0.5, 2)
        (0, 2, 3, 1)
    """
    require(0 < gamma < 1, "gamma", "lie in (0, 1)", gamma)
    require(1 <= num_wires <= 3, "num_wires", "be 1, 2 or 3", num_wires)
    excited = decay_matrix(gamma, num_wires)[1:, 1:]
    orders = np.asarray(list(itertools.permutations(range(len(excited)))))
    # Permuting afterwards: weight at column j moves to column orders[j].
    moved = np.stack([excited[:, np.argsort(order)] for order in orders])
    radius = np.abs(np.linalg.eigvals(moved)).max(axis=1)
    best = orders[int(np.argmax(np.round(radius, 12)))]
    return (0, *(int(image) + 1 for image in best))


def refrigerator(gamma: float, layers: int, num_wires: int) -> Candidate:
    """The permutation circuit and its best basis-state ensemble, replayed.

    Args:
        gamma: Decay probability per layer, in (0, 1).
        layers: T >= 2.
        num_wires: m in {1, 2, 3}.

    Returns:
        A candidate like those of `attack_damping`.

    Raises:
        ValueError: If an argument is out of range.

    Source: this module's text; theory of bounds, section 7 (mutant M9).

    Example:
        >>> from qjax.bounds.search import refrigerator
        >>> found = refrigerator(0.5, 25, 2)
        >>> found.refutes, round(float(found.replayed.ratio), 3)
        (True, 1.392)
    """
    require(layers >= 2, "layers", "be at least 2", layers)
    images = refrigerator_permutation(gamma, num_wires)
    decay, size = decay_matrix(gamma, num_wires), 2**num_wires
    permuted = np.zeros((size, size))
    permuted[np.arange(size), images] = 1
    channel = np.linalg.matrix_power(decay @ permuted, layers - 1) @ decay
    weights = optimal_inputs(channel)
    used = np.flatnonzero(weights > 1e-12)
    record = {
        "kind": "damping", "eta": 1 - float(gamma), "m": num_wires, "T": layers,
        "kets": array_record(np.eye(size)[used]),
        "unitaries": array_record(permuted.T[None]),
        "probabilities": weights[used].tolist(),
    }  # fmt: skip
    replayed = replay_damping(record)
    ratio = float(replayed.ratio)
    claim = "M9: chi(out) <= m kappa_storage, interleaved amplitude damping"
    return Candidate(claim, record, ratio, replayed, np.asarray([ratio]), 0)


def optimal_inputs(channel: np.ndarray) -> np.ndarray:
    """Input distribution of a classical channel's capacity, by Blahut and Arimoto.

    Source: Blahut, IEEE Trans. Inf. Theory 18, 460 (1972).
    """
    weights = np.full(len(channel), 1 / len(channel))
    for _ in range(_BLAHUT_STEPS):
        output = weights @ channel
        ratio = np.where(channel > 0, channel / np.maximum(output, 1e-300), 1)
        weights = weights * np.exp(np.sum(channel * np.log(ratio), axis=1))
        weights /= weights.sum()
    return weights


def refrigerator_start(gamma: float, num_wires: int, width: float) -> NormalStart:
    """Starting points around the permutation circuit, for `attack_damping`.

    The ensemble is |0...0> and |1...1>, with the weights of a noisy Z-channel.

    Args:
        gamma: Decay probability per layer, in (0, 1).
        num_wires: m in {1, 2, 3}.
        width: Standard deviation of the perturbation.
    """
    size = 2**num_wires
    unitary = np.zeros((2, 1, size, size))
    unitary[0, 0, refrigerator_permutation(gamma, num_wires), np.arange(size)] = 1
    kets = np.zeros((2, 2, size))
    kets[0, 0, 0] = kets[0, 1, -1] = 1
    logits = np.asarray([math.log(math.e - 1), 0.0])
    return NormalStart({"kets": kets, "logits": logits, "unitaries": unitary}, width)
