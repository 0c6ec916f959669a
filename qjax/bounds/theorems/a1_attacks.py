"""Searches on Theorem A1, programs for its constants, a circuit that cools a memory."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import sympy as sp

from qjax._types import Key
from qjax.bounds.bound import Attack, Instance
from qjax.bounds.memory.array_records import array_record, recorded_array
from qjax.bounds.memory.capacities import replaced_by_damping
from qjax.bounds.memory.ensembles import replay_structure
from qjax.bounds.memory.memory_noise import MEMORY_NOISES, T, coh, eta, exc, lam, mu
from qjax.bounds.memory.structure import holevo_information, simulate_noise
from qjax.bounds.program import Program
from qjax.bounds.sdp import (
    access_program,
    beta_program,
    doeblin_program,
    qrac_seesaw,
)
from qjax.bounds.search import (
    attack_contraction,
    attack_interleaved,
    attack_membership,
    refrigerator,
    replay_candidate,
)
from qjax.bounds.theorems.membership import m

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


def seesaw_attack(num_bits: int, num_wires: int, reaches: float) -> Attack:
    """See-saw over encodings and measurements of n bits: blocks of two elements."""

    def run(key: Key, count: int, steps: int) -> Mapping[str, Any]:
        code = qrac_seesaw(
            key, num_bits, num_wires, restarts=count, iterations=max(steps, 1)
        )
        states = code.kets[:, :, None] * code.kets[:, None, :].conj()
        unit = np.eye(2**num_wires)
        effects = [(unit + sign * a) / 2 for a in code.observables for sign in (1, -1)]
        return {
            "kind": "membership", "noise": "depolarizing", "n": num_bits, "b": 2,
            "m": num_wires, "T": 1, "lam": 1.0, "states": array_record(states),
            "effects": array_record(np.stack(effects)),
            "between": array_record(np.zeros(0)),
        }  # fmt: skip

    name = f"see-saw {num_bits} -> {num_wires}"
    return Attack(name, run, replay_structure, reaches)


D, D_in, D_out = sp.symbols("D D_in D_out", nonnegative=True)


def _values(record: Mapping[str, Any]) -> Mapping[str, Any]:
    return replay_candidate(record).values


def circuit_attack(
    num_wires: int, layers: int, survival: float, reaches: float
) -> Attack:
    """Search over circuits between the layers: D(out||pi), which bounds chi.

    What storage attains, m (1 - h((1 + lambda^T)/2)), is the known ratio; whether a
    circuit attains more is an open question (table T6), more than m lambda^2T is not.
    """

    def run(key: Key, restarts: int, steps: int) -> Mapping[str, Any]:
        return attack_interleaved(
            key, num_wires, layers, survival, restarts=restarts, steps=steps
        ).record

    name = f"search circuits m={num_wires} T={layers} lam={survival:g}"
    relation = sp.Le(D, m * lam ** (2 * T))
    return Attack(name, run, _values, reaches, relation, restarts=4, steps=200)


def contraction_search(num_wires: int, survival: float, reaches: float) -> Attack:
    """Search over mixed states: a layer of blocks keeps at most lambda of D(.||pi)."""

    def run(key: Key, restarts: int, steps: int) -> Mapping[str, Any]:
        return attack_contraction(
            key, survival, "block", 1, num_wires=num_wires, restarts=restarts,
            steps=steps,
        ).record  # fmt: skip

    name = f"search states m={num_wires} lam={survival:g}"
    relation = sp.Le(D_out, lam * D_in)
    return Attack(name, run, _values, reaches, relation, restarts=8, steps=200)


ATTACKS: Mapping[str, tuple[Attack, ...]] = {
    "depolarizing": (
        membership_attack((1, 1, 4), "depolarizing", {"lam": 0.8}, reaches=0.9999),
        membership_attack((1, 1, 3), "depolarizing", {"lam": 0.8}, reaches=0.9999),
        membership_attack((1, 2, 2), "depolarizing", {"lam": 1.0}, reaches=0.798),
        seesaw_attack(2, 1, reaches=0.798),
        seesaw_attack(3, 1, reaches=0.7679),
        seesaw_attack(3, 2, reaches=0.8365),
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
    "interleaved": (circuit_attack(2, 2, 0.9, reaches=0.8337),),
    "block": (contraction_search(2, 0.3, reaches=0.331),),
}  # fmt: skip
"""Searches by noise; `reaches` is the known optimum, from below."""


_COLD, _WARM = {"eta": 0.3, "exc": 0.1}, {"eta": 0.1, "exc": 0.4}
_DEPHASED = {"eta": 0.8, "coh": 0.3, "exc": 0.1}

PROGRAMS: Mapping[str, tuple[Program, ...]] = {
    "depolarizing": (
        access_program(2, 1, (2 + sp.sqrt(2)) / 4),
        access_program(3, 1, (3 + sp.sqrt(3)) / 6),
        access_program(3, 2, (6 + sp.sqrt(6) * 2) / 12),
    ),
    "damping": (
        beta_program("damping", {"eta": 0.3}, 1 + sp.sqrt(eta)),
    ),
    "generalized-damping": (
        beta_program("generalized-damping", _COLD, 1 + sp.sqrt(eta)),
        doeblin_program("generalized-damping", _COLD, replaced_by_damping(eta, exc)),
        doeblin_program("generalized-damping", _WARM, replaced_by_damping(eta, exc)),
    ),
    "relaxation": (
        beta_program("relaxation", _DEPHASED, 1 + sp.Max(eta, coh)),
    ),
    "replacement": (
        doeblin_program("replacement", {"mu": 0.5, "exc": 0.3}, mu),
    ),
}  # fmt: skip
"""Constants of the capacities, solved for: see `capacities.py`."""


def cooled_memory(layers: int, gamma: float, num_wires: int) -> Instance:
    """The refrigerator: a permutation between the layers of damping keeps bits warm.

    Ground-state qubits take up entropy, so that two qubits at gamma = 1/2 hold more
    after 25 layers than storage noise would let any two qubits hold. Simulated on the
    engine, layer by layer.
    """

    def values() -> Mapping[str, Any]:
        record = refrigerator(gamma, layers, num_wires).record
        kets, turn = (
            recorded_array(record["kets"]),
            recorded_array(record["unitaries"])[0],
        )
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
