"""The pieces that a program runs on: permutations, windows, real forms, matrices."""

import itertools

import jax.numpy as jnp
import numpy as np
import pytest

from qjax.circuits import Controlled, controlled, cx, rx, rzz, unitary
from qjax.noise import bit_flip
from qjax.plan import Layout
from qjax.plan.arrays import apply_window, relayout
from qjax.plan.matrices import MAX_UNROLLED_LEVELS, window_matrices
from qjax.plan.program import _real_form
from qjax.plan.sweeps import CARRY, Window
from qjax.plan.wiring import Wiring, diagonal_wires, wirings
from tests import oracles, strategies
from tests.compiling import quick_jit

RNG = np.random.default_rng(12)
COMPLEX = np.dtype(complex)


# --- permutations ---------------------------------------------------------------------


def transposed(old, new, bits, numbers):
    """The same permutation by NumPy, an axis of its own for everything."""
    sizes = {axis: 2 if axis == CARRY else 2**bits for axis in old}
    tensor = numbers.reshape(*(sizes[axis] for axis in old), -1)
    places = [old.index(axis) for axis in new]
    return tensor.transpose(*places, len(old)).reshape(-1)


@pytest.mark.parametrize("gather", [False, True])
@pytest.mark.parametrize("bits,batch", [(1, 1), (1, 3), (2, 1)])
def test_relayout_is_a_transposition_and_the_way_back_undoes_it(gather, bits, batch):
    old = (CARRY, 2, 0, 1) if bits == 1 else (2, 0, 3, 1)
    size = 2 ** sum(1 if axis == CARRY else bits for axis in old) * batch
    numbers = RNG.normal(size=size).astype(np.float32)
    for new in list(itertools.permutations(old))[::6]:
        moved = relayout(old, new, bits, gather, jnp.asarray(numbers))
        np.testing.assert_array_equal(moved, transposed(old, new, bits, numbers))
        back = relayout(new, old, bits, gather, moved)
        np.testing.assert_array_equal(back, numbers)


# --- windows --------------------------------------------------------------------------


def complex_window(order, num_wires, window, unitaries, state):
    """A window by Kronecker products: a matrix for each value of the choosing wire."""
    wires = order[window.start : window.stop]
    total = np.zeros_like(state)
    for value, matrix in enumerate(unitaries):
        full = oracles.embed(matrix, wires, num_wires)
        if window.mux:
            projector = oracles.ONE if value else oracles.ZERO
            full = full @ oracles.embed(projector, window.mux, num_wires)
        total += full @ state
    return total


def in_order(state, order, num_wires):
    tensor = state.reshape((2,) * num_wires)
    return tensor.transpose(order).reshape(-1)


ORDER, NUM_WIRES = (3, 0, 2, 4, 1), 5
WINDOWS = [
    # start, stop, overlap with what came before, choosing wires
    (0, 3, 0, ()),
    (1, 3, 0, ()),
    (1, 3, 0, (3,)),
    (2, 4, 0, (0,)),
    (2, 4, 1, (3,)),
    (1, 4, 2, ()),
    (3, 5, 0, ()),
    (3, 5, 0, (2,)),
    (3, 5, 1, (3,)),
    (0, 5, 0, ()),
]


@pytest.mark.parametrize("batch", [1, 4])
@pytest.mark.parametrize("start,stop,overlap,mux", WINDOWS)
def test_a_window_is_its_unitaries_and_moves_the_carry(
    start, stop, overlap, mux, batch, x64
):
    window = Window(start, stop, mux, ())
    layout = Layout(NUM_WIRES, log_batch=batch.bit_length() - 1)
    size = 2 ** (stop - start)
    unitaries = [oracles.random_unitary(RNG, size) for _ in range(2 ** len(mux))]
    states = [oracles.random_state(RNG, NUM_WIRES) for _ in range(batch)]
    closing = stop == NUM_WIRES and batch == 1

    def numbers(vectors, carry):
        ordered = [in_order(v, ORDER, NUM_WIRES) for v in vectors]
        parts = np.stack([np.stack([v.real, v.imag]) for v in ordered], -1)
        tensor = parts.reshape(2, *(2,) * NUM_WIRES, batch)
        return np.moveaxis(tensor, 0, carry).reshape(-1)

    matrices = _real_form(jnp.asarray(np.stack(unitaries)), overlap, closing)
    before = jnp.asarray(numbers(states, start + overlap))
    after = apply_window(window, ORDER, layout, matrices, before)
    wanted = [
        complex_window(ORDER, NUM_WIRES, window, unitaries, state) for state in states
    ]
    expected = numbers(wanted, 0 if closing else stop)
    np.testing.assert_allclose(after, expected, atol=1e-14)


