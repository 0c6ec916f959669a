"""A8: a strong converse. Nobody recovers the stored set from too small a memory.

p <= beta^m / M for M sets in m qubits under storage noise, with beta = 1 + lambda^T
(depolarizing), 1 + sqrt(eta)^T (damping, every temperature) and 1 + max(eta^T, c^T)
(T1/T2 relaxation); 2 without noise.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
import sympy as sp

from qjax._types import Key
from qjax.bounds.bound import Attack, Bound, Constant, Instance, Mutant, Variable
from qjax.bounds.information import h
from qjax.bounds.memory.instances import TETRAHEDRON
from qjax.bounds.memory.memory_noise import MEMORY_NOISES, T, coh, eta, lam
from qjax.bounds.memory.stored_codes import code_success, random_codes, replay_code
from qjax.bounds.model import STORED
from qjax.bounds.sdp import beta_program
from qjax.bounds.search import attack_code
from qjax.bounds.theorems.a8_steps import STEPS
from qjax.circuits import Circuit, cx, x, z
from qjax.circuits import h as hadamard
from qjax.simulate import run
from qjax.states import StateVector

p = sp.Symbol("p", real=True, nonnegative=True)
m = sp.Symbol("m", integer=True, nonnegative=True)
M = sp.Symbol("M", integer=True, positive=True)

# No roles: the linter's trivial structures answer queries and do not decode sets.
VARIABLES = (
    Variable(p, 0, 1, "probability that the stored set is recovered"),
    Variable(m, 0, sp.oo, "memory qubits over all copies"),
    Variable(M, 1, sp.oo, "number of sets, C(N, n) for all n-subsets"),
    Variable(T, 0, sp.oo, "noise layers on every memory qubit", "layers"),
)

HYPOTHESES = (
    "the set is uniform among M; p is the mean probability of recovering all of it",
    "storage noise: T layers on every memory qubit, nothing between them",
    "one measurement of the whole memory; copies count in m",
    "no entanglement between the memory and whoever decodes it",
)

SQUARE_ROOT = sp.sqrt(eta) ** T
BETA = {
    "depolarizing": 1 + lam**T,
    "damping": 1 + SQUARE_ROOT,
    "relaxation": 1 + sp.Max(eta**T, coh**T),
}
"""Growth of the success per qubit, by the name of the noise."""

POINTS: Mapping[str, tuple[Mapping[str, float], ...]] = {
    "depolarizing": ({"lam": 0.3}, {"lam": 0.9}),
    "damping": ({"eta": 0.5, "exc": 0.0}, {"eta": 0.2, "exc": 0.3}),
    "relaxation": ({"eta": 0.5, "coh": 0.7, "exc": 0.2},
                   {"eta": 0.8, "coh": 0.3, "exc": 0.0}),
}  # fmt: skip
"""Where a solver is asked for beta, once with each of the terms as the larger one."""

ENGINE_NOISE = {
    "depolarizing": "depolarizing",
    "damping": "generalized-damping",
    "relaxation": "relaxation",
}
"""Keys of `MEMORY_NOISES`; damping is simulated at every temperature."""


def opposite_pairs(num_wires: int, axis: str) -> np.ndarray:
    """Kets of all 2^m products of two opposite states per qubit, shape (2^m, 2^m).

    Args:
        num_wires: m.
        axis: "z" for |0>, |1>; "x" for (|0> +- |1>)/sqrt 2.
    """
    single = {"z": np.eye(2), "x": np.asarray([[1, 1], [1, -1]]) / np.sqrt(2)}[axis]
    kets = np.ones((1, 1))
    for _ in range(num_wires):
        kets = np.kron(kets, single)
    return kets


def tetrahedral_code() -> np.ndarray:
    """Four kets of one qubit at the corners of a regular tetrahedron."""
    theta, phi = np.asarray(TETRAHEDRON).T
    return np.stack([np.cos(theta / 2), np.exp(1j * phi) * np.sin(theta / 2)], axis=1)


def six_subsets() -> np.ndarray:
    """The six 2-subsets of 4 elements in two qubits: four get a basis state each."""
    return np.eye(4)[[0, 1, 2, 3, 0, 1]]


def code_instance(
    kind: str, label: str, kets: np.ndarray, strengths: Mapping[str, float],
    layers: int = 1, *, tight: bool = False,
) -> Instance:  # fmt: skip
    """An instance of A8, simulated when it is asked for.

    Args:
        kind: Key of `BETA`.
        label: Name of the code.
        kets: One per message.
        strengths: Parameters of one layer.
        layers: T.
        tight: Whether A8 is claimed to be an equality here.
    """
    num_wires = kets.shape[1].bit_length() - 1
    numbers = " ".join(f"{name}={value:g}" for name, value in strengths.items())

    def values() -> Mapping[str, Any]:
        found = code_success(kets, ENGINE_NOISE[kind], strengths, layers)
        return {"p": found, "m": num_wires, "M": len(kets), "T": layers, **strengths}

    return Instance(f"{label} m={num_wires} {numbers} T={layers}", values, tight)


def superdense_values() -> Mapping[str, Any]:
    """Four messages in one qubit of a Bell pair whose other half the decoder holds."""
    start = StateVector.zeros(2)
    bell, back = (hadamard(0), cx(0, 1)), (cx(0, 1), hadamard(0))
    right = 0.0
    for message, gates in enumerate(((), (x(0),), (z(0),), (x(0), z(0)))):
        state = run(Circuit((*bell, *gates, *back), 2), start)
        # X flips the second outcome, Z the first.
        outcome = 2 * (message // 2) + message % 2
        right += float(np.asarray(state.probabilities((0, 1))).reshape(-1)[outcome])
    return {"p": right / 4, "m": 1, "M": 4, "lam": 1, "T": 1}


SUPERDENSE = Instance("superdense coding", superdense_values, note=(
    "pre-shared entanglement: outside the hypotheses"))  # fmt: skip

PAIR, PRODUCT = "opposite pair along {}", "product code along {}"


def _depolarizing_instances() -> tuple[Instance, ...]:
    pair, product = opposite_pairs(1, "x"), opposite_pairs(2, "x")
    found = [
        code_instance(
            "depolarizing", PAIR.format("x"), pair, {"lam": level}, tight=True
        )
        for level in (0.0, 0.5, 0.9)
    ]
    found += [
        code_instance("depolarizing", PAIR.format("x"), pair, {"lam": 0.9}, 3,
                      tight=True),
        code_instance("depolarizing", PRODUCT.format("x"), product, {"lam": 0.8},
                      tight=True),
        code_instance("depolarizing", PRODUCT.format("x"), product, {"lam": 1.0},
                      tight=True),
        code_instance("depolarizing", "tetrahedron", tetrahedral_code(), {"lam": 0.7},
                      tight=True),
        code_instance("depolarizing", "all 2-subsets of 4", six_subsets(),
                      {"lam": 1.0}, tight=True),
    ]  # fmt: skip
    return tuple(found)


def _damping_instances() -> tuple[Instance, ...]:
    pair, product = opposite_pairs(1, "x"), opposite_pairs(2, "x")
    found = [
        code_instance("damping", PAIR.format("x"), pair, {"eta": kept, "exc": warm},
                      tight=True)
        for kept, warm in ((0.9, 0.0), (0.4, 0.0), (0.1, 0.0), (0.4, 0.3))
    ]  # fmt: skip
    cold = {"eta": 0.4, "exc": 0.0}
    found += [
        code_instance("damping", PAIR.format("x"), pair, cold, 3, tight=True),
        code_instance("damping", PRODUCT.format("x"), product, cold, tight=True),
        code_instance("damping", PAIR.format("z"), opposite_pairs(1, "z"), cold),
    ]
    return tuple(found)


def _relaxation_instances() -> tuple[Instance, ...]:
    found = []
    for kept, phase, axis in ((0.5, 0.7, "x"), (0.8, 0.3, "z"), (0.5, 0.5, "x")):
        strengths = {"eta": kept, "coh": phase, "exc": 0.2}
        kets = opposite_pairs(1, axis)
        found.append(
            code_instance("relaxation", PAIR.format(axis), kets, strengths, tight=True)
        )
    strengths = {"eta": 0.8, "coh": 0.85, "exc": 0.0}
    found += [
        code_instance("relaxation", PAIR.format("x"), opposite_pairs(1, "x"), strengths,
                      2, tight=True),
        code_instance("relaxation", PRODUCT.format("x"), opposite_pairs(2, "x"),
                      strengths, tight=True),
    ]  # fmt: skip
    return tuple(found)


INSTANCES = {
    "depolarizing": _depolarizing_instances,
    "damping": _damping_instances,
    "relaxation": _relaxation_instances,
}


def _mutants(kind: str) -> tuple[Mutant, ...]:
    def at_most(beta: sp.Expr) -> sp.Rel:
        return sp.Le(p, beta**m / M)

    if kind == "depolarizing":
        half = "opposite pair along x m=1 lam=0.5 T=1"
        capacity = 2 ** (1 - h((1 + lam**T) / 2))
        return (
            Mutant("A8a", "beta = 1 + lambda^2T", at_most(1 + lam ** (2 * T)), half),
            Mutant("A8b", "beta = 2^kappa: the capacity, which is a weak converse only",
                   at_most(capacity), half),
            Mutant("A8c", "the limit times 0.95",
                   sp.Le(p, sp.Rational(19, 20) * (1 + lam**T) ** m / M), half),
            Mutant("A8d", "one layer too many", at_most(1 + lam ** (T + 1)), half),
            Mutant("A8e", "the decoder may hold a half of a Bell pair",
                   at_most(1 + lam**T), SUPERDENSE.name, (SUPERDENSE,)),
        )  # fmt: skip
    if kind == "damping":
        cold = "opposite pair along x m=1 eta=0.4 exc=0 T=1"
        return (
            Mutant("A8f", "beta = 1 + eta: the survival of populations",
                   at_most(1 + eta**T), cold),
            Mutant("A8g", "the limit times 0.95",
                   sp.Le(p, sp.Rational(19, 20) * (1 + SQUARE_ROOT) ** m / M), cold),
            Mutant("A8h", "one layer too many", at_most(1 + SQUARE_ROOT * sp.sqrt(eta)),
                   cold),
        )  # fmt: skip
    dephased = "opposite pair along z m=1 eta=0.8 coh=0.3 exc=0.2 T=1"
    damped = "opposite pair along x m=1 eta=0.5 coh=0.7 exc=0.2 T=1"
    return (
        Mutant("A8i", "beta = 1 + c: populations forgotten", at_most(1 + coh**T),
               dephased),
        Mutant("A8j", "beta = 1 + eta: coherence forgotten", at_most(1 + eta**T),
               damped),
        Mutant("A8k", "beta = 1 + min(eta, c)", at_most(1 + sp.Min(eta**T, coh**T)),
               damped),
    )  # fmt: skip


def _code_attack(kind: str) -> Attack:
    """Four messages in two qubits: products of opposite pairs reach the bound."""
    point = POINTS[kind][0]

    def run(key: Key, restarts: int, steps: int) -> Mapping[str, Any]:
        noise = ENGINE_NOISE[kind]
        return attack_code(key, 4, point, noise=noise, restarts=restarts, steps=steps)

    numbers = " ".join(f"{name}={value:g}" for name, value in point.items())
    return Attack(f"search M=4 m=2 {numbers}", run, replay_code, reaches=0.9999)


def _strong_converse(kind: str, identifier: str) -> Bound:
    row = MEMORY_NOISES[ENGINE_NOISE[kind]]
    noise = ENGINE_NOISE[kind]
    return Bound(
        id=identifier,
        title=f"Strong converse, {row.title}: p <= beta^m/M, beta = {BETA[kind]}",
        statement=sp.Le(p, BETA[kind] ** m / M),
        variables=(*VARIABLES, *row.variables),
        model=dataclasses.replace(
            STORED, noise_parameter=row.parameter, choice="average"
        ),
        hypotheses=HYPOTHESES,
        vacuous_when=sp.Ge(BETA[kind] ** m / M, 1),
        constants=(
            Constant("beta", BETA[kind], "Tr Sigma of an explicit feasible point of "
                     "the bound of Wang, Xie and Duan; attained at M = 2^m"),
        ),
        steps=STEPS[kind],
        instances=INSTANCES[kind](),
        mutants=_mutants(kind),
        proof="a8",
        random=lambda key, count: random_codes(key, count, noise),
        replay_random=replay_code,
        attacks=(_code_attack(kind),),
        programs=tuple(
            beta_program(noise, point, BETA[kind]) for point in POINTS[kind]
        ),
    )  # fmt: skip


def strong_converse() -> Bound:
    """A8: p <= (1 + lambda^T)^m / M for depolarizing storage noise.

    Returns:
        The bound on the probability p that one of M sets is recovered from m qubits.

    Source: proofs/a8.md.

    Example:
        >>> from qjax.bounds.theorems.a8 import strong_converse
        >>> [mutant.id for mutant in strong_converse().mutants]
        ['A8a', 'A8b', 'A8c', 'A8d', 'A8e']
    """
    return _strong_converse("depolarizing", "A8")


def damping_strong_converse() -> Bound:
    """A8 for amplitude damping at any temperature: p <= (1 + sqrt(eta)^T)^m / M.

    Returns:
        The bound; eta = 1 - gamma is the survival of an excitation per layer.

    Source: proofs/a8.md.

    Example:
        >>> from qjax.bounds.theorems.a8 import damping_strong_converse
        >>> damping_strong_converse().id
        'A8/damping'
    """
    return _strong_converse("damping", "A8/damping")


def relaxation_strong_converse() -> Bound:
    """A8 for T1/T2 relaxation: p <= (1 + max(eta^T, c^T))^m / M.

    Returns:
        The bound; c is the coherence factor per layer, at most sqrt(eta).

    Source: proofs/a8.md.

    Example:
        >>> from qjax.bounds.theorems.a8 import relaxation_strong_converse
        >>> relaxation_strong_converse().id
        'A8/relaxation'
    """
    return _strong_converse("relaxation", "A8/relaxation")
