"""Attack on contraction claims: D(Phi(rho) || pi) <= lambda^k D(rho || pi)."""

from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import mpmath
import numpy as np
from jaxtyping import Array, Complex, Float

from qjax._checks import require
from qjax._types import Key
from qjax.bounds.memory.array_records import array_record, recorded_array
from qjax.bounds.memory.memory_noise import MEMORY_NOISES
from qjax.bounds.memory.precise import precise_noise
from qjax.bounds.search.ascent import ascend, gaussian_start
from qjax.bounds.search.candidates import Candidate, Evaluation
from qjax.bounds.search.layer_maps import apply_layer, layer_map
from qjax.bounds.search.matrix_entropy import divergence_from_mixed
from qjax.bounds.search.parametrise import mixed_states
from qjax.bounds.search.precise_points import precise_divergence

CONTRACTIONS = ("depolarizing", "block")
"""Noises of `MEMORY_NOISES` that fix I/d: on single qubits, on pairs of qubits."""

# Below this divergence float64 has lost the ratio; smaller inputs score lower.
_MIN_DIVERGENCE = 1e-6


class ContractionObjective(eqx.Module):
    """D(out || pi) / (factor D(in || pi)) of the state with purification `params`."""

    layer: Complex[Array, "dd dd"]
    factor: Float[Array, ""]

    def __call__(self, params, progress):
        state = mixed_states(params["state"])
        before = jnp.maximum(divergence_from_mixed(state), _MIN_DIVERGENCE)
        after = divergence_from_mixed(apply_layer(self.layer, state))
        return after / (self.factor * before)


def replay_contraction(record: Mapping[str, Any], digits: int = 50) -> Evaluation:
    """Ratio at 50 digits, from a record of `attack_contraction`."""
    with mpmath.workdps(digits):
        root = mpmath.matrix(recorded_array(record["purification"]).tolist())
        rho = root * root.H
        rho = rho / mpmath.fsum(mpmath.re(rho[i, i]) for i in range(rho.rows))
        survival = mpmath.mpf(record["lam"])
        before = precise_divergence(rho)
        noise = precise_noise(record["noise"], {"lam": survival})
        after = precise_divergence(noise(rho))
        ratio = after / (survival ** record["exponent"] * before)
        values = {
            "lam": record["lam"], "k": record["exponent"],
            "D_in": before, "D_out": after,
        }  # fmt: skip
        return Evaluation(+ratio, values)


def attack_contraction(
    key: Key,
    survival: float,
    noise: str = "depolarizing",
    exponent: int = 2,
    *,
    num_wires: int = 2,
    restarts: int = 32,
    steps: int = 300,
) -> Candidate:
    """Search for a state that depolarizing noise contracts too little.

    Maximises D(Phi(rho) || pi) / (lambda^k D(rho || pi)) over mixed states. True are
    k = 2 for noise on single qubits (L5) and k = 1 on blocks (L4); k = 2 on blocks is
    refuted: at lambda = 0.1 pure states reach 1.0207 and mixed ones more.

    Args:
        key: JAX random key.
        survival: lambda in (0, 1): each block survives with probability lambda.
        noise: One of `CONTRACTIONS`.
        exponent: k.
        num_wires: m >= 1.
        restarts: Random starts.
        steps: Steps of Adam; L-BFGS follows.

    Returns:
        The best state. The claim's ratio approaches 1 near the maximally mixed state,
        where only the replay can tell 1 - 1e-12 from a violation.

    Raises:
        ValueError: If an argument is out of range or 64-bit types are off.

    Source: theory of bounds, section 2 (L4, L5); Montanaro and Osborne,
    arXiv:0810.2435 (2008); King, Commun. Math. Phys. 328, 285 (2014).

    Example:
        >>> import jax
        >>> from qjax.bounds.search import attack_contraction
        >>> with jax.enable_x64(True):
        ...     found = attack_contraction(jax.random.key(1), 0.1, "block",
        ...                                restarts=4, steps=40)
        >>> found.refutes, bool(found.replayed.ratio > 1.0207)
        (True, True)
    """
    require(0 < survival < 1, "survival", "lie in (0, 1)", survival)
    rule = f"be one of {CONTRACTIONS}"
    require(noise in CONTRACTIONS, "noise", rule, repr(noise))
    require(exponent >= 1, "exponent", "be at least 1", exponent)
    require(num_wires >= 1, "num_wires", "be at least 1", num_wires)
    size = 2**num_wires
    layer = layer_map(MEMORY_NOISES[noise], {"lam": survival}, num_wires)
    objective = ContractionObjective(layer, jnp.asarray(survival**exponent))
    start = gaussian_start({"state": (2, size, size)})
    found = ascend(key, objective, start, restarts=restarts, steps=steps)
    parts = np.asarray(found.best_params["state"])
    record = {
        "kind": "contraction", "lam": float(survival), "noise": noise,
        "exponent": exponent, "purification": array_record(parts[0] + 1j * parts[1]),
    }  # fmt: skip
    claim = f"D(out||pi) <= lambda^{exponent} D(in||pi), {noise} noise"
    replayed = replay_contraction(record)
    return Candidate(
        claim, record, found.best, replayed, found.all_values, found.dropped
    )
