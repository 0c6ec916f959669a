"""Blocks against the gates and against Kronecker products in NumPy."""

import collections
import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qjax.circuits import Circuit, Conditional, Measure, Repeat, h, rx, unitary, x
from qjax.noise import bit_flip, depolarizing, phase_flip
from qjax.plan import arrays, executor, matrices, program
from qjax.plan.sweeps import Single
from qjax.simulate import run
from qjax.simulate.fused import prefers_blocks, takes_blocks
from qjax.states import DensityMatrix, PauliDensity, StateBatch, StateVector
from tests import oracles, strategies
from tests.compiling import quick_jit
from tests.simulate import block_cases
from tests.simulate.block_cases import CASES
from tests.strategies import Step

TOLERANCES = {"complex64": 1e-5, "complex128": 1e-13}

by_blocks = quick_jit(lambda circuit, state: run(circuit, state, method="blocks"))
by_gates = quick_jit(lambda circuit, state: run(circuit, state, method="gates"))


def random_vector(num_wires: int, seed: int = 0) -> np.ndarray:
    return oracles.random_state(np.random.default_rng(seed), num_wires)


def state_of(vector: np.ndarray, dtype: str = "complex128") -> StateVector:
    return StateVector.from_amplitudes(jnp.asarray(vector.astype(dtype)))


def check_pure(circuit, steps, dtype="complex128", go=by_blocks) -> None:
    vector = random_vector(circuit.num_wires)
    found = go(circuit, state_of(vector, dtype))
    assert found.dtype == np.dtype(dtype)
    expected = strategies.oracle_vector(steps, vector)
    np.testing.assert_allclose(found.vector(), expected, atol=TOLERANCES[dtype])


def check_mixed(circuit, oracle, kind, dtype="complex128", go=by_blocks) -> None:
    rho = oracles.random_density(np.random.default_rng(1), circuit.num_wires)
    state = kind.from_matrix(jnp.asarray(rho.astype(dtype)))
    found = go(circuit, state)
    assert type(found) is kind and found.dtype == np.dtype(dtype)
    atol = TOLERANCES[dtype]
    np.testing.assert_allclose(found.matrix(), oracle(rho), atol=atol)


# --- pure states ----------------------------------------------------------------------

# On 3 to 6 wires.
PURE = strategies.covering_circuits(11, 6, 60, strategies.UNITARY_NAMES)[2:]


def test_the_circuits_cover_every_gate():
    counts = collections.Counter(
        {"rotation": "rotation", "controlled": "controlled"}.get(step.kind, step.name)
        for _, steps in PURE
        for step in steps
    )
    assert set(counts) == set(strategies.UNITARY_NAMES)
    assert min(counts.values()) >= 2


@pytest.mark.parametrize("index", range(4))
def test_every_gate_in_random_circuits(index, x64):
    num_wires, steps = PURE[index]
    check_pure(strategies.build(steps, num_wires), steps)


@pytest.mark.parametrize("name", CASES)
def test_every_kind_of_circuit(name, x64):
    case = CASES[name]()
    check_pure(case.circuit, case.steps)


@pytest.mark.parametrize("name", ["ansatz", "wide_unitaries"])
def test_blocks_do_what_gates_do_in_single_precision(name):
    case = CASES[name]()
    state = state_of(random_vector(case.num_wires), "complex64")
    blocks, gates = (go(case.circuit, state).vector() for go in (by_blocks, by_gates))
    np.testing.assert_allclose(blocks, gates, atol=1e-5)


