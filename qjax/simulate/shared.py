"""Trajectories of Pauli noise that share one noiseless run, and all of its matrices.

What differs between such trajectories are frames (`qjax.noise.pauli_frames`): Pauli
words between segments of the circuit whose gates are those of the noiseless circuit.
The matrices of the segments are built once for all trajectories; a word costs next to
nothing; and up to its first word a trajectory is the noiseless run, whose states are
kept.
"""

import dataclasses
import functools
import operator
from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PyTree, UInt32

from qjax._types import Key
from qjax.circuits.circuit import Circuit, Repeat
from qjax.circuits.operation import Channel
from qjax.noise.pauli_frames import (
    as_repeats,
    draw_frames,
    has_pauli_noise,
    noiseless,
    segments,
)
from qjax.plan import (
    CostModel,
    Layout,
    Program,
    default_cost_model,
    execute,
    plan,
    predict_seconds,
    program_matrices,
    takes_word,
    with_word,
)
from qjax.simulate.fused import to_numbers, uses_blocks
from qjax.states.base import AbstractState
from qjax.states.vector import StateVector

Numbers = Float[Array, " size"]
Frames = UInt32[Array, "*batch segments 2"]

_KEPT_BYTES = 2**26
"""By default, noiseless states kept take no more than this, the initial one aside."""

_WORTHWHILE = 0.95
"""Plan a longer stride for at least this gain: it takes longer to compile."""


@dataclasses.dataclass(frozen=True)
class _Stride:
    """Segments done at once, by one program for each piece between words.

    Attributes:
        repetitions: Repetitions done.
        programs: One for each segment, or a single one if no word comes between.
    """

    repetitions: int
    programs: tuple[Program, ...]


@dataclasses.dataclass(frozen=True)
class _Part:
    """A repetition: its segments, and ways to do them, the fastest first.

    Attributes:
        depth: Repetitions.
        segments: Segments of one repetition.
        strides: The last one may be taken always, the others where words are absent.
    """

    depth: int
    segments: int
    strides: tuple[_Stride, ...]


class SharedRun(eqx.Module):
    """A circuit with Pauli noise, prepared for many trajectories.

    Attributes:
        repeats: The circuit.
        kept: Numbers of the noiseless states before the first repetitions.
        matrices: For each part and stride, its programs', for every repetition that it
            can begin with.
        parts: Programs in time order. Static.
    """

    repeats: tuple[Repeat, ...]
    kept: Float[Array, "kept size"]
    matrices: PyTree
    parts: tuple[_Part, ...] = eqx.field(static=True)

    def trajectories(self, keys: Array) -> tuple[StateVector, Float[Array, " batch"]]:
        """Do what `trajectory` does of each key, up to the phase of the state.

        Args:
            keys: JAX random keys, shape (batch,).

        Returns:
            Final states along a leading axis, and ln of the choices' probabilities.
        """

        def draw(key: Key) -> tuple[Frames, Float[Array, ""]]:
            _, draw_key = jax.random.split(key)  # the key `trajectory` draws with
            return draw_frames(draw_key, self.repeats)

        frames, log_probs = jax.vmap(draw)(keys)
        return self.final_states(frames), log_probs.astype(self.kept.dtype)

    def final_states(self, frames: Frames) -> StateVector:
        """Run a batch of trajectories without phases, given their segments' frames."""
        numbers = _final_numbers(self, frames)
        num_wires = self.repeats[0].body.num_wires
        halves = numbers.reshape(len(frames), 2, *(2,) * num_wires)
        return jax.vmap(lambda one: StateVector(jax.lax.complex(*one)))(halves)


def shares_run(circuit: Circuit, state: AbstractState) -> bool:
    """Say whether trajectories can share a noiseless run and blocks would do it."""
    if type(state) is not StateVector or not has_pauli_noise(circuit):
        return False
    repeats = []
    for repeat in as_repeats(circuit):
        gates = [o for o in repeat.operations if not isinstance(o, Channel)]
        repeats.append(Repeat(Circuit(gates, circuit.num_wires), repeat.depth))
    return uses_blocks(Circuit(repeats, circuit.num_wires), state, "auto")


