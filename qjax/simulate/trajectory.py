"""Random execution: one sampled history of channels, measurements and resets."""

from collections.abc import Sequence
from functools import partial
from typing import TypeVar, cast

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, UInt8

from qjax._types import Key
from qjax.circuits.circuit import Circuit, Repeat
from qjax.circuits.operation import (
    AbstractOperation,
    AbstractUnitary,
    Channel,
    Conditional,
    Measure,
)
from qjax.noise.unravel import draw_unitaries, draw_unitary
from qjax.plan.pool import PROJECTORS, RESETS
from qjax.simulate.chain import draw_chain
from qjax.simulate.gates import apply_operation, check_fit, check_outcome
from qjax.simulate.run import run
from qjax.simulate.stabilizer import sample_stabilizer
from qjax.states.base import AbstractMixedState, AbstractState
from qjax.states.mps import MPS
from qjax.states.stabilizer import StabilizerState

State = TypeVar("State", bound=AbstractState)
_Bits = list[UInt8[Array, " _"]]


class Record(eqx.Module):
    """What one trajectory wrote down.

    Attributes:
        outcomes: Measured bits in time order, shape (m,); a `Repeat` adds its bits
            repetition by repetition.
        log_prob: ln of the probability of all random choices made (Kraus operators,
            measured and reset bits), differentiable: the score function's potential.
    """

    outcomes: UInt8[Array, " m"]
    log_prob: Float[Array, ""]


def trajectory(key: Key, circuit: Circuit, state: State) -> tuple[State, Record]:
    """Sample one history of a circuit with channels, measurements and resets.

    Each channel applies one Kraus operator: |psi> -> K_i |psi> / sqrt(p_i) with
    probability p_i = |K_i psi|^2, so that the average over trajectories of
    |psi><psi| is the density matrix of `run`. Mixtures of unitaries are drawn up front
    (`qjax.noise.draw_unitaries`); if nothing else is random, `run` does the rest. On a
    mixed state the channels act exactly and only measurements are sampled.

    The final state and `log_prob` are differentiable, the choices are not: for the
    gradient of an average use `average_trajectories` or `score_function_mean`.

    Args:
        key: JAX random key; `jax.vmap` over keys gives a batch of trajectories.
        circuit: Circuit of n wires.
        state: Initial state of n wires, normalised.

    Returns:
        The final state, normalised, and the record.

    Raises:
        ValueError: If the widths differ or a condition looks at a bit not yet recorded.

    Source: Dalibard, Castin and Molmer, Phys. Rev. Lett. 68, 580 (1992).

    Example:
        >>> import jax
        >>> from qjax.circuits import Circuit, Measure, h
        >>> from qjax.simulate import trajectory
        >>> from qjax.states import StateVector
        >>> coin = Circuit([h(0), Measure(0)], 1)
        >>> _, record = trajectory(jax.random.key(1), coin, StateVector.zeros(1))
        >>> record.outcomes.shape, round(float(record.log_prob), 4)
        ((1,), -0.6931)
    """
    check_fit(circuit, state)
    if isinstance(state, StabilizerState):
        last, outcomes, log_prob = sample_stabilizer(key, circuit, state)
        return cast(State, last), Record(outcomes, log_prob)
    log_prob = jnp.zeros((), jnp.finfo(state.dtype).dtype)
    if not isinstance(state, AbstractMixedState):
        key, draw_key = jax.random.split(key)
        circuit, drawn = draw_unitaries(draw_key, circuit)
        log_prob = drawn.astype(log_prob.dtype)
    if _is_unitary(circuit.operations):
        return run(circuit, state), Record(_join([]), log_prob)
    if isinstance(state, MPS):
        end, change, recorded = draw_chain(key, circuit, state)
        return cast(State, end), Record(recorded, log_prob + change)
    final, log_prob, bits = _sample(key, circuit.operations, state, log_prob, [])
    return cast(State, final), Record(_join(bits), log_prob)