@pytest.mark.parametrize(
    "storage,low,high", [("bfloat16", 1e-4, 3e-2), ("float16", 1e-5, 4e-3)]
)
def test_numbers_kept_in_16_bits_lose_the_digits_that_they_must(storage, low, high):
    case = CASES["ansatz"]()
    vector = random_vector(case.num_wires)
    go = quick_jit(lambda state: run(case.circuit, state, storage=storage))
    found = go(state_of(vector, "complex64"))
    assert found.dtype == np.complex64
    error = np.max(
        np.abs(found.vector() - strategies.oracle_vector(case.steps, vector))
    )
    assert low < error < high


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_a_sweep_over_random_circuits_on_up_to_nine_wires(seed, x64):
    sweep = strategies.covering_circuits(seed, 27, 30, strategies.UNITARY_NAMES, 9)
    for num_wires, steps in sweep:
        circuit = strategies.build(steps, num_wires)
        state = state_of(random_vector(num_wires))
        found, expected = (go(circuit, state).vector() for go in (by_blocks, by_gates))
        np.testing.assert_allclose(found, expected, atol=1e-13)


# --- batches --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name,batch", [("nested_repeats", 1), ("many_controls", 3), ("nested_repeats", 256)]
)
def test_a_batch_is_every_state_by_itself(name, batch, x64):
    case = CASES[name]()
    vectors = [random_vector(case.num_wires, seed) for seed in range(batch)]
    found = by_blocks(case.circuit, StateBatch.from_amplitudes(jnp.asarray(vectors)))
    assert found.batch == batch
    # The oracle's matrix, built once, on all of them.
    size = 2**case.num_wires
    full = np.eye(size, dtype=complex)
    for step in case.steps:
        embedded = oracles.embed(strategies.matrix(step), step.wires, case.num_wires)
        full = embedded @ full
    expected = np.asarray(vectors) @ full.T
    rows = found.unstack().amplitudes.reshape(batch, size)
    np.testing.assert_allclose(rows, expected, atol=1e-13)


@pytest.mark.parametrize("method", ["auto", "gates"])
def test_a_batch_runs_by_every_method_in_single_precision(method):
    case = CASES["two_wires"]()
    vectors = np.asarray([random_vector(2, seed) for seed in range(5)])
    state = StateBatch.from_amplitudes(jnp.asarray(vectors.astype(np.complex64)))
    found = run(case.circuit, state, method=method)
    assert found.dtype == np.complex64
    expected = [strategies.oracle_vector(case.steps, vector) for vector in vectors]
    rows = found.unstack().amplitudes.reshape(5, 4)
    np.testing.assert_allclose(rows, expected, atol=1e-5)


# --- mixed states ---------------------------------------------------------------------

NOISY = block_cases.noisy(1, 4, 50, 4)[2:]


def test_the_noisy_circuits_cover_every_channel():
    names = {step.name for _, steps in NOISY for step in steps if step.is_noise}
    assert names == set(strategies.CHANNEL_NAMES)


@pytest.mark.parametrize("index", range(2))
def test_every_channel_in_random_circuits(index, x64):
    num_wires, steps = NOISY[index]
    case = block_cases.from_steps(steps, num_wires)
    kind = PauliDensity if index % 2 else DensityMatrix
    check_mixed(case.circuit, case.density, kind)


@pytest.mark.parametrize("kind", [DensityMatrix, PauliDensity])
def test_measurements_and_resets_of_several_wires(kind, x64):
    circuit, oracle = block_cases.with_measurements(block_cases.noisy_layers())
    check_mixed(circuit, oracle, kind)
    if kind is PauliDensity:
        check_mixed(circuit, oracle, kind, go=by_gates)


@pytest.mark.parametrize(
    "name", ["nested_repeats", "without_numbers", "one_wire", "empty"]
)
def test_unitary_circuits_on_mixed_states(name, x64):
    case = CASES[name]()
    check_mixed(case.circuit, case.density, PauliDensity)


def test_operations_too_wide_for_a_transfer_matrix_go_one_by_one():
    """On five wires it would have 2^20 numbers; auto avoids it, "blocks" says so."""
    wide = Step("controlled", "ry", (1, 4, 0, 2, 3), (0.7,), None, (1, 1, 0, 1))
    steps = [block_cases.gate("h", wire) for wire in range(5)] * 2
    case = block_cases.from_steps([*steps, wide], 5)
    check_mixed(
        case.circuit, case.density, DensityMatrix, "complex64", go=quick_jit(run)
    )
    for kind in (DensityMatrix, PauliDensity):
        assert not takes_blocks(case.circuit, kind.zeros(5))
        with pytest.raises(ValueError, match=r'`method` must be "gates" for .* wide'):
            run(case.circuit, kind.zeros(5), method="blocks")


