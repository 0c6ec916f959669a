"""Running circuits on matrix product states, noisy ones by drawing."""

import itertools
from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PyTree, UInt8

from qjax._types import Key
from qjax.circuits.circuit import Circuit
from qjax.plan.chains import Draws, Layer, Pairs, Step, plan_chain
from qjax.plan.layers import (
    chunked,
    draw_operators,
    layer_operators,
    pair_matrices,
    run_products,
)
from qjax.plan.strings import Piece, Tables, pieces, tables
from qjax.states.mps import MPS
from qjax.states.mps.cuts import determined
from qjax.states.mps.sweeps import Gauged, Loss, gauged
from qjax.states.mps.updates import (
    apply_layer,
    apply_pairs,
    apply_sites,
    draw_kraus,
    grow,
)

_IDLE_SITES = 2
"""Sites beyond the chain, for slots that have no gate to do."""


class _Carry(NamedTuple):
    """What one step hands to the next."""

    chain: Gauged
    loss: Loss
    log_prob: Float[Array, ""]

    def after(self, chain: Gauged, loss: Loss) -> "_Carry":
        """Return what a step that cuts hands on."""
        error, tied = self.loss.error + loss.error, self.loss.tied | loss.tied
        return _Carry(chain, Loss(error, tied), self.log_prob)


def run_chain(circuit: Circuit, state: MPS, *, remat: bool = False) -> MPS:
    """Run a unitary circuit on a chain: exactly while the bonds allow it, then cutting.

    The time to compile grows neither with depth nor with the number of gates: steps
    that cut are one scan. `remat` keeps for a gradient the chain before each of them
    alone.
    """
    own = pieces(circuit.operations)
    for piece in own:
        if piece.outcomes:
            raise TypeError(
                "Argument `circuit` must be unitary for `run` on an MPS, but has a "
                f"channel, measurement or reset on wires {piece.wires}; use "
                "`trajectory`."
            )
    return _run(None, circuit, own, state, remat)[0]


def draw_chain(
    key: Key, circuit: Circuit, state: MPS
) -> tuple[MPS, Float[Array, ""], UInt8[Array, " m"]]:
    """Run a circuit and draw what is random in it.

    Returns:
        The state, ln of the probability of all that was drawn, and the measured bits
        in time order.
    """
    return _run(key, circuit, pieces(circuit.operations), state, False)


