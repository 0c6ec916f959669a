"""Circuits: composition, inverse, repetition, drawing, resources, unitary matrix."""

import functools

import jax
import jax.extend.core
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings

from qjax import circuits
from qjax.circuits import (
    Circuit,
    Conditional,
    Measure,
    Repeat,
    Reset,
    controlled,
    kraus_channel,
    unroll,
)
from qjax.simulate import run, trajectory, unitary_matrix
from qjax.states import DensityMatrix, StateVector
from tests import oracles, strategies
from tests.compiling import quick_jit

GATE_NAMES = strategies.UNITARY_NAMES


def full_matrix(steps, num_wires: int) -> np.ndarray:
    columns = np.eye(2**num_wires, dtype=complex)
    return np.stack(
        [strategies.oracle_vector(steps, column) for column in columns], axis=1
    )


def test_unitary_matrix_is_the_oracles_product(x64):
    rng = np.random.default_rng(11)
    for num_wires in (1, 2, 3):
        steps = strategies.random_steps(rng, num_wires, 8, GATE_NAMES)
        circuit = strategies.build(steps, num_wires)
        actual = quick_jit(unitary_matrix)(circuit)
        assert actual.dtype == jnp.complex128
        np.testing.assert_allclose(actual, full_matrix(steps, num_wires), atol=1e-13)


@settings(max_examples=12)
@given(strategies.wired_steps(GATE_NAMES, max_wires=3, max_length=4))
def test_inverse_undoes_every_circuit(case):
    num_wires, steps = case
    circuit = strategies.build(steps, num_wires)
    there_and_back = quick_jit(unitary_matrix)(circuit + circuit.inverse())
    np.testing.assert_allclose(there_and_back, np.eye(2**num_wires), atol=2e-5)


def test_sum_does_the_first_circuit_first(x64):
    first = Circuit([circuits.h(0)], 1)
    second = Circuit([circuits.t(0)], 1)
    expected = oracles.gate("t") @ oracles.gate("h")
    np.testing.assert_allclose(unitary_matrix(first + second), expected, atol=1e-15)
    with pytest.raises(ValueError, match="`other` must have 1 wires"):
        _ = first + Circuit([circuits.h(0)], 2)


@pytest.mark.parametrize(
    "operation",
    [Measure(0), Reset(0), kraus_channel(np.eye(2)[None], 0)],
    ids=lambda operation: operation.name,
)
def test_what_is_not_unitary_has_no_inverse(operation):
    with pytest.raises(TypeError, match="must be unitary to have an inverse"):
        Circuit([operation], 1).inverse()


def test_wires_out_of_range_are_refused():
    for operation in (
        circuits.cx(0, 2),
        Measure((2,)),
        Reset(5),
        controlled(circuits.x(0), 3),
    ):
        with pytest.raises(ValueError, match=r"`wires` must lie in \[0, 2\)"):
            Circuit([operation], 2)
    with pytest.raises(ValueError, match="`num_wires` must be at least 1"):
        Circuit([], 0)
    with pytest.raises(TypeError, match="`operations` must hold operations"):
        Circuit(["h"], 1)  # type: ignore[list-item]


# --- Repeat ---------------------------------------------------------------------------

DEPTH = 3


def repeated(rng: np.random.Generator, name: str) -> tuple[int, list, Circuit]:
    """`DEPTH` layers [h-like rotation, one operation, cx], as steps and as Repeat."""
    num_wires = max(2, strategies.step_size(name))
    layers = []
    first = strategies.random_step(rng, name, num_wires)
    for _ in range(DEPTH):
        angle = float(rng.uniform(-3, 3))
        params = tuple(float(p) + angle for p in first.params)
        array = first.array
        if name == "unitary":
            array = oracles.random_unitary(rng, 2 ** len(first.wires))
        if name == "kraus":
            array = oracles.random_kraus(rng, 3, 2 ** len(first.wires))
        if first.kind == "channel":
            params = tuple(p * float(rng.uniform(0.9, 1)) for p in first.params)
        layers.append(
            [
                strategies.Step("gate", "u3", (0,), (angle, 0.3, angle**2)),
                strategies.Step(
                    first.kind, first.name, first.wires, params, array, first.values
                ),
                strategies.Step("gate", "cx", (0, 1)),
            ]
        )
    bodies = [strategies.build(layer, num_wires) for layer in layers]
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *bodies)
    steps = [step for layer in layers for step in layer]
    return num_wires, steps, Circuit([Repeat(stacked, DEPTH)], num_wires)


@pytest.mark.parametrize("name", GATE_NAMES)
def test_a_repeated_gate_is_the_unrolled_one(name, x64):
    rng = np.random.default_rng([21, len(name)])
    num_wires, steps, circuit = repeated(rng, name)
    start = StateVector(
        jnp.asarray(oracles.random_state(rng, num_wires).reshape((2,) * num_wires))
    )
    expected = strategies.oracle_vector(steps, np.asarray(start.vector()))

    @quick_jit
    def there_and_back(circuit, start):
        there = run(circuit, start)
        return there, run(circuit.inverse(), there)

    there, back = there_and_back(circuit, start)
    np.testing.assert_allclose(there.vector(), expected, atol=1e-13)
    np.testing.assert_allclose(back.vector(), start.vector(), atol=1e-13)
    assert len(unroll(circuit).operations) == 3 * DEPTH