def test_channels_of_one_shape_and_different_names_share_a_stage():
    circuit = Circuit([bit_flip(0.1, 0), phase_flip(0.2, 1), bit_flip(0.3, 1)], 2)
    state = DensityMatrix.from_state(state_of(random_vector(2), "complex64"))
    found, expected = (go(circuit, state).matrix() for go in (by_blocks, by_gates))
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("name", ["gate", "unitary", "channel"])
def test_leaves_of_several_precisions_share_a_stage(name, x64):
    """Each operation may come from elsewhere; the state decides the precision."""
    matrix = np.eye(2, dtype=complex)
    operations = {
        "gate": [rx(jnp.float32(0.1), 0), rx(0.2, 1)],
        "unitary": [unitary(matrix.astype(np.complex64), 0), unitary(matrix, 1)],
        "channel": [depolarizing(jnp.float32(0.1), 0), depolarizing(0.2, 1)],
    }[name]
    state = DensityMatrix.zeros(2)
    circuit = Circuit(operations, 2)
    found, expected = (go(circuit, state).matrix() for go in (by_blocks, by_gates))
    np.testing.assert_allclose(found, expected, atol=1e-14)


@pytest.mark.parametrize("operation", [Measure, lambda w: h(0)], ids=["measure", "h"])
def test_reading_every_wire_costs_no_more_memory_than_a_gate(operation):
    """A joint matrix on six wires would have 4^12 numbers; the state has 4^6."""
    circuit = Circuit([operation(tuple(range(6)))], 6)
    go = jax.jit(lambda state: run(circuit, state, method="blocks"))
    memory = go.lower(PauliDensity.zeros(6)).compile().memory_analysis()
    assert memory is not None and memory.temp_size_in_bytes < 2**20


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_a_sweep_over_random_noisy_circuits_on_up_to_five_wires(seed, x64):
    for num_wires, steps in block_cases.noisy(seed, 20, 16, 5):
        case = block_cases.from_steps(steps, num_wires)
        check_mixed(case.circuit, case.density, PauliDensity)


# --- mutants: mistakes that the comparisons above must see ----------------------------


def conjugated(unitary, overlap, closing, right=program._real_form):
    return right(jnp.conj(unitary), overlap, closing)


def unordered(table, size, site, right=matrices._row_orders):
    rows, back = right(table, size, site)
    return rows, np.broadcast_to(np.arange(back.shape[1]), back.shape)


def choiceless(window, order, layout, matrix, numbers, right=arrays.apply_window):
    same = jnp.broadcast_to(matrix[:1], matrix.shape)
    return right(window, order, layout, same, numbers)


def unmoved(old, new, bits, gather, numbers):
    return numbers


def uncontrolled(step, layout, axes, matrix, numbers, right=arrays.apply_single):
    bare = Single(step.operation, step.wires)
    return right(bare, layout, axes, matrix, numbers)


@pytest.mark.parametrize(
    "module,name,mutant,case",
    [
        (program, "_real_form", conjugated, "brickwork"),
        (matrices, "_row_orders", unordered, "brickwork"),
        (executor, "apply_window", choiceless, "ansatz"),
        (executor, "relayout", unmoved, "all_to_all"),
        (executor, "apply_single", uncontrolled, "many_controls"),
    ],
    ids=["conjugated", "unordered", "choiceless", "unmoved", "uncontrolled"],
)
def test_the_comparison_rejects(module, name, mutant, case, monkeypatch, x64):
    chosen = CASES[case]()
    monkeypatch.setattr(module, name, mutant)
    jax.clear_caches()  # what was traced before was right
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        check_pure(chosen.circuit, chosen.steps)
    jax.clear_caches()


# --- bad input ------------------------------------------------------------------------