@eqx.filter_jit
def share_run(
    circuit: Circuit, state: AbstractState, kept_bytes: int = _KEPT_BYTES
) -> SharedRun:
    """Build all matrices of a circuit with Pauli noise, and run it without noise."""
    assert isinstance(state, StateVector)
    real = np.dtype(jnp.finfo(state.dtype).dtype)
    # Time to build matrices does not count: they serve for many trajectories.
    cost = default_cost_model(jax.default_backend(), real.name)
    cost = dataclasses.replace(cost, build=0.0)
    repeats = as_repeats(circuit)
    planned = [_plan_part(repeat, real, cost) for repeat in repeats]
    parts, matrices = tuple(p for p, _ in planned), [m for _, m in planned]
    kept = _noiseless_states(parts, matrices, to_numbers(state), kept_bytes)
    return SharedRun(repeats, kept, matrices, parts)


def _plan_part(
    repeat: Repeat, real: np.dtype, cost: CostModel
) -> tuple[_Part, list[PyTree]]:
    """Plan one and two repetitions at once, and segment by segment."""
    found = segments(repeat.body)
    layout = Layout(repeat.body.num_wires)

    def pieces(*bodies: Circuit) -> list[Circuit]:
        return [noiseless(body, segment) for body in bodies for segment in found]

    def whole(*bodies: Circuit) -> list[Circuit]:
        return [functools.reduce(operator.add, pieces(*bodies))]

    ways = [(1, pieces)] if len(found) == 1 else [(1, whole), (1, pieces)]
    if repeat.depth > 1:
        ways.insert(0, (2, whole))
    strides, matrices, fastest = [], [], np.inf
    for repetitions, cut in reversed(ways):
        programs = [plan(c, layout, cost) for c in cut(*[repeat.body] * repetitions)]
        seconds = sum(predict_seconds(p, cost) for p in programs) / repetitions
        if seconds > _WORTHWHILE * fastest:
            continue
        fastest = seconds

        def build(*bodies: Circuit, cut=cut, programs=programs) -> list[PyTree]:
            pairs = zip(programs, cut(*bodies), strict=True)
            return [program_matrices(program, c, real) for program, c in pairs]

        starts = repeat.depth - repetitions + 1
        bodies = [
            jax.tree.map(lambda leaf, own=slice(i, i + starts): leaf[own], repeat.body)
            for i in range(repetitions)
        ]
        strides.append(_Stride(repetitions, tuple(programs)))
        matrices.append(jax.vmap(build, axis_size=starts)(*bodies))
    part = _Part(repeat.depth, len(found), tuple(reversed(strides)))
    return part, matrices[::-1]


def _noiseless_states(
    parts: Sequence[_Part],
    matrices: Sequence[PyTree],
    numbers: Numbers,
    kept_bytes: int,
) -> Float[Array, "kept size"]:
    """Return the numbers before each repetition and behind the last, while they fit."""
    most = kept_bytes // (numbers.size * numbers.dtype.itemsize)
    kept = [numbers[None]]
    for part, own in zip(parts, matrices, strict=True):
        depth = min(part.depth, most - sum(map(len, kept)))
        if depth < 1:
            break
        programs = part.strides[-1].programs

        def step(now: Numbers, layer: PyTree, programs=programs):
            for program, each in zip(programs, layer, strict=True):
                now = execute(program, each, now, "reverse")
            return now, now

        first = jax.tree.map(lambda leaf, depth=depth: leaf[:depth], own[-1])
        numbers, states = jax.lax.scan(step, numbers, first, length=depth)
        kept.append(states)
    return jnp.concatenate(kept)


# --- one batch ------------------------------------------------------------------------