@pytest.mark.parametrize("name", strategies.CHANNEL_NAMES)
def test_a_repeated_channel_is_the_unrolled_one(name, x64):
    rng = np.random.default_rng([22, len(name)])
    num_wires, steps, circuit = repeated(rng, name)
    rho = oracles.random_density(rng, num_wires)
    start = DensityMatrix(jnp.asarray(rho.reshape((2,) * (2 * num_wires))))
    expected = strategies.oracle_density(steps, rho)
    actual = quick_jit(run)(circuit, start).matrix()
    np.testing.assert_allclose(actual, expected, atol=1e-13)


@pytest.mark.parametrize("operation", [Measure((0,)), Reset((0,))], ids=["M", "reset"])
def test_repeated_measurement_and_reset_are_the_unrolled_ones(operation, x64):
    def layer(angle):
        return Circuit([circuits.ry(angle, 0), circuits.cx(0, 1), operation], 2)

    angles = jnp.linspace(0.4, 1.9, DEPTH)
    circuit = Circuit([Repeat(jax.vmap(layer)(angles), DEPTH)], 2)
    start = DensityMatrix.zeros(2)
    expected = quick_jit(run)(unroll(circuit), start).matrix()
    actual = quick_jit(run)(circuit, start).matrix()
    np.testing.assert_allclose(actual, expected, atol=1e-14)


def test_nested_repeats_are_the_unrolled_ones(x64):
    def inner(angle):
        return Circuit([circuits.rx(angle, 0), circuits.cx(0, 1)], 2)

    def outer(angles):
        body = jax.vmap(inner)(angles)
        return Circuit([Repeat(body, 4), circuits.ry(angles[0], 1)], 2)

    angles = jnp.linspace(-1, 2, 12).reshape(3, 4)
    circuit = Circuit([Repeat(jax.vmap(outer)(angles), 3)], 2)
    expected = unitary_matrix(unroll(circuit))
    assert len(unroll(circuit).operations) == 3 * (4 * 2 + 1)
    np.testing.assert_allclose(unitary_matrix(circuit), expected, atol=1e-14)
    inverse = unitary_matrix(circuit.inverse())
    np.testing.assert_allclose(inverse, np.conj(expected).T, atol=1e-14)


def test_vmapped_builder_gives_a_batch_of_circuits(x64):
    def energy(angle):
        circuit = Circuit([circuits.ry(angle, 0), circuits.cx(0, 1)], 2)
        return run(circuit, StateVector.zeros(2)).probabilities((1,))[1]

    angles = jnp.linspace(0, 3, 7)
    expected = np.sin(np.asarray(angles) / 2) ** 2
    np.testing.assert_allclose(jax.vmap(energy)(angles), expected, atol=1e-14)
    batch = jax.vmap(lambda a: Circuit([circuits.ry(a, 0)], 1))(angles)
    one = jax.vmap(lambda c: run(c, StateVector.zeros(1)).probabilities()[1])(batch)
    np.testing.assert_allclose(one, expected, atol=1e-14)


def test_a_repeat_without_the_leading_axis_is_refused():
    body = Circuit([circuits.rx(0.1, 0)], 1)
    with pytest.raises(ValueError, match="leading axis of length 3"):
        Repeat(body, 3)
    stacked = jax.vmap(lambda a: Circuit([circuits.rx(a, 0)], 1))(jnp.zeros(3))
    with pytest.raises(ValueError, match="leading axis of length 4"):
        Repeat(stacked, 4)
    with pytest.raises(ValueError, match="`depth` must be at least 1"):
        Repeat(stacked, 0)


# --- drawing and resources ------------------------------------------------------------


def drawn() -> Circuit:
    def layer(angle):
        return Circuit([circuits.ry(angle, 0), circuits.cz(0, 2)], 3)

    return Circuit(
        [
            circuits.h(0),
            circuits.cx(0, 2),
            controlled(circuits.rx(0.1, 1), (0, 2), (1, 0)),
            kraus_channel(np.eye(2)[None], 1, name="noise"),
            Repeat(jax.vmap(layer)(jnp.zeros(5)), 5),
            circuits.swap(0, 1),
            Measure((0,)),
            Conditional(circuits.x(2), (0,), (1,)),
            Reset(1),
        ],
        3,
    )


def test_drawing_shows_every_operation_on_its_wires():
    lines = drawn().draw().split("\n")
    assert len(lines) == 3
    assert len({len(line) for line in lines}) == 1, "columns must line up"
    for wire, symbols in {
        0: ["H", "●", "●", "5×[", "RY", "●", "]", "x", "M"],
        1: ["│", "RX", "~noise", "5×[", "]", "x", "|0>"],
        2: ["X", "○", "5×[", "●", "]", "if[0]=1:X"],
    }.items():
        assert lines[wire].startswith(f"{wire}: ─")
        place = 0
        for symbol in symbols:
            found = lines[wire].find(symbol, place)
            assert found >= 0, (wire, symbol, lines)
            place = found + len(symbol)


