"""Attack on Theorem A1: states and tests that ask for more bits than there are."""

from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import sympy as sp
from jaxtyping import Array, Bool, Complex, Float

from qjax._checks import require
from qjax._types import Key
from qjax.bounds.information import d, evaluate
from qjax.bounds.memory.array_records import array_record
from qjax.bounds.memory.ensembles import projectors, replay_structure
from qjax.bounds.memory.memory_noise import MEMORY_NOISES
from qjax.bounds.memory.structure import block_average, membership_table
from qjax.bounds.search.ascent import NormalStart, ascend, gaussian_start
from qjax.bounds.search.candidates import Candidate, Evaluation
from qjax.bounds.search.layer_maps import (
    apply_layer,
    available_bits,
    find_noise,
    layer_map,
)
from qjax.bounds.search.matrix_entropy import binary_divergence
from qjax.bounds.search.parametrise import effects, kets

NEEDED_BITS = sp.sympify("n*d(p, p/b + (1 - 1/b)*a)", {"d": d})
"""Bits that A1 asks of the memory."""

# Tests are four times as sharp at the end: projective optima lie at infinity.
_FINAL_SHARPNESS = 4.0
_EIGENVALUE_WIDTH = 4.0


class MembershipObjective(eqx.Module):
    """n d(p || alpha_b) / (m kappa) of an encoding and its tests; negative if p < a.

    Attributes:
        layer: Noise as a matrix.
        available: m kappa, in bits.
        member: Whether set s contains query q.
        block_size: b.
        num_blocks: n.
    """

    layer: Complex[Array, "dd dd"]
    available: Float[Array, ""]
    member: Bool[Array, "queries sets"]
    block_size: int = eqx.field(static=True)
    num_blocks: int = eqx.field(static=True)

    def __call__(self, params, progress):
        sharpness = 1 + (_FINAL_SHARPNESS - 1) * progress
        states = apply_layer(self.layer, projectors(kets(params["kets"])))
        tests = effects(params["effects"], sharpness)
        table = jnp.einsum("qij,sji->qs", tests, states).real
        p, a = block_average(table, self.member, jnp.ones_like(table))
        threshold = p / self.block_size + (1 - 1 / self.block_size) * a
        needed = self.num_blocks * binary_divergence(p, threshold)
        return jnp.where(p >= a, needed, -needed) / self.available


def _start(queries: int, sets: int, size: int) -> NormalStart:
    """Random kets and bases; tests that are nearly sharp, of every rank.

    Tests that accept everything are part of the best classical structures, and a climb
    that starts from half-hearted ones seldom gets there.
    """
    shapes = {"kets": (2, sets, size), "effects": (queries, 2 * size + 1, size)}
    widths = {name: np.ones(shape) for name, shape in shapes.items()}
    widths["effects"][:, -1] = _EIGENVALUE_WIDTH
    return NormalStart(gaussian_start(shapes).centre, widths)


@eqx.filter_jit
def _structure(params: Mapping[str, Array]) -> tuple[Array, Array]:
    """Encoded states and tests at the end of the annealing."""
    tests = effects(params["effects"], jnp.asarray(_FINAL_SHARPNESS))
    return projectors(kets(params["kets"])), tests


def replay_membership(record: Mapping[str, Any]) -> Evaluation:
    """Ratio and A1's symbols at 50 digits, from a record of `attack_membership`."""
    values = replay_structure(record)
    kappa = MEMORY_NOISES[record["noise"]].kappa
    available = values["m"] * evaluate(kappa, values)
    return Evaluation(evaluate(NEEDED_BITS, values) / available, values)


def attack_membership(
    key: Key,
    num_wires: int,
    num_blocks: int,
    block_size: int,
    strengths: Mapping[str, float],
    *,
    noise: str = "depolarizing",
    layers: int = 1,
    restarts: int = 32,
    steps: int = 300,
) -> Candidate:
    """Search for b^n pure states and n b tests that violate Theorem A1.

    Maximises n d(p || p/b + (1 - 1/b) a) / (m kappa). Pure states suffice: d is jointly
    convex and (p, a) are affine in each state.

    Args:
        key: JAX random key.
        num_wires: m >= 1.
        num_blocks: n >= 1.
        block_size: b >= 2.
        strengths: Parameters of one layer of noise by name, such as {"lam": 0.8}.
        noise: A key of `MEMORY_NOISES`; nothing acts between the layers.
        layers: T >= 1.
        restarts: Random starts.
        steps: Steps of Adam; L-BFGS follows.

    Returns:
        The best structure; its record is what `replay_structure` reads.

    Raises:
        ValueError: If an argument is out of range, the noise leaves no capacity at all,
            or 64-bit types are off.

    Source: theory of bounds, section 3.2 (exact tightness).

    Example:
        >>> import jax
        >>> from qjax.bounds.search import attack_membership
        >>> with jax.enable_x64(True):
        ...     found = attack_membership(jax.random.key(1), 1, 1, 2, {"lam": 0.8},
        ...                               restarts=4, steps=60)
        >>> round(found.climbed, 3), found.refutes
        (1.0, False)
    """
    for name, value, low in (
        ("num_wires", num_wires, 1), ("num_blocks", num_blocks, 1),
        ("block_size", block_size, 2), ("layers", layers, 1),
    ):  # fmt: skip
        require(value >= low, name, f"be at least {low}", value)
    row = find_noise(noise, strengths)
    available = available_bits(row, strengths, num_wires, layers)
    require(available > 0, "strengths", "leave some capacity", strengths)
    objective = MembershipObjective(
        layer_map(row, strengths, num_wires, layers),
        jnp.asarray(available),
        jnp.asarray(membership_table(num_blocks, block_size)),
        block_size,
        num_blocks,
    )
    start = _start(num_blocks * block_size, block_size**num_blocks, 2**num_wires)
    found = ascend(key, objective, start, restarts=restarts, steps=steps)
    states, tests = _structure(jax.tree.map(jnp.asarray, found.best_params))
    record = {
        "kind": "membership", "noise": noise, "n": num_blocks, "b": block_size,
        "m": num_wires, "T": layers, **{k: float(v) for k, v in strengths.items()},
        "states": array_record(np.asarray(states)),
        "effects": array_record(np.asarray(tests)),
        "between": array_record(np.zeros(0)),
    }  # fmt: skip
    claim = f"A1: n d(p || alpha_b) <= m kappa, {noise} storage noise"
    replayed = replay_membership(record)
    return Candidate(
        claim, record, found.best, replayed, found.all_values, found.dropped
    )
