"""Pauli words put into a program's matrices: as if they acted before it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qjax.circuits import (
    Circuit,
    Repeat,
    controlled,
    cx,
    hardware_efficient,
    ry,
    rz,
    unroll,
    x,
)
from qjax.plan import (
    Layout,
    default_cost_model,
    execute,
    plan,
    program_matrices,
    takes_word,
    with_word,
)
from tests import oracles
from tests.compiling import quick_jit

N = 7
RNG = np.random.default_rng(8)
STATE = oracles.random_state(RNG, N)
WORDS = [(0, 0), (2**N - 1, 0), (0, 2**N - 1), (0b0110001, 0b1000011), (1, 64)]


def scattered() -> Circuit:
    operations = []
    for _ in range(30):
        first, second = (int(wire) for wire in RNG.permutation(N)[:2])
        operations += [rz(RNG.normal(), first), ry(RNG.normal(), second)]
        operations.append(cx(first, second))
    return Circuit(operations, N)


LAYER = unroll(hardware_efficient(RNG.uniform(-3, 3, (1, N, 2))))
CIRCUITS = {"two chains": LAYER + LAYER, "scattered": scattered()}


def planned(circuit):
    layout = Layout(N)
    program = plan(circuit, layout, default_cost_model())
    return program, program_matrices(program, circuit, np.dtype(float))


def final(circuit, word) -> np.ndarray:
    program, matrices = planned(circuit)
    assert takes_word(program)

    def go(word):
        numbers = jnp.concatenate([np.real(STATE), np.imag(STATE)])
        return execute(program, with_word(program, matrices, word), numbers, "reverse")

    real, imag = np.asarray(quick_jit(go)(jnp.asarray(word, jnp.uint32))).reshape(2, -1)
    return real + 1j * imag


def letters(word) -> str:
    """The word of two masks, wire 0 the highest bit."""
    bits = [(word[0] >> w & 1, word[1] >> w & 1) for w in range(N - 1, -1, -1)]
    return "".join(
        {(0, 0): "I", (1, 0): "X", (0, 1): "Z", (1, 1): "Y"}[b] for b in bits
    )


def expected(circuit, word) -> np.ndarray:
    state = oracles.pauli_word(letters(word), tuple(range(N)), N) @ STATE
    for operation in circuit.operations:
        matrix = np.asarray(operation.matrix())
        state = oracles.embed(matrix, operation.wires, N) @ state
    return state


def overlap(one, other) -> float:
    return abs(np.vdot(one, other))


@pytest.mark.parametrize("word", WORDS, ids=letters)
@pytest.mark.parametrize("name", CIRCUITS)
def test_a_word_acts_first_up_to_its_phase(name, word, x64):
    circuit = CIRCUITS[name]
    assert overlap(final(circuit, word), expected(circuit, word)) > 1 - 1e-12
    other = (word[0] ^ 4, word[1])
    assert overlap(final(circuit, other), expected(circuit, word)) < 0.99


def test_programs_that_do_not_begin_with_a_sweep_of_all_wires_take_none():
    cost = default_cost_model()
    takes = {
        "few wires": plan(Circuit([x(0), x(1)], 9), Layout(9), cost),
        "none": plan(Circuit([], 9), Layout(9), cost),
        "wide": plan(Circuit([controlled(x(8), range(8))] * 2, 9), Layout(9), cost),
        "mixed": plan(LAYER, Layout(N, bits=2, carry=False), cost),
        "loop": plan(Circuit([Repeat(stacked(LAYER), 2)], N), Layout(N), cost),
    }
    assert not any(takes_word(program) for program in takes.values())


def stacked(body):
    return jax.tree.map(lambda leaf: jnp.stack([leaf, leaf]), body)