def _is_unitary(operations: Sequence[AbstractOperation]) -> bool:
    return all(
        _is_unitary(operation.operations)
        if isinstance(operation, Repeat)
        else isinstance(operation, AbstractUnitary)
        for operation in operations
    )


def _sample(
    key: Key,
    operations: Sequence[AbstractOperation],
    state: AbstractState,
    log_prob: Float[Array, ""],
    seen: _Bits,
) -> tuple[AbstractState, Float[Array, ""], _Bits]:
    """Do operations in order; return the bits that they add to those already seen."""
    added: _Bits = []
    for position, operation in enumerate(operations):
        here = jax.random.fold_in(key, position)
        if isinstance(operation, Repeat):
            state, log_prob, bits = _sample_repeat(
                here, operation, state, log_prob, seen + added
            )
            added.append(bits)
        elif isinstance(operation, Conditional):
            chosen = _condition(operation, seen + added)
            changed, change, _ = _step(here, operation.operation, state)
            state = jax.tree.map(partial(jnp.where, chosen), changed, state)
            log_prob = log_prob + jnp.where(chosen, change, 0)
        else:
            state, change, bits = _step(here, operation, state)
            log_prob = log_prob + change
            added += bits
    return state, log_prob, added


def _sample_repeat(
    key: Key,
    repeat: Repeat,
    state: AbstractState,
    log_prob: Float[Array, ""],
    seen: _Bits,
) -> tuple[AbstractState, Float[Array, ""], UInt8[Array, " m"]]:
    def step(carry: tuple[AbstractState, Array], layer_and_key: tuple[Circuit, Key]):
        layer, layer_key = layer_and_key
        now, log, bits = _sample(layer_key, layer.operations, *carry, seen)
        return (now, log), _join(bits)

    keys = jax.random.split(key, repeat.depth)
    start = (state, log_prob)
    (state, log_prob), bits = jax.lax.scan(step, start, (repeat.body, keys))
    return state, log_prob, bits.reshape(-1)


def _step(
    key: Key, operation: AbstractOperation, state: AbstractState
) -> tuple[AbstractState, Float[Array, ""], _Bits]:
    """Do one elementary operation: new state, ln probability, bits recorded."""
    real = jnp.finfo(state.dtype).dtype
    log_prob = jnp.zeros((), real)
    mixed = isinstance(state, AbstractMixedState)
    if isinstance(operation, AbstractUnitary) or (
        mixed and not isinstance(operation, Measure)
    ):
        return apply_operation(operation, state), log_prob, []
    if isinstance(operation, Channel) and operation.weights is not None:
        # A conditional one; the others were drawn up front.
        unitary, log_prob = draw_unitary(key, operation)
        return apply_operation(unitary, state), log_prob.astype(real), []
    if isinstance(operation, Channel):
        state, _, log_prob = state.sample_kraus(key, operation.kraus, operation.wires)
        return state, log_prob, []
    measuring = isinstance(operation, Measure)
    keys = jax.random.split(key, len(operation.wires))
    bits: _Bits = []
    for wire, wire_key in zip(operation.wires, keys, strict=True):
        kraus = PROJECTORS if measuring else RESETS
        state, index, change = state.sample_kraus(wire_key, kraus, (wire,))
        log_prob = log_prob + change
        bits.append(index.astype(jnp.uint8).reshape(1))
    return state, log_prob, bits if measuring else []


def _condition(operation: Conditional, seen: _Bits) -> Array:
    bits = _join(seen)
    chosen = jnp.asarray(True)
    for position, value in zip(operation.outcomes, operation.values, strict=True):
        check_outcome(position, bits.shape[0])
        chosen = chosen & (bits[position] == np.uint8(value))
    return chosen


def _join(bits: _Bits) -> UInt8[Array, " m"]:
    return jnp.concatenate(bits) if bits else jnp.zeros((0,), jnp.uint8)
