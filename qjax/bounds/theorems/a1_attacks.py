"""Adversarial searches on Theorem A1, and the circuit that cools a damped memory."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from qjax._types import Key
from qjax.bounds.bound import Attack, Instance
from qjax.bounds.memory.ensembles import replay_structure
from qjax.bounds.memory.memory_noise import MEMORY_NOISES
from qjax.bounds.memory.structure import holevo_information, simulate_noise
from qjax.bounds.search import attack_membership, refrigerator
from qjax.bounds.search.candidates import from_record

Shape = tuple[int, int, int]


def membership_attack(
    shape: Shape, noise: str, strengths: Mapping[str, float],
    reaches: float | None = None, restarts: int = 16,
) -> Attack:  # fmt: skip
    """Search over all pure states and tests of an (m, n, b) under storage noise."""
    wires, blocks, size = shape
    numbers = " ".join(f"{name}={value:g}" for name, value in strengths.items())

    def run(key: Key, count: int, steps: int) -> Mapping[str, Any]:
        return attack_membership(
            key, wires, blocks, size, strengths, noise=noise, restarts=count,
            steps=steps,
        ).record  # fmt: skip

    name = f"search m={wires} n={blocks} b={size} {numbers}"
    return Attack(name, run, replay_structure, reaches, restarts=restarts)


ATTACKS: Mapping[str, tuple[Attack, ...]] = {
    "depolarizing": (
        membership_attack((1, 1, 4), "depolarizing", {"lam": 0.8}, reaches=0.9999),
        membership_attack((1, 1, 3), "depolarizing", {"lam": 0.8}, reaches=0.9999),
        membership_attack((1, 2, 2), "depolarizing", {"lam": 1.0}, reaches=0.798),
    ),
    "dephasing": (
        membership_attack((1, 1, 2), "dephasing", {"lam": 0.5}, reaches=0.9999),
    ),
    "damping": (membership_attack((1, 1, 2), "damping", {"eta": 0.3}),),
    "generalized-damping": (
        membership_attack((1, 1, 2), "generalized-damping", {"eta": 0.3, "exc": 0.2}),
    ),
    "relaxation": (
        membership_attack((1, 1, 2), "relaxation",
                          {"eta": 0.6, "coh": 0.5, "exc": 0.1}),
    ),
    "replacement": (
        membership_attack((1, 1, 2), "replacement", {"mu": 0.5, "exc": 0.0}),
    ),
}  # fmt: skip
"""Searches by noise; `reaches` is the known optimum, from below."""


def cooled_memory(layers: int, gamma: float, num_wires: int) -> Instance:
    """The refrigerator: a permutation between the layers of damping keeps bits warm.

    Ground-state qubits take up entropy, so that two qubits at gamma = 1/2 hold more
    after 25 layers than storage noise would let any two qubits hold. Simulated on the
    engine, layer by layer.
    """

    def values() -> Mapping[str, Any]:
        record = refrigerator(gamma, layers, num_wires).record
        kets, turn = from_record(record["kets"]), from_record(record["unitaries"])[0]
        states = kets[:, :, None] * kets[:, None, :].conj()
        strengths = {"eta": record["eta"]}
        layer = MEMORY_NOISES["damping"].circuit(strengths, 1, num_wires)
        states = simulate_noise(states, layer)
        for _ in range(layers - 1):
            states = simulate_noise(turn @ states @ turn.conj().T, layer)
        chi = holevo_information(states, np.asarray(record["probabilities"]))
        return {"m": num_wires, "T": layers, "chi": chi, **strengths}

    return Instance(f"refrigerator m={num_wires} gamma={gamma:g} T={layers}", values,
                    error=1e-11)  # fmt: skip