def test_real_forms_are_orthogonal(x64):
    matrix = jnp.asarray(oracles.random_unitary(RNG, 8))[None]
    for overlap in (0, 1, 3):
        (real,) = _real_form(matrix, overlap, False)
        np.testing.assert_allclose(real @ real.T, np.eye(16), atol=1e-14)


# --- matrices of windows --------------------------------------------------------------


def test_matrices_of_windows_are_products_of_embedded_gates(x64):
    """Windows of several sizes, long lists of levels, wide gates, and a choice."""
    rng = np.random.default_rng(5)
    names = [name for name in strategies.UNITARY_NAMES if name != "controlled"]
    narrow = [n for n in oracles.GATES if oracles.GATES[n][0] <= 2]
    plan = [(3, 12, names), (2, 6, narrow), (4, 3 * MAX_UNROLLED_LEVELS, narrow)]
    steps, windows, expected = [], [], []
    for size, length, allowed in plan:
        own = strategies.random_steps(rng, size, length, allowed)
        positions = tuple(range(len(steps), len(steps) + length))
        wires = tuple(int(w) for w in rng.permutation(size))
        windows.append((wires, Window(0, size, (), positions)))
        steps += own
        # The window's first wire leads its matrix.
        matrix = np.eye(2**size)
        for step in own:
            local = [wires.index(wire) for wire in step.wires]
            matrix = oracles.embed(strategies.matrix(step), local, size) @ matrix
        expected.append(matrix)
    operations = [strategies.build_step(step) for step in steps]
    build = quick_jit(lambda ops: window_matrices(ops, windows, 2, COMPLEX))
    for found, wanted in zip(build(operations), expected, strict=True):
        np.testing.assert_allclose(found[0], wanted, atol=1e-13)


def test_a_choosing_wire_gives_one_matrix_for_each_of_its_values(x64):
    operations = [
        rx(0.3, 1),
        cx(0, 1),
        controlled(rzz(0.7, 1, 2), (0,), (0,)),
        cx(0, 2),
    ]
    window = Window(1, 3, (0,), (0, 1, 2, 3))
    (found,) = window_matrices(operations, [((1, 2), window)], 2, COMPLEX)
    both = [oracles.embed(oracles.gate("rx", 0.3), (0,), 2)] * 2
    cnot = [oracles.embed(oracles.X, (wire,), 2) for wire in (0, 1)]
    both[1] = cnot[1] @ cnot[0] @ both[1]
    both[0] = oracles.gate("rzz", 0.7) @ both[0]
    np.testing.assert_allclose(found, np.stack(both), atol=1e-14)


# --- wiring ---------------------------------------------------------------------------


def test_diagonal_wires_are_those_whose_z_commutes_with_the_gate():
    """At random angles, so that no gate is diagonal by accident."""
    rng = np.random.default_rng(3)
    for name in oracles.GATES:
        step = strategies.random_step(rng, name, 3)
        matrix, size = strategies.matrix(step), len(step.wires)
        expected = []
        for position, wire in enumerate(step.wires):
            z = oracles.embed(oracles.Z, (position,), size)
            if np.allclose(z @ matrix, matrix @ z):
                expected.append(wire)
        found = diagonal_wires(strategies.build_step(step))
        assert sorted(found) == sorted(expected), name


def test_wirings_name_controls_and_claim_nothing_of_matrices_they_do_not_know():
    nested = Controlled(Controlled(cx(3, 1), (0,), (1,)), (2,), (0,))
    operations = [unitary(np.eye(4), (1, 0)), bit_flip(0.1, 2), nested]
    assert wirings(operations) == (
        Wiring((1, 0)),
        Wiring((2,)),
        Wiring((2, 0, 3, 1), (2, 0, 3), ((2,), (0,))),
    )
    assert wirings(operations)[2].target == (0, 3, 1)
