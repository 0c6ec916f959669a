"""States done piece by piece: the same results, on pieces that a cache would hold."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qjax.circuits import Circuit, cx, hardware_efficient, ising, ry, rz
from qjax.plan import Layout, default_cost_model, executor, plan, predict_seconds
from qjax.plan.program import Loop
from qjax.plan.sweeps import Sweep
from qjax.simulate import expectation, run
from qjax.states import StateBatch, StateVector
from tests import oracles
from tests.compiling import quick_jit
from tests.plan.problems import small_cache

N = 8
ANGLES = np.random.default_rng(3).uniform(-3, 3, (3, N, 2))
SIGNS = np.random.default_rng(4).normal(size=2**N)


def sweeps(circuit, layout, cost) -> list[Sweep]:
    found = []
    for part in plan(circuit, layout, cost).parts:
        if isinstance(part, Loop):
            found += sweeps(circuit.operations[part.position].body, layout, cost)
        else:
            found += [step for step in part.steps if isinstance(step, Sweep)]
    return found


def scattered(length: int = 40, num_wires: int = N) -> Circuit:
    """Wires that must be brought together: sweeps whose last windows are idle."""
    rng = np.random.default_rng(5)
    operations = []
    for _ in range(length):
        first, second = (int(wire) for wire in rng.permutation(num_wires)[:2])
        operations += [rz(rng.normal(), first), ry(rng.normal(), second)]
        operations.append(cx(first, second))
    return Circuit(operations, num_wires)


def chains() -> Circuit:
    return hardware_efficient(jnp.asarray(ANGLES))


CIRCUITS = {"chains": chains, "scattered": scattered}


# --- plans ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", CIRCUITS)
def test_windows_that_see_little_are_done_in_pieces(name):
    layout = Layout(N)
    found = sweeps(CIRCUITS[name](), layout, small_cache(6))
    pieced = [sweep for sweep in found if sweep.whole < len(sweep.windows)]
    assert pieced
    for sweep in found:
        small = [layout.log_size - window.start <= 6 for window in sweep.windows]
        assert sum(small) in (0, 1, len(small) - sweep.whole)
        assert small == sorted(small)


def test_a_state_that_fits_stays_whole():
    layout = Layout(N)
    for sweep in sweeps(chains(), layout, small_cache(layout.log_size)):
        assert sweep.whole == len(sweep.windows)


def test_pieces_make_a_large_state_cheaper():
    """Else they would be for nothing: rates are those of the cache."""
    cost, layout = default_cost_model(), Layout(22)
    whole = dataclasses.replace(cost, device="abacus")
    circuit = hardware_efficient(np.zeros((1, 22, 2)))
    seconds = [predict_seconds(plan(circuit, layout, m), m) for m in (cost, whole)]
    assert seconds[0] < 0.9 * seconds[1]


def test_a_circuit_of_many_sweeps_takes_no_more_memory_than_one_of_few():
    """XLA would hold the results of all loops over pieces at the same time."""
    num_wires = 15

    def temporaries(length, cost):
        circuit = scattered(length, num_wires)
        count = len(sweeps(circuit, Layout(num_wires), cost))
        go = quick_jit(functools.partial(run, method="blocks", cost_model=cost))
        lowered = go.lower(circuit, StateVector.zeros(num_wires))
        memory = lowered.compile().memory_analysis()
        assert memory is not None
        return count, memory.temp_size_in_bytes / (8 * 2**num_wires)

    (few, least), (many, most) = (temporaries(k, small_cache(12)) for k in (20, 60))
    assert many >= few + 4
    assert most < least + 1.5  # states


# --- values and gradients -------------------------------------------------------------


def blocks(circuit, state, cost):
    go = functools.partial(run, method="blocks", cost_model=cost)
    return quick_jit(go)(circuit, state)


def reference(circuit) -> np.ndarray:
    return np.asarray(run(circuit, StateVector.zeros(N), method="gates").vector())


@pytest.mark.parametrize("log_piece", [4, 7])
@pytest.mark.parametrize("name", CIRCUITS)
def test_pieces_give_the_same_state(name, log_piece, x64):
    circuit = CIRCUITS[name]()
    found = blocks(circuit, StateVector.zeros(N), small_cache(log_piece))
    np.testing.assert_allclose(found.vector(), reference(circuit), atol=1e-13)


def test_batches_go_in_pieces_too(x64):
    rng = np.random.default_rng(6)
    states = np.stack([oracles.random_state(rng, N) for _ in range(4)], -1)
    batch = StateBatch(jnp.asarray(states.reshape(*(2,) * N, 4)))
    layout, cost = Layout(N, log_batch=2), small_cache(8)
    assert any(s.whole < len(s.windows) for s in sweeps(chains(), layout, cost))
    one_by_one = run(chains(), batch, method="gates").amplitudes
    found = blocks(chains(), batch, cost).amplitudes
    np.testing.assert_allclose(found, one_by_one, atol=1e-13)


def test_pauli_coefficients_stay_whole():
    layout, cost = Layout(N, bits=2, carry=False), small_cache(8)
    assert all(s.whole == len(s.windows) for s in sweeps(chains(), layout, cost))


def slopes(log_piece, gradient) -> np.ndarray:
    def value(angles):
        cost = None if log_piece is None else small_cache(log_piece)
        method = "gates" if log_piece is None else "blocks"
        final = run(
            hardware_efficient(angles),
            StateVector.zeros(N),
            method=method,
            gradient=gradient,
            cost_model=cost,
        )
        return expectation(final, ising(N)) + jnp.dot(SIGNS, final.vector().imag)

    return np.asarray(quick_jit(jax.grad(value))(jnp.asarray(ANGLES)))


@functools.cache
def right_slopes() -> np.ndarray:
    return slopes(None, "reverse")


@pytest.mark.parametrize("gradient", ["adjoint", "reverse", "remat"])
def test_pieces_give_the_same_gradient(gradient, x64):
    np.testing.assert_allclose(slopes(6, gradient), right_slopes(), atol=1e-12)


def test_a_vmap_over_pieces_is_a_loop(x64):
    cost = small_cache(6)
    go = functools.partial(run, method="blocks", cost_model=cost)
    many = jnp.asarray(np.stack([ANGLES, ANGLES[::-1]]))

    def vector(angles):
        return go(hardware_efficient(angles), StateVector.zeros(N)).vector()

    both = quick_jit(jax.vmap(vector))(many)
    for angles, found in zip(many, both, strict=True):
        np.testing.assert_allclose(
            found, reference(hardware_efficient(angles)), atol=1e-13
        )


def first_choice(self, matrix, piece, right=executor._Move._choose):
    """Takes the same matrix for every piece."""
    return right(self, matrix, None if piece is None else 0 * piece)


def backwards(self, step, total, numbers, right=executor._Pieces._each):
    """Puts the last piece first."""
    total, done = right(self, step, total, numbers)
    return total, jax.tree.map(lambda leaf: leaf[::-1], done)


@pytest.mark.parametrize(
    "owner,name,mutant",
    [
        (executor._Move, "_choose", first_choice),
        (executor._Pieces, "_each", backwards),
    ],
)
def test_the_comparison_rejects(owner, name, mutant, monkeypatch, x64):
    expected = right_slopes()
    monkeypatch.setattr(owner, name, mutant)
    jax.clear_caches()
    wrong = slopes(6, "adjoint")
    jax.clear_caches()
    assert np.max(np.abs(wrong - expected)) > 1e-2
