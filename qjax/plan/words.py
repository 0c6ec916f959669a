"""Pauli words in front of a program, put into the matrices of its first sweep."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from jaxtyping import Array, PyTree, UInt32

from qjax.plan.program import Program, Stage
from qjax.plan.sweeps import Sweep


def takes_word(program: Program) -> bool:
    """Say whether the windows of a program's first sweep reach every wire."""
    layout = program.layout
    stage = program.parts[0] if program.parts else None
    if not isinstance(stage, Stage) or not layout.carry or layout.bits != 1:
        return False
    sweep = stage.steps[0] if stage.steps else None
    return isinstance(sweep, Sweep) and sweep.windows[-1].stop == layout.num_wires


def with_word(program: Program, matrices: PyTree, word: UInt32[Array, " 2"]) -> PyTree:
    """Return matrices with which a program does X^x Z^z first, up to a sign.

    Every wire's letter goes into the first window that holds the wire: a few columns
    change places, where the word by itself would be one more pass over the state.

    Args:
        program: A program that `takes_word`.
        matrices: Its matrices.
        word: The masks x and z; wire 0 is the highest of n bits.
    """
    stage, *_ = program.parts
    assert isinstance(stage, Stage)
    sweep, *_ = stage.steps
    assert isinstance(sweep, Sweep)
    own, done = list(matrices[0]), 0
    for index, window in enumerate(sweep.windows):
        # Wires that were in no window before are the lowest bits of a column.
        fresh = sweep.order[done : window.stop]
        flips, signs = (_bits_of(mask, fresh, len(sweep.order)) for mask in word)
        column = jnp.arange(own[index].shape[-1], dtype=word.dtype)
        odd = jax.lax.population_count(column & signs) & 1
        sign = 1 - 2 * odd.astype(own[index].dtype)
        moved = jnp.take(own[index], column ^ flips, axis=-1)
        own[index] = moved * sign[None, None]
        done = window.stop
    return (tuple(own), *matrices[1:])


def _bits_of(mask: Array, wires: Sequence[int], num_wires: int) -> Array:
    """Collect the bits of some wires, the first one highest."""
    bits = jnp.zeros((), mask.dtype)
    for wire in wires:
        bits = 2 * bits + (mask >> (num_wires - 1 - wire) & 1)
    return bits
