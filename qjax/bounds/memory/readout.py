"""Answers read from one noisy qubit of a memory, simulated with and without the noise.

A unitary computes the answer into wire 0; the noise hits that wire; a test is made on
it. Random memories have two qubits.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import mpmath
import numpy as np
from jaxtyping import Array, Complex, Float, Num

from qjax._types import ArrayLike, Key
from qjax.bounds.bound import RandomBatch
from qjax.bounds.memory.array_records import array_record, recorded_array
from qjax.bounds.memory.ensembles import random_unitaries
from qjax.bounds.memory.precise import precise_effect, precise_noise
from qjax.bounds.memory.state_pairs import errors_of_test, evolved_pair
from qjax.circuits import Channel, Circuit
from qjax.circuits.operation import AbstractOperation, Unitary
from qjax.noise import amplitude_damping, depolarizing, phase_damping
from qjax.simulate import run
from qjax.states import DensityMatrix, StateVector

EXCITED = np.diag([0.0, 1.0])
"""Accept if the answer qubit is found in |1>."""

PARAMETERS = {"depolarizing": "lam", "damping": "gamma", "dephasing": "lam"}
"""Name of the strength of each noise of the answer qubit."""


def answer_noise(noise: str, strength: ArrayLike) -> Channel:
    """The channel on wire 0: survival lambda, decay gamma, or coherence lambda."""
    if noise == "depolarizing":
        return depolarizing(1 - jnp.asarray(strength), 0)
    if noise == "damping":
        return amplitude_damping(strength, 0)
    return phase_damping(1 - jnp.asarray(strength) ** 2, 0)


def readout_values(
    kets: Num[np.ndarray, "2 d"],
    answer: Sequence[AbstractOperation],
    noise: str,
    strength: float,
    effect: Num[np.ndarray, "2 2"] = EXCITED,
) -> dict[str, Any]:
    """Errors of an answer with and without noise on its qubit.

    Args:
        kets: State of the memory for a set with x and for one without.
        answer: Unitaries that compute the answer into wire 0.
        noise: Key of `PARAMETERS`.
        strength: Its parameter.
        effect: Accepting effect on wire 0.

    Returns:
        alpha, beta, alpha0, beta0 and the noise's parameter, by name.

    Example:
        >>> import jax, numpy as np
        >>> from qjax.bounds.memory.readout import readout_values
        >>> with jax.enable_x64(True):
        ...     found = readout_values(np.eye(2)[::-1], (), "damping", 0.25)
        >>> found["alpha"], round(found["beta"], 12)
        (0.0, 0.25)
    """
    num_wires = kets.shape[1].bit_length() - 1
    whole = np.kron(effect, np.eye(2 ** (num_wires - 1)))
    found = {}
    for suffix, last in (("", (answer_noise(noise, strength),)), ("0", ())):
        states = evolved_pair(kets, Circuit((*answer, *last), num_wires))
        errors = errors_of_test(states, whole)
        found |= {f"alpha{suffix}": errors.alpha, f"beta{suffix}": errors.beta}
    return {**found, PARAMETERS[noise]: strength}


@eqx.filter_jit
def _answers(
    kets: Complex[Array, "c 2 4"],
    turns: Complex[Array, "c 4 4"],
    strengths: Float[Array, " c"],
    noise: str,
) -> tuple[Complex[Array, "c 2 2 2"], Complex[Array, "c 2 2 2"]]:
    """State of the answer qubit with and without noise."""

    def one(args):
        pair, turn, strength = args

        steps = (Unitary(turn, (0, 1)), answer_noise(noise, strength))

        def answer(ket, length: int):
            start = DensityMatrix.from_state(StateVector(ket.reshape(2, 2)))
            return run(Circuit(steps[:length], 2), start).reduced((0,))

        noisy = jax.vmap(lambda ket: answer(ket, 2))(pair)
        return noisy, jax.vmap(lambda ket: answer(ket, 1))(pair)

    return jax.lax.map(one, (kets, turns, strengths), batch_size=512)


def _random_pairs(
    generator: np.random.Generator, turns: Complex[np.ndarray, "c 4 4"]
) -> Complex[np.ndarray, "c 2 4"]:
    """Haar pairs, pairs with a perfect answer, and pairs close to those, in turn."""
    count = len(turns)
    normal = generator.normal(size=(2, count, 2, 4))
    haar = normal[0] + 1j * normal[1]
    # Answer 1 for the first ket and 0 for the second, any state of the other qubit.
    perfect = haar * np.repeat([[0, 1], [1, 0]], 2, axis=1)
    perfect = np.einsum("cji,csj->csi", turns.conj(), perfect)
    small = 10.0 ** -generator.uniform(1, 4, size=(count, 1, 1))
    kind = (np.arange(count) % 3)[:, None, None]
    kets = np.choose(kind, [haar, perfect, perfect + small * haar])
    return np.asarray(kets / np.linalg.norm(kets, axis=-1, keepdims=True))


def _random_effects(
    generator: np.random.Generator, count: int, sharp: bool
) -> Complex[np.ndarray, "c 2 2"]:
    """|1><1|, or in every second case a random unsharp effect."""
    fixed = np.broadcast_to(EXCITED, (count, 2, 2)).astype(complex)
    if sharp:
        return fixed
    turns = random_unitaries(generator.normal(size=(2, count, 2, 2)))
    spectrum = generator.uniform(size=(count, 1, 2))
    other = (turns * spectrum) @ turns.conj().mT
    odd = (np.arange(count) // 3 % 2 == 1)[:, None, None]
    return np.where(odd, other, fixed)


def random_readouts(key: Key, count: int, noise: str) -> RandomBatch:
    """Random two-qubit memories with a noisy answer qubit.

    Args:
        key: JAX random key.
        count: Number of memories.
        noise: "depolarizing", with any test of the qubit, or "damping", with |1><1|.

    Returns:
        Values alpha, beta, alpha0, beta0 and the strength, with a replay in mpmath.
    """
    generator = np.random.default_rng(np.asarray(jax.random.key_data(key)))
    turns = random_unitaries(generator.normal(size=(2, count, 4, 4)))
    kets = _random_pairs(generator, turns)
    effects = _random_effects(generator, count, sharp=noise == "damping")
    strengths = generator.uniform(size=count)
    strengths[::10], strengths[1::10] = 0.0, 1.0
    drawn = (jnp.asarray(kets), jnp.asarray(turns), jnp.asarray(strengths))
    name = PARAMETERS[noise]
    values: dict[str, Any] = {name: strengths}
    for suffix, states in zip(("", "0"), _answers(*drawn, noise), strict=True):
        accepted = np.einsum("csij,cji->cs", np.asarray(states), effects).real
        values[f"alpha{suffix}"] = np.clip(accepted[:, 1], 0, 1)
        values[f"beta{suffix}"] = np.clip(1 - accepted[:, 0], 0, 1)

    def serialise(index: int) -> dict[str, Any]:
        rows = {"kets": kets, "turn": turns, "effect": effects}
        record = {key: array_record(value[index]) for key, value in rows.items()}
        return {"noise": noise, name: float(strengths[index]), **record}

    return RandomBatch(
        values, lambda index: replay_readout(serialise(index)), serialise
    )


def replay_readout(record: Mapping[str, Any], digits: int = 50) -> dict[str, Any]:
    """Values at 50 digits of a memory serialised by `random_readouts`.

    The turned kets are normalised after the turn, so that it need not be unitary to
    more digits than the record has: any pair of states is an instance.
    """
    arrays = {key: recorded_array(record[key]) for key in ("kets", "turn", "effect")}
    noise, name = record["noise"], PARAMETERS[record["noise"]]
    found: dict[str, Any] = {name: record[name]}
    with mpmath.workdps(digits):
        turn = mpmath.matrix(arrays["turn"].tolist())
        effect = precise_effect(arrays["effect"])
        strength = mpmath.mpf(record[name])
        level = {"eta": 1 - strength} if noise == "damping" else {"lam": strength}
        channel = precise_noise(noise, level)
        accepted = []
        for ket in arrays["kets"]:
            ideal = _first_qubit(turn * mpmath.matrix(ket.tolist()))
            both = (channel(ideal), ideal)
            accepted.append([_acceptance(effect, rho) for rho in both])
        for place, suffix in enumerate(("", "0")):
            found[f"alpha{suffix}"] = accepted[1][place]
            found[f"beta{suffix}"] = 1 - accepted[0][place]
    return found


def _first_qubit(ket: mpmath.matrix) -> mpmath.matrix:
    """Normalised reduced state of wire 0 of two qubits."""
    table = mpmath.matrix([[ket[0], ket[1]], [ket[2], ket[3]]])
    state = table * table.H
    return state / mpmath.re(state[0, 0] + state[1, 1])


def _acceptance(effect: mpmath.matrix, state: mpmath.matrix) -> Any:
    product = effect * state
    return mpmath.re(product[0, 0] + product[1, 1])
