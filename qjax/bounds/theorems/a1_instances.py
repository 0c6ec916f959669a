"""Simulated instances of Theorem A1, one list per noise of the memory."""

import functools
import math
from collections.abc import Callable, Mapping

import numpy as np

from qjax.bounds.bound import Instance
from qjax.bounds.theorems.membership import membership_instance, noisy_instance

SIC_LEVELS = (0.0, 0.05, 0.2, 0.5, 0.9, 0.99, 1.0)
"""lambda of the one-block SIC filter in the exact stage, both edges included."""

SIC = {"num_blocks": 1}
BITS = {"num_blocks": 2, "block_size": 2}
BLOOM = {
    "num_blocks": 2, "block_size": 4, "num_bits": 5, "hashes": 2, "seeds": (0, 1, 2)
}  # fmt: skip

BEST_TILT = {0.9: 1.476, 0.5: 1.379, 0.3: 1.369, 0.1: 1.384, 0.01: 1.44}
"""eta -> angle of the pair of states with the largest one-use chi under damping."""

HADAMARD = np.asarray([[1, 1], [1, -1]]) / math.sqrt(2)


def _depolarizing() -> tuple[Instance, ...]:
    make = membership_instance
    found = [
        make("sic", SIC, level, tight=level > 0, sampled=level in (0.5, 0.9, 1.0))
        for level in SIC_LEVELS
    ]
    found += [
        make("sic", SIC, 0.9, 3, tight=True),
        make("sic", {"num_blocks": 2}, 0.9, tight=True),
        make("sic", {"num_blocks": 2}, 0.5, tight=True),
    ]
    for level in (1.0, 0.7):
        found.append(make("qrac", {"num_bits": 2}, level, sampled=True))
        found.append(make("qrac", {"num_bits": 3}, level))
    found += [make("bit_vector", BITS, level) for level in (1.0, 0.9)]
    # One bit per block of two is the classical tight case.
    found.append(make("repetition", {"copies": 1}, 0.6, tight=True))
    found.append(make("repetition", {"copies": 3}, 0.6, sampled=True))
    found += [make("bloom", BLOOM, level) for level in (1.0, 0.9)]
    return tuple(found)


def _dephasing() -> tuple[Instance, ...]:
    make = functools.partial(noisy_instance, noise="dephasing")
    return (
        make("repetition", {"copies": 1}, strengths={"lam": 0.0}, tight=True),
        make("repetition", {"copies": 1}, strengths={"lam": 0.7}, layers=2, tight=True,
             sampled=True),
        make("bit_vector", BITS, strengths={"lam": 0.3}),
        make("basis", {"num_wires": 2}, strengths={"lam": 0.5}, tight=True),
        make("sic", SIC, strengths={"lam": 0.9}, sampled=True),
    )  # fmt: skip


def _damping() -> tuple[Instance, ...]:
    make = functools.partial(noisy_instance, noise="damping")
    pairs = [
        make("tilted_pair", {"angle": angle}, strengths={"eta": eta}, sampled=eta > 0.2)
        for eta, angle in BEST_TILT.items()
    ]
    quiet = {"eta": 1.0}
    return (
        make("sic", SIC, strengths=quiet, tight=True),
        make("basis", {"num_wires": 2}, strengths=quiet, tight=True),
        *pairs,
        make("repetition", {"copies": 3}, strengths={"eta": 0.6}),
        make("sic", SIC, strengths={"eta": 0.9}, layers=3),
    )


def _generalized() -> tuple[Instance, ...]:
    make = functools.partial(noisy_instance, noise="generalized-damping")
    cold, hot = {"eta": 0.3, "exc": 0.0}, {"eta": 0.5, "exc": 0.5}
    return (
        make("sic", SIC, strengths={"eta": 1.0, "exc": 0.3}, tight=True),
        make("tilted_pair", {"angle": 1.369}, strengths=cold, sampled=True),
        make("tilted_pair", {"angle": math.pi / 2}, strengths=hot),
        make("tilted_pair", {"angle": 1.44}, strengths={"eta": 0.01, "exc": 0.0}),
        make("sic", SIC, strengths={"eta": 0.9, "exc": 0.1}, layers=2),
    )


def _relaxation() -> tuple[Instance, ...]:
    make = functools.partial(noisy_instance, noise="relaxation")
    lossless = {"eta": 1 - 1e-12, "coh": 0.1, "exc": 0.0}
    cold = {"eta": 0.01, "coh": 0.1, "exc": 0.0}
    return (
        make("sic", SIC, strengths={"eta": 1.0, "coh": 1.0, "exc": 0.0}, tight=True),
        # T2 far below T1: bits along z keep everything, as the bound allows.
        make("repetition", {"copies": 1}, strengths=lossless, tight=True),
        make("tilted_pair", {"angle": 1.44}, strengths=cold, sampled=True),
        make("sic", SIC, strengths={"eta": 0.9, "coh": 0.8, "exc": 0.1}, layers=2),
    )


def _replacement() -> tuple[Instance, ...]:
    make = functools.partial(noisy_instance, noise="replacement")
    bit = {"copies": 1}
    return (
        make("sic", SIC, strengths={"mu": 0.0, "exc": 0.5}, tight=True),
        make("repetition", bit, strengths={"mu": 0.5, "exc": 0.0}, sampled=True),
        make("repetition", bit, strengths={"mu": 0.1, "exc": 0.0}),
        make("sic", SIC, strengths={"mu": 0.1, "exc": 0.5}, layers=2),
    )


def _interleaved() -> tuple[Instance, ...]:
    make = functools.partial(noisy_instance, noise="interleaved")
    there_and_back = (HADAMARD, HADAMARD)
    entangler = np.kron(HADAMARD, np.eye(2))[[0, 1, 3, 2]]
    return (
        make("sic", SIC, strengths={"lam": 1.0}, layers=3, between=there_and_back,
             tight=True),
        make("sic", SIC, strengths={"lam": 0.9}, sampled=True),
        make("repetition", {"copies": 1}, strengths={"lam": 0.9}, layers=2,
             between=(HADAMARD @ np.diag([1, 1j]) @ HADAMARD,)),
        make("basis", {"num_wires": 2}, strengths={"lam": 0.9}, layers=2,
             between=(entangler,)),
    )  # fmt: skip


def _block() -> tuple[Instance, ...]:
    make = functools.partial(noisy_instance, noise="block")
    pair = {"num_wires": 2}
    entangler = np.kron(HADAMARD, np.eye(2))[[0, 1, 3, 2]]
    return (
        make("basis", pair, strengths={"lam": 1.0}, layers=2, between=(entangler,)),
        make("basis", pair, strengths={"lam": 1.0}, tight=True),
        make("basis", pair, strengths={"lam": 0.1}),
        make("basis", pair, strengths={"lam": 0.9}, sampled=True),
        make("sic", {"num_blocks": 2}, strengths={"lam": 0.9}),
    )


INSTANCES: Mapping[str, Callable[[], tuple[Instance, ...]]] = {
    "depolarizing": _depolarizing,
    "dephasing": _dephasing,
    "damping": _damping,
    "generalized-damping": _generalized,
    "relaxation": _relaxation,
    "replacement": _replacement,
    "interleaved": _interleaved,
    "block": _block,
}
"""Instances by noise."""
