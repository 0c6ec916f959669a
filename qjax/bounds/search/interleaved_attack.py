"""Attacks on capacity claims for noise with arbitrary unitaries between its layers."""

from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import mpmath
import numpy as np
from jaxtyping import Array, Complex, Float
from scipy.special import softmax

from qjax._checks import require
from qjax._linalg import dagger
from qjax._types import Key
from qjax.bounds.information import evaluate
from qjax.bounds.memory.array_records import array_record, recorded_array
from qjax.bounds.memory.ensembles import projectors
from qjax.bounds.memory.memory_noise import MEMORY_NOISES, MemoryNoise
from qjax.bounds.memory.precise import precise_noise
from qjax.bounds.search.ascent import NormalStart, ascend, gaussian_start
from qjax.bounds.search.candidates import Candidate, Evaluation
from qjax.bounds.search.layer_maps import apply_layer, available_bits, layer_map
from qjax.bounds.search.matrix_entropy import divergence_from_mixed, holevo
from qjax.bounds.search.parametrise import isometries, kets
from qjax.bounds.search.precise_points import (
    precise_divergence,
    precise_holevo,
    precise_isometry,
    precise_ket,
    precise_weights,
)

STORAGE = MEMORY_NOISES["depolarizing"]
DAMPING = MEMORY_NOISES["damping"]


def run_layers(
    states: Complex[Array, "k d d"],
    layer: Complex[Array, "dd dd"],
    unitaries: Complex[Array, "u d d"],
    layers: int,
) -> Complex[Array, "k d d"]:
    """Noise, then (unitary, noise) T - 1 times; one unitary alone is repeated."""
    if unitaries.shape[0] == 1 and layers > 2:
        unitaries = jnp.broadcast_to(unitaries, (layers - 1, *unitaries.shape[1:]))

    def step(states, unitary):
        moved = unitary[None] @ states @ dagger(unitary)[None]
        return apply_layer(layer, moved), None

    states, _ = jax.lax.scan(step, apply_layer(layer, states), unitaries[: layers - 1])
    return states


class DivergenceObjective(eqx.Module):
    """D(out || pi) of one pure input, relative to m (1 - h((1 + lambda^T)/2))."""

    layer: Complex[Array, "dd dd"]
    available: Float[Array, ""]
    layers: int = eqx.field(static=True)

    def __call__(self, params, progress):
        start = projectors(kets(params["kets"]))
        unitaries = isometries(params["unitaries"])
        out = run_layers(start, self.layer, unitaries, self.layers)
        return divergence_from_mixed(out)[0] / self.available


class HolevoObjective(eqx.Module):
    """chi(out) of an ensemble of pure inputs, relative to m kappa."""

    layer: Complex[Array, "dd dd"]
    available: Float[Array, ""]
    layers: int = eqx.field(static=True)

    def __call__(self, params, progress):
        start = projectors(kets(params["kets"]))
        unitaries = isometries(params["unitaries"])
        out = run_layers(start, self.layer, unitaries, self.layers)
        return holevo(out, jax.nn.softmax(params["logits"])) / self.available


def _precise_outputs(
    record: Mapping[str, Any], row: MemoryNoise
) -> list[mpmath.matrix]:
    """The circuit of a record, at the working precision."""
    noise = precise_noise(row.name, {name: record[name] for name in row.names})
    unitaries = [precise_isometry(u) for u in recorded_array(record["unitaries"])]
    if len(unitaries) == 1:
        unitaries = unitaries * (record["T"] - 1)
    outputs = []
    for amplitudes in recorded_array(record["kets"]):
        ket = precise_ket(amplitudes)
        rho = noise(ket * ket.H)
        for unitary in unitaries:
            rho = noise(unitary * rho * unitary.H)
        outputs.append((rho + rho.H) / 2)
    return outputs


def _against_storage(
    record: Mapping[str, Any], row: MemoryNoise, attained: Any, symbol: str
) -> Evaluation:
    """Attained bits over m kappa(T) of the same noise without unitaries."""
    values = {name: record[name] for name in ("m", "T", *row.names)}
    kappa = evaluate(row.kappa, values, mpmath.mp.dps)
    ratio = attained / (record["m"] * kappa)
    return Evaluation(ratio, {**values, symbol: attained, "kappa": kappa})


def replay_interleaved(record: Mapping[str, Any], digits: int = 50) -> Evaluation:
    """Ratio at 50 digits, from a record of `attack_interleaved`."""
    with mpmath.workdps(digits):
        (out,) = _precise_outputs(record, STORAGE)
        return _against_storage(record, STORAGE, precise_divergence(out), "D")


def replay_damping(record: Mapping[str, Any], digits: int = 50) -> Evaluation:
    """Ratio at 50 digits, from a record of `attack_damping`."""
    with mpmath.workdps(digits):
        outputs = _precise_outputs(record, DAMPING)
        chi = precise_holevo(outputs, precise_weights(record["probabilities"]))
        return _against_storage(record, DAMPING, chi, "chi")