@jax.custom_batching.sequential_vmap
def _final_numbers(shared: SharedRun, frames: Frames) -> Float[Array, "batch size"]:
    """Run a batch; batches of batches in turn, for each has loops of its own length."""
    # Frame g acts before segment g, the last one behind all.
    before = jnp.pad(frames, ((0, 0), (1, 0), (0, 0)))
    some = jnp.any(before != 0, axis=(0, 2))
    begin = _begin(shared, some)
    numbers = shared.kept[begin]
    numbers = jnp.broadcast_to(numbers[None], (len(frames), *numbers.shape))
    step = segment = 0
    for part, matrices in zip(shared.parts, shared.matrices, strict=True):
        turn = functools.partial(_turn, part, matrices, before, some, segment)
        first = jnp.clip(begin - step, 0, part.depth)
        _, numbers = jax.lax.while_loop(
            lambda carry, part=part: carry[0] < part.depth, turn, (first, numbers)
        )
        step += part.depth
        segment += part.depth * part.segments
    return _apply_words(before[:, -1], numbers)


def _begin(shared: SharedRun, some: Bool[Array, " segments"]) -> Int[Array, ""]:
    """Find the last repetition before all words of a batch, if it was kept."""
    steps, step = [], 0
    for part in shared.parts:
        for _ in range(part.depth):
            steps += [step] * part.segments
            step += 1
    first = jnp.where(jnp.any(some), jnp.argmax(some), len(steps))
    return jnp.minimum(jnp.asarray([*steps, step])[first], len(shared.kept) - 1)


def _turn(
    part: _Part,
    matrices: Sequence[PyTree],
    before: Frames,
    some: Bool[Array, " segments"],
    segment: int,
    carry: tuple[Int[Array, ""], Float[Array, "batch size"]],
) -> tuple[Int[Array, ""], Float[Array, "batch size"]]:
    """Do the longest stride that has no word where it has no place for one."""
    repetition, numbers = carry
    here = segment + repetition * part.segments
    count = jnp.pad(jnp.cumsum(some.astype(jnp.int32)), (1, 0))
    free, branches = [], []
    for stride, own in zip(part.strides, matrices, strict=True):
        stop = here + stride.repetitions * part.segments
        quiet = count[stop] == count[here + 1]
        free.append(quiet & (repetition + stride.repetitions <= part.depth))

        def branch(now: Array, stride=stride, own=own) -> Array:
            for place, program in enumerate(stride.programs):
                words = jnp.take(before, here + place, axis=1)
                layer = jax.tree.map(lambda leaf: leaf[repetition], own[place])
                now = _execute(program, layer, words, now)
            return now

        branches.append(branch)
    chosen = jnp.argmax(jnp.stack([*free[:-1], jnp.asarray(True)]))
    numbers = jax.lax.switch(chosen, branches, numbers)
    lengths = jnp.asarray([stride.repetitions for stride in part.strides], jnp.int32)
    return repetition + lengths[chosen].astype(repetition.dtype), numbers


def _execute(
    program: Program,
    matrices: PyTree,
    words: UInt32[Array, "batch 2"],
    numbers: Float[Array, "batch size"],
) -> Float[Array, "batch size"]:
    """Apply a word to each state, and a program to all."""
    if len(numbers) == 1 and takes_word(program):
        own = with_word(program, matrices, words[0])
        return execute(program, own, numbers[0], "adjoint")[None]
    numbers = _apply_words(words, numbers)
    if len(numbers) == 1:
        return execute(program, matrices, numbers[0], "adjoint")[None]
    return jax.vmap(lambda one: execute(program, matrices, one, "adjoint"))(numbers)


def _apply_words(
    words: UInt32[Array, "batch 2"], numbers: Float[Array, "batch size"]
) -> Float[Array, "batch size"]:
    """Apply X^x Z^z to each state, up to a sign, where any of them has one."""

    def apply(word: UInt32[Array, " 2"], one: Numbers) -> Numbers:
        index = jnp.arange(one.size // 2, dtype=jnp.uint32)
        odd = jax.lax.population_count(index & word[1]) & 1
        sign = 1 - 2 * odd.astype(one.dtype)
        # Each half by itself: one gather of both takes half as long again.
        halves = [
            sign * half.at[index ^ word[0]].get(mode="promise_in_bounds")
            for half in one.reshape(2, -1)
        ]
        return jnp.concatenate(halves)

    # A loop of no or one turn: a condition would copy the state it leaves alone.
    some = jnp.any(words != 0).astype(jnp.int32)
    return jax.lax.fori_loop(
        0, some, lambda _, now: jax.vmap(apply)(words, now), numbers
    )