def test_drawing_of_a_small_circuit_is_exactly_this():
    circuit = Circuit(
        [
            circuits.h(0),
            circuits.cx(0, 2),
            circuits.rzz(0.3, 0, 1),
            controlled(circuits.s(1), 2, (0,)),
            Measure((1,)),
        ],
        3,
    )
    assert circuit.draw() == ("0: ─H─●─RZZ─────\n1: ───│─RZZ─S─M─\n2: ───X─────○───")


def test_drawing_of_many_wires_lines_up():
    circuit = Circuit([circuits.cx(0, 11)], 12)
    lines = circuit.draw().split("\n")
    assert len({len(line) for line in lines}) == 1
    assert lines[3].startswith(" 3: ") and lines[11].startswith("11: ")


def test_resources_of_a_hand_counted_circuit():
    resources = drawn().resources()
    assert resources.num_wires == 3
    # h, cx, controlled rx, noise, 5 x (ry, cz), swap, M, if, reset
    assert resources.num_operations == 4 + 10 + 4
    assert resources.by_name["RY"] == 5 and resources.by_name["CZ"] == 5
    assert resources.by_name["CX"] == 1 and resources.by_name["H"] == 1
    assert sum(resources.by_name.values()) == resources.num_operations
    # one wire: h, 5 ry; two: cx, 5 cz, swap; three: the controlled rotation.
    assert {size: resources.by_size[size] for size in (1, 2, 3)} == {1: 6, 2: 7, 3: 1}
    assert resources.num_channels == 1
    assert resources.num_outcomes == 1
    # h, cx, crx, then ry and cz five times (all on wire 0), swap, M.
    assert resources.depth == 15


def test_resources_count_parameters_of_gates_in_repeats_and_controls():
    def layer(angles):
        return Circuit(
            [
                circuits.u3(angles[0], angles[1], angles[2], 0),
                controlled(circuits.rx(0.5, 1), 0),
            ],
            2,
        )

    body = jax.vmap(layer)(jnp.zeros((4, 3)))
    body = jax.tree.map(lambda x: jnp.broadcast_to(x, (4, *x.shape[1:])), body)
    resources = Circuit([Repeat(body, 4), circuits.rzz(0.1, 0, 1)], 2).resources()
    assert resources.num_parameters == 4 * (3 + 1) + 1
    assert resources.depth == 4 * 2 + 1


def test_measured_bits_of_a_repeat_are_counted_and_recorded(key):
    def layer(angle):
        return Circuit([circuits.rx(angle, 0), Measure((0, 1))], 2)

    body = jax.vmap(layer)(jnp.zeros(3))
    circuit = Circuit([Repeat(body, 3), Measure((1,))], 2)
    assert circuit.resources().num_outcomes == 7
    _, record = trajectory(key, circuit, StateVector.zeros(2))
    assert record.outcomes.shape == (7,)


# --- compile time ---------------------------------------------------------------------


def gradient_size(depth: int) -> int:
    """Number of equations of the gradient's program, inner programs included."""

    def loss(params):
        circuit = circuits.hardware_efficient(params)
        return run(circuit, StateVector.zeros(4)).probabilities()[0, 0, 0, 0]

    program = jax.make_jaxpr(jax.grad(loss))(jnp.zeros((depth, 4, 2)))
    return sum(1 for _ in equations(program.jaxpr))


def equations(jaxpr):
    for equation in jaxpr.eqns:
        yield equation
        for inner in jax.tree.leaves(
            list(equation.params.values()),
            is_leaf=lambda x: isinstance(x, jax.extend.core.ClosedJaxpr),
        ):
            if isinstance(inner, jax.extend.core.ClosedJaxpr):
                yield from equations(inner.jaxpr)


def test_the_gradients_program_does_not_grow_with_depth():
    small = gradient_size(10)
    assert small == gradient_size(200)
    assert small > 50  # the counter does look inside


def test_the_gradients_program_of_a_loop_grows_with_depth():
    """What `Repeat` saves; also shows that the counter sees growth."""

    def loss(params, depth):
        layers = [
            [circuits.ry(params[d, w], w) for w in range(2)] + [circuits.cx(0, 1)]
            for d in range(depth)
        ]
        circuit = Circuit([op for layer in layers for op in layer], 2)
        return run(circuit, StateVector.zeros(2)).probabilities()[0, 0]

    sizes = []
    for depth in (2, 4):
        grad = jax.grad(functools.partial(loss, depth=depth))
        program = jax.make_jaxpr(grad)(jnp.zeros((depth, 2)))
        sizes.append(sum(1 for _ in equations(program.jaxpr)))
    assert sizes[1] > 1.5 * sizes[0]