def attack_interleaved(
    key: Key,
    num_wires: int,
    layers: int,
    survival: float,
    *,
    restarts: int = 32,
    steps: int = 400,
) -> Candidate:
    """Search for a circuit that outlasts storage under interleaved depolarizing noise.

    Open question: is D(out || pi) <= m (1 - h((1 + lambda^T)/2)) with any unitaries on
    the m qubits between the T layers? (Only m lambda^2T is proved.) D bounds the Holevo
    information of every ensemble from above, so a ratio <= 1 supports both; pure
    inputs suffice because D is convex.

    Args:
        key: JAX random key.
        num_wires: m >= 1.
        layers: T >= 2.
        survival: lambda in (0, 1), per layer and qubit.
        restarts: Random starts.
        steps: Steps of Adam; L-BFGS follows.

    Returns:
        The best input and circuit.

    Raises:
        ValueError: If an argument is out of range or 64-bit types are off.

    Source: theory of bounds, section 9 (open problem i).

    Example:
        >>> import jax
        >>> from qjax.bounds.search import attack_interleaved
        >>> with jax.enable_x64(True):
        ...     found = attack_interleaved(jax.random.key(1), 1, 2, 0.5, restarts=2,
        ...                                steps=20)
        >>> round(found.climbed, 6), found.refutes
        (1.0, False)
    """
    require(num_wires >= 1, "num_wires", "be at least 1", num_wires)
    require(layers >= 2, "layers", "be at least 2", layers)
    require(0 < survival < 1, "survival", "lie in (0, 1)", survival)
    size = 2**num_wires
    strengths = {"lam": float(survival)}
    available = available_bits(STORAGE, strengths, num_wires, layers)
    layer = layer_map(STORAGE, strengths, num_wires)
    objective = DivergenceObjective(layer, jnp.asarray(available), layers)
    start = gaussian_start(
        {"kets": (2, 1, size), "unitaries": (2, layers - 1, size, size)}
    )
    found = ascend(key, objective, start, restarts=restarts, steps=steps)
    record = {"kind": "interleaved", **strengths}
    record |= _circuit_record(found.best_params, num_wires, layers)
    claim = "D(out||pi) <= m (1 - h((1 + lambda^T)/2)), interleaved depolarizing"
    replayed = replay_interleaved(record)
    return Candidate(
        claim, record, found.best, replayed, found.all_values, found.dropped
    )


@eqx.filter_jit
def _circuit(params: Mapping[str, Array]) -> tuple[Array, Array]:
    return kets(params["kets"]), isometries(params["unitaries"])


def _circuit_record(params: Any, num_wires: int, layers: int) -> dict[str, Any]:
    states, unitaries = _circuit(jax.tree.map(jnp.asarray, params))
    return {
        "m": num_wires, "T": layers, "kets": array_record(np.asarray(states)),
        "unitaries": array_record(np.asarray(unitaries)),
    }  # fmt: skip


def attack_damping(
    key: Key,
    num_wires: int,
    layers: int,
    gamma: float,
    *,
    num_states: int = 2,
    repeated: bool = True,
    start: NormalStart | None = None,
    restarts: int = 32,
    steps: int = 400,
) -> Candidate:
    """Search for a circuit that beats storage under interleaved amplitude damping.

    Maximises chi(out) / (m kappa), kappa the proved capacity (L6) of T layers without
    unitaries between them. Unitaries can pump the
    decay's entropy out, so that a ratio above 1 exists: see `refrigerator`.

    Args:
        key: JAX random key.
        num_wires: m >= 1.
        layers: T >= 2.
        gamma: Decay probability per layer, in (0, 1).
        num_states: Size of the ensemble, at least 2.
        repeated: One unitary in all T - 1 places, else one each.
        start: Where to begin, such as `refrigerator_start`; Gaussian by default.
        restarts: Random starts.
        steps: Steps of Adam; L-BFGS follows.

    Returns:
        The best ensemble and circuit.

    Raises:
        ValueError: If an argument is out of range or 64-bit types are off.

    Source: theory of bounds, section 7 (mutant M9); Ben-Or, Gottesman and Hassidim,
    arXiv:1301.1995 (2013).

    Example:
        >>> import jax
        >>> from qjax.bounds.search import attack_damping
        >>> with jax.enable_x64(True):
        ...     found = attack_damping(jax.random.key(1), 1, 2, 0.5, restarts=2,
        ...                            steps=20)
        >>> found.refutes
        False
    """
    require(num_wires >= 1, "num_wires", "be at least 1", num_wires)
    require(layers >= 2, "layers", "be at least 2", layers)
    require(0 < gamma < 1, "gamma", "lie in (0, 1)", gamma)
    require(num_states >= 2, "num_states", "be at least 2", num_states)
    size = 2**num_wires
    strengths = {"eta": 1 - float(gamma)}
    available = available_bits(DAMPING, strengths, num_wires, layers)
    layer = layer_map(DAMPING, strengths, num_wires)
    objective = HolevoObjective(layer, jnp.asarray(available), layers)
    count = 1 if repeated else layers - 1
    if start is None:
        shapes = {
            "kets": (2, num_states, size), "logits": (num_states,),
            "unitaries": (2, count, size, size),
        }  # fmt: skip
        start = gaussian_start(shapes)
    found = ascend(key, objective, start, restarts=restarts, steps=steps)
    record = {"kind": "damping", **strengths}
    record |= _circuit_record(found.best_params, num_wires, layers)
    record["probabilities"] = softmax(found.best_params["logits"]).tolist()
    claim = "M9: chi(out) <= m kappa_storage, interleaved amplitude damping"
    replayed = replay_damping(record)
    return Candidate(
        claim, record, found.best, replayed, found.all_values, found.dropped
    )
