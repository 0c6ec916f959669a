"""Running circuits on matrix product states."""

from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from qjax._checks import require
from qjax.circuits.circuit import Circuit
from qjax.plan.chains import Layer, Pairs, plan_chain
from qjax.plan.layers import chunked, layer_operator, pair_matrices, run_products
from qjax.plan.strings import Tables, pieces, tables
from qjax.states.mps import MPS
from qjax.states.mps.sweeps import Gauged, gauged
from qjax.states.mps.updates import apply_layer, apply_pairs, apply_sites, grow

_IDLE_SITES = 2
"""Sites beyond the chain, for slots that have no gate to do."""


def run_chain(circuit: Circuit, state: MPS, *, remat: bool = False) -> MPS:
    """Run a unitary circuit on a chain: exactly while the bonds allow it, then cutting.

    The time to compile grows neither with depth nor with the number of gates: steps
    that cut are one scan. `remat` keeps for a gradient the chain before each of them
    alone.
    """
    # No state needs wider bonds than half of its wires have dimensions.
    widest = max(state.bond, min(state.max_bond, 2 ** (state.num_wires // 2)))
    own = pieces(circuit.operations)
    plan = plan_chain(own, state.num_wires, state.bond, widest)
    numbers = tables(circuit.operations, state.dtype)
    tensors = state.tensors
    for layer in plan.layers:
        operator = layer_operator(numbers, layer, state.num_wires, layer.rank)
        tensors = grow(tensors, operator)
    error = state.truncation_error
    if plan.steps:
        wider = widest - tensors.shape[1]
        padded = jnp.pad(tensors, ((0, 0), (0, wider), (0, 0), (0, wider)))
        chain, more = _cutting_steps(numbers, plan.steps, gauged(padded), remat)
        tensors, error = chain.tensors, error + more
    if any(plan.after):
        tensors = apply_sites(tensors, run_products(numbers.singles, plan.after))
    return MPS(tensors, error, state.max_bond)


def _cutting_steps(
    numbers: Tables, steps: Sequence[Layer | Pairs], chain: Gauged, remat: bool
) -> tuple[Gauged, Array]:
    """Do the steps in one scan, each kind of step compiled once."""
    num_sites, size = chain.tensors.shape[:2]
    steps = chunked(steps)
    layers = [step for step in steps if isinstance(step, Layer)]
    pairs = [step for step in steps if isinstance(step, Pairs)]
    kinds: list[tuple[Callable, Array | tuple[Array, Array]]] = []
    if pairs:
        kinds.append((_pairs_step, _pairs_arrays(numbers, pairs, num_sites)))
    if layers:
        rank = max(layer.rank for layer in layers)
        operators = [layer_operator(numbers, la, num_sites, rank) for la in layers]
        kinds.append((_layer_step, jnp.stack(operators)))
    places, counters = [], [0, 0]
    for step in steps:
        kind = len(kinds) - 1 if isinstance(step, Layer) else 0
        places.append((kind, counters[kind]))
        counters[kind] += 1

    def step(carry: tuple[Gauged, Array], place: Array):
        def do(kind: int) -> Callable:
            function, arrays = kinds[kind]
            own = jax.tree.map(lambda leaf: leaf[place[1]], arrays)
            return lambda chain: function(chain, own)

        chain, error = carry
        if len(kinds) == 1:
            chain, more = do(0)(chain)
        else:
            chain, more = jax.lax.cond(place[0] == 0, do(0), do(1), chain)
        return (chain, error + more), None

    body = jax.checkpoint(step) if remat else step
    idle = jnp.zeros((_IDLE_SITES, *chain.tensors.shape[1:]), chain.tensors.dtype)
    end = jnp.zeros((1, size, size), chain.tensors.dtype)
    wider = Gauged(
        jnp.concatenate([chain.tensors, idle]),
        jnp.concatenate([chain.environments, end]),
    )
    zero = jnp.zeros((), jnp.finfo(chain.tensors.dtype).dtype)
    places = np.asarray(places, np.int32)
    (wider, error), _ = jax.lax.scan(body, (wider, zero), jnp.asarray(places))
    return _inner(wider), error


def _inner(chain: Gauged) -> Gauged:
    """Return the chain without the idle sites."""
    return Gauged(chain.tensors[:-_IDLE_SITES], chain.environments[:-1])


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


def _pairs_step(chain: Gauged, own: tuple[Array, Array]) -> tuple[Gauged, Array]:
    return apply_pairs(chain, *own)


def _layer_step(chain: Gauged, own: Array) -> tuple[Gauged, Array]:
    inner, error = apply_layer(_inner(chain), own)
    tensors = jnp.concatenate([inner.tensors, chain.tensors[-_IDLE_SITES:]])
    environments = jnp.concatenate([inner.environments, chain.environments[-1:]])
    return Gauged(tensors, environments), error