CONDITIONAL = Circuit([Measure(0), Conditional(x(1), (-1,), (1,))], 2)
BODY = jax.vmap(lambda p: Circuit([depolarizing(p, 0)], 2))(np.full(2, 0.1))
NOISE = Circuit([Repeat(BODY, 2)], 2)
PLAIN = Circuit([h(0)], 2)
PURE_ZEROS, MIXED_ZEROS = (kind.zeros(2) for kind in (StateVector, DensityMatrix))


@pytest.mark.parametrize(
    "circuit,state,options,message",
    [
        (PLAIN, PURE_ZEROS, {"method": "fast"},
         "`method` must be one of auto, gates, blocks, but is 'fast'"),
        (PLAIN, PURE_ZEROS, {"gradient": "shift"},
         "`gradient` must be one of auto, reverse, remat, adjoint, but is 'shift'"),
        (PLAIN, StateVector.zeros(3), {}, "`state` must have 2 wires, but is 3"),
        (PLAIN, StateBatch.zeros(1, 4), {}, "`state` must have 2 wires, but is 1"),
        (CONDITIONAL, MIXED_ZEROS, {"method": "blocks"}, '`method` must be "gates"'),
        (PLAIN, PURE_ZEROS, {"storage": "float8"},
         "`storage` must be None, bfloat16 or float16, but is 'float8'"),
        (PLAIN, PURE_ZEROS, {"storage": "bfloat16", "method": "gates"},
         "`storage` must be None where blocks do not apply, but is 'bfloat16'"),
        (PLAIN, PURE_ZEROS, {"storage": "float16", "gradient": "adjoint"},
         "with `storage`: rounding cannot be undone"),
        (PLAIN, PURE_ZEROS, {"method": "gates", "gradient": "adjoint"},
         '`gradient` must be "reverse" or "remat" with method="gates"'),
        (CONDITIONAL, MIXED_ZEROS, {"gradient": "adjoint"},
         '`gradient` must be "reverse" or "remat" for M, which cannot be undone'),
        (NOISE, MIXED_ZEROS, {"gradient": "adjoint"},
         '`gradient` must be "reverse" or "remat" for Depolarizing, which cannot be '
         'undone, but is "adjoint"'),
        (Circuit([Measure(0)], 2), MIXED_ZEROS, {"gradient": "adjoint"},
         '`gradient` must be "reverse" or "remat" for M, which cannot be undone'),
    ],
)  # fmt: skip
def test_bad_input_is_refused_with_what_to_do(circuit, state, options, message):
    unchecked = inspect.unwrap(run)  # in tests, types are checked before
    with pytest.raises(ValueError, match=message):
        unchecked(circuit, state, **options)


@pytest.mark.parametrize(
    "state", [PURE_ZEROS, StateBatch.zeros(2, 3)], ids=["one", "batch"]
)
@pytest.mark.parametrize(
    "circuit", [NOISE, Circuit([Measure(0)], 2)], ids=["noise", "M"]
)
def test_a_pure_state_takes_no_channel(circuit, state):
    with pytest.raises(TypeError, match="use `trajectory`, or a mixed state"):
        run(circuit, state)
    with pytest.raises(TypeError, match="use `trajectory`, or a mixed state"):
        run(circuit, state, method="blocks")


def test_auto_takes_blocks_for_long_circuits_on_many_wires_only():
    def long(num_wires):
        return Circuit([h(wire) for wire in range(num_wires)] * 2, num_wires)

    for kind, fewest in ((StateVector, 8), (DensityMatrix, 5), (PauliDensity, 4)):
        for num_wires, expected in ((fewest - 1, False), (fewest, True)):
            state = kind.zeros(num_wires)
            assert prefers_blocks(long(num_wires), state) is expected
            assert takes_blocks(long(num_wires), state)
    assert not prefers_blocks(Circuit([h(0)], 9), StateVector.zeros(9))
    assert not takes_blocks(CONDITIONAL, MIXED_ZEROS)
    assert not takes_blocks(NOISE, PURE_ZEROS)
