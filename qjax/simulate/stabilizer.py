"""Clifford circuits on stabilizer states: one loop over arrays, compiled once."""

from collections.abc import Sequence
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, UInt8

from qjax._types import Key
from qjax.circuits.circuit import Circuit
from qjax.noise.unravel import draw_rows
from qjax.plan.clifford import GATE, MEASURE, CliffordProgram, lower_clifford
from qjax.states import tableau
from qjax.states.stabilizer import StabilizerState, log_of_coins, single

Gates = tuple[Array | np.ndarray, ...]
"""Wires, actions and masks of a program."""

Reads = tuple[Array | np.ndarray, ...]
"""Kinds, slots and conditions of a program."""

History = tuple[StabilizerState, UInt8[Array, " m"], Bool[Array, " l"]]
"""The state, the bits recorded, and which instructions tossed a coin."""


def run_stabilizer(circuit: Circuit, state: StabilizerState) -> StabilizerState:
    """Apply a Clifford circuit; see `qjax.simulate.run`."""
    program = lower_clifford(circuit)
    if (program.kinds != GATE).any() or program.mixtures:
        raise TypeError(
            "Argument `circuit` must be unitary for `run` on a StabilizerState, "
            "but has channels, measurements or resets; use `trajectory`."
        )
    gates = program.wires, program.actions, program.masks
    return _run_gates(state, gates, program.length)


def sample_stabilizer(
    key: Key, circuit: Circuit, state: StabilizerState
) -> tuple[StabilizerState, UInt8[Array, " m"], Float[Array, ""]]:
    """Sample one history: the state, recorded bits, ln of all choices' probability."""
    program = lower_clifford(circuit)
    draw_key, coin_key = jax.random.split(key)
    actions, log_prob = _draw_actions(draw_key, program)
    gates = program.wires, actions, program.masks
    if not (program.kinds != GATE).any():
        state = _run_gates(state, gates, program.length)
        return state, jnp.zeros((0,), jnp.uint8), log_prob.astype(_real(state))
    reads = program.kinds, program.slots, program.conditions
    coins = jax.random.bits(coin_key, program.kinds.shape, jnp.uint8) & np.uint8(1)
    record = jnp.zeros((program.num_outcomes + 1,), jnp.uint8)
    state, record, random = _run_history(
        state, record, gates, reads, coins, program.length
    )
    log_prob = log_prob.astype(_real(state)) + log_of_coins(random, state.dtype)
    return state, record[:-1], log_prob


def _draw_actions(
    key: Key, program: CliffordProgram
) -> tuple[Int[Array, " l"], Float[Array, ""]]:
    """Draw what every mixture does."""
    actions = jnp.asarray(program.actions)
    total = jnp.zeros(())
    for group, mixture in enumerate(program.mixtures):
        rows = mixture.weights
        weights = jnp.asarray(np.stack(rows)) if _on_host(rows) else jnp.stack(rows)
        index, log_prob = draw_rows(jax.random.fold_in(key, group), weights)
        drawn = jnp.asarray(mixture.actions)[np.arange(len(rows)), index]
        actions = actions.at[mixture.places].set(drawn)
        total = total + log_prob.astype(total.dtype)
    return actions, total


def _on_host(rows: Sequence[Array | np.ndarray]) -> bool:
    return all(isinstance(row, np.ndarray) for row in rows)


def _real(state: StabilizerState) -> np.dtype:
    return np.dtype(jnp.finfo(state.dtype).dtype)


@jax.jit
def _run_gates(state: StabilizerState, gates: Gates, length: Array) -> StabilizerState:
    wires, actions, masks = (jnp.asarray(part) for part in gates)

    def step(row: Array, now: StabilizerState) -> StabilizerState:
        action = masks[actions[row]]
        bits, phases = tableau.conjugate(now.bits, now.phases, wires[row], action)
        return StabilizerState(bits, phases)

    return jax.lax.fori_loop(0, length, step, state)


@jax.jit
def _run_history(
    state: StabilizerState,
    record: UInt8[Array, " r"],
    gates: Gates,
    reads: Reads,
    coins: UInt8[Array, " l"],
    length: Array,
) -> tuple[StabilizerState, UInt8[Array, " r"], Bool[Array, " l"]]:
    """Do instructions in order, with switches between gates and measurements."""
    wires, actions, masks = (jnp.asarray(part) for part in gates)
    kinds, slots, conditions = (jnp.asarray(part) for part in reads)

    def step(row: Array, carry: History) -> History:
        def act(history: History) -> History:
            now, bits, random = history
            action = masks[jnp.where(holds, actions[row], 0)]
            after = tableau.conjugate(now.bits, now.phases, wires[row], action)
            return StabilizerState(*after), bits, random

        def read(history: History) -> History:
            now, bits, random = history
            wire, measures = wires[row, 0], kinds[row] == MEASURE
            word = single(now.num_wires, wire)
            rows, signs, bit, tossed = tableau.measure(
                now.bits, now.phases, word, coins[row]
            )
            flipped = jnp.where(measures, np.uint8(0), bit)
            after = StabilizerState(*tableau.flip(rows, signs, wire, flipped))
            if conditions.shape[2]:
                after = jax.tree.map(partial(jnp.where, holds), after, now)
            bits = bits.at[slots[row]].set(bit)
            return after, bits, random.at[row].set(tossed & holds)

        position, value = conditions[0, row], conditions[1, row]
        holds = jnp.all((value < 0) | (carry[1][position].astype(jnp.int32) == value))
        return jax.lax.cond(kinds[row] == GATE, act, read, carry)

    random = jnp.zeros(coins.shape, bool)
    return jax.lax.fori_loop(0, length, step, (state, record, random))