def _run(
    key: Key | None, circuit: Circuit, own: list[Piece], state: MPS, remat: bool
) -> tuple[MPS, Float[Array, ""], UInt8[Array, " m"]]:
    # No state needs wider bonds than half of its wires have dimensions.
    widest = max(state.bond, min(state.max_bond, 2 ** (state.num_wires // 2)))
    plan = plan_chain(own, state.num_wires, state.bond, widest)
    numbers = tables(circuit.operations, state.dtype)
    tensors, error = state.tensors, state.truncation_error
    for rank, layers in itertools.groupby(plan.layers, lambda layer: layer.rank):
        for operator in layer_operators(numbers, [*layers], state.num_wires, rank):
            tensors = grow(tensors, operator)
    log_prob, bits = jnp.zeros_like(error), jnp.zeros((0,), jnp.uint8)
    if plan.steps:
        wider = widest - tensors.shape[1]
        padded = jnp.pad(tensors, ((0, 0), (0, wider), (0, 0), (0, wider)))
        loss = Loss(error, jnp.zeros((), bool))
        start = _Carry(_outer(gauged(padded)), loss, log_prob)
        end, drawn = _scan(key, numbers, chunked(plan.steps), start, remat)
        tensors = determined(_inner(end.chain).tensors, end.loss.tied)
        error, log_prob = end.loss.error, end.log_prob
        bits = _recorded(own, chunked(plan.steps), drawn)
    if any(plan.after):
        tensors = apply_sites(tensors, run_products(numbers.singles, plan.after))
    return MPS(tensors, error, state.max_bond), log_prob, bits


def _scan(
    key: Key | None, numbers: Tables, steps: Sequence[Step], start: _Carry, remat: bool
) -> tuple[_Carry, Int[Array, "steps n"]]:
    """Do the steps in one scan, each kind of step compiled once."""
    num_sites = start.chain.tensors.shape[0] - _IDLE_SITES
    kinds: dict[type, tuple[Callable, PyTree]] = {}
    for kind, (function, build) in _KINDS.items():
        members = [step for step in steps if isinstance(step, kind)]
        if members:
            kinds[kind] = function, build(numbers, members, num_sites)
    order, counters = list(kinds), dict.fromkeys(kinds, 0)
    places = []
    for step in steps:
        places.append((order.index(type(step)), counters[type(step)]))
        counters[type(step)] += 1
    keys = None if key is None else jax.random.split(key, len(steps))

    def body(carry: _Carry, own: tuple[Array, Key | None]):
        place, step_key = own

        def do(kind: type) -> Callable:
            function, arrays = kinds[kind]
            mine = jax.tree.map(lambda leaf: leaf[place[1]], arrays)
            return lambda carry: function(step_key, carry, mine)

        if len(order) == 1:
            return do(order[0])(carry)
        return jax.lax.switch(place[0], [do(kind) for kind in order], carry)

    scanned = (jnp.asarray(np.asarray(places, np.int32)), keys)
    return jax.lax.scan(jax.checkpoint(body) if remat else body, start, scanned)


def _recorded(
    own: Sequence[Piece], steps: Sequence[Step], drawn: Int[Array, "steps n"]
) -> UInt8[Array, " m"]:
    """Pick the measured bits, in the time order of the circuit."""
    place = {
        item.piece.row: (number, item.piece.wires[0])
        for number, step in enumerate(steps)
        if isinstance(step, Draws)
        for item in step.placed
    }
    where = [place[piece.row] for piece in own if piece.recorded]
    index = np.asarray(where, np.int32).reshape(-1, 2)
    return drawn[index[:, 0], index[:, 1]].astype(jnp.uint8)


def _outer(chain: Gauged) -> Gauged:
    """Add the idle sites."""
    size, dtype = chain.tensors.shape[1], chain.tensors.dtype
    idle = jnp.zeros((_IDLE_SITES, size, 2, size), dtype)
    end = jnp.zeros((1, size, size), dtype)
    return Gauged(
        jnp.concatenate([chain.tensors, idle]),
        jnp.concatenate([chain.environments, end]),
    )


def _inner(chain: Gauged) -> Gauged:
    """Return the chain without the idle sites."""
    return Gauged(chain.tensors[:-_IDLE_SITES], chain.environments[:-1])


# --- kinds of steps: what they do, and their arrays -----------------------------------


def _pairs_arrays(
    numbers: Tables, steps: Sequence[Pairs], num_sites: int
) -> tuple[Array, Array]:
    """Matrices and left sites of all steps, empty slots on the idle sites."""
    size = max(len(step.placed) for step in steps)
    placed, sites = [], []
    for step in steps:
        idle = size - len(step.placed)
        placed += [*step.placed, *[None] * idle]
        lefts = [min(item.piece.wires) for item in step.placed]
        sites.append(lefts + [num_sites] * idle)
    matrices = pair_matrices(numbers, placed).reshape(len(steps), size, 4, 4)
    return matrices, jnp.asarray(np.asarray(sites, np.int32))


def _pairs_step(key: Key | None, carry: _Carry, own: tuple[Array, Array]):
    return carry.after(*apply_pairs(carry.chain, *own)), _nothing(carry)


def _layer_arrays(numbers: Tables, steps: Sequence[Layer], num_sites: int) -> Array:
    rank = max(layer.rank for layer in steps)
    return layer_operators(numbers, steps, num_sites, rank)


def _layer_step(key: Key | None, carry: _Carry, own: Array):
    chain, loss = apply_layer(_inner(carry.chain), own)
    return carry.after(_outer(chain), loss), _nothing(carry)


def _draws_arrays(numbers: Tables, steps: Sequence[Draws], num_sites: int) -> Array:
    return jnp.stack([draw_operators(numbers, step, num_sites) for step in steps])


def _draws_step(key: Key, carry: _Carry, own: Array):
    chain, drawn, log_prob = draw_kraus(key, _inner(carry.chain), own)
    return _Carry(_outer(chain), carry.loss, carry.log_prob + log_prob), drawn


def _nothing(carry: _Carry) -> Int[Array, " n"]:
    """Stand for the outcomes of a step that draws nothing."""
    num_sites = carry.chain.tensors.shape[0] - _IDLE_SITES
    return jnp.zeros(num_sites, jnp.int32)


_KINDS: dict[type, tuple[Callable, Callable]] = {
    Pairs: (_pairs_step, _pairs_arrays),
    Layer: (_layer_step, _layer_arrays),
    Draws: (_draws_step, _draws_arrays),
}
