"""The gate table: every row against the oracle and against its own other fields."""

import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qjax import circuits
from qjax.circuits import GATES, Gate, controlled, gate, pauli_rotation
from tests import oracles

NAMES = sorted(GATES)
PARAMETRIC = [name for name in NAMES if GATES[name].num_params == 1]
ANGLES = (0.7, -1.9, 2.6)


def make(name: str, start: int = 0) -> Gate:
    spec = GATES[name]
    wires = tuple(range(start, start + spec.num_wires))
    return gate(name, wires, *ANGLES[: spec.num_params])


def tolerance(matrix) -> float:
    return 8 * float(jnp.finfo(matrix.dtype).eps)


def test_the_oracle_knows_every_row_and_no_other():
    assert {name.lower() for name in GATES} == set(oracles.GATES)


@pytest.mark.parametrize("name", NAMES)
def test_row_has_the_sizes_of_the_textbook_gate(name):
    num_wires, num_params, _ = oracles.GATES[name.lower()]
    assert GATES[name].name == name
    assert (GATES[name].num_wires, GATES[name].num_params) == (num_wires, num_params)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("wide", [False, True], ids=["x32", "x64"])
def test_matrix_is_the_textbook_one(name, wide):
    with jax.enable_x64(wide):
        matrix = make(name).matrix()
        assert matrix.dtype == (jnp.complex128 if wide else jnp.complex64)
        expected = oracles.gate(name.lower(), *ANGLES[: GATES[name].num_params])
        np.testing.assert_allclose(matrix, expected, atol=tolerance(matrix))


@pytest.mark.parametrize("name", NAMES)
def test_matrix_is_unitary(name, x64):
    matrix = np.asarray(make(name).matrix())
    np.testing.assert_allclose(
        matrix @ matrix.conj().T, np.eye(len(matrix)), atol=1e-14
    )


@pytest.mark.parametrize("name", NAMES)
def test_inverse_undoes_the_gate(name, x64):
    operation = make(name)
    product = operation.inverse().matrix() @ operation.matrix()
    np.testing.assert_allclose(product, np.eye(len(product)), atol=1e-14)
    twice = operation.inverse().inverse()
    assert twice.spec == operation.spec
    np.testing.assert_array_equal(twice.params, operation.params)


@pytest.mark.parametrize("name", PARAMETRIC)
def test_generator_gives_the_gate_and_its_derivative(name, x64):
    generator = GATES[name].generator
    assert generator is not None
    np.testing.assert_array_equal(generator, generator.conj().T)
    angle = 0.7
    expected = oracles.exponential(generator, angle)
    matrix = GATES[name].matrix(jnp.asarray(angle))
    np.testing.assert_allclose(matrix, expected, atol=1e-14)
    slope = jax.jacfwd(GATES[name].matrix)(jnp.asarray(angle))
    np.testing.assert_allclose(slope, -1j * generator @ expected, atol=1e-14)


def test_only_one_parameter_gates_have_a_generator():
    for name, spec in GATES.items():
        assert (spec.generator is not None) == (name in PARAMETRIC)


@pytest.mark.parametrize("name", NAMES)
def test_builder_of_the_same_name_makes_the_row(name):
    spec = GATES[name]
    builder = getattr(circuits, name.lower())
    numbers = inspect.signature(builder).parameters
    assert len(numbers) == spec.num_params + spec.num_wires
    wires = tuple(range(2, 2 + spec.num_wires))
    made = builder(*ANGLES[: spec.num_params], *wires)
    assert made.spec is spec and made.wires == wires
    np.testing.assert_array_equal(made.params, ANGLES[: spec.num_params])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("values", [(1,), (0,), (1, 0)])
def test_controlled_matrix_is_a_block_of_the_identity(name, values, x64):
    operation = controlled(make(name, start=2), range(len(values)), values)
    block = oracles.gate(name.lower(), *ANGLES[: GATES[name].num_params])
    expected = oracles.controlled(block, values)
    np.testing.assert_allclose(operation.matrix(), expected, atol=1e-14)
    undone = operation.inverse().matrix() @ operation.matrix()
    np.testing.assert_allclose(undone, np.eye(len(undone)), atol=1e-14)


@pytest.mark.parametrize("word", ["X", "IZ", "YX", "ZYX", "XIYZ"])
def test_pauli_rotation_is_the_matrix_exponential(word, x64):
    rotation = pauli_rotation(0.9, word, tuple(range(len(word))))
    full = oracles.kron([oracles.PAULIS[letter] for letter in word])
    expected = oracles.exponential(full, 0.45)
    np.testing.assert_allclose(rotation.matrix(), expected, atol=1e-14)
    undone = rotation.inverse().matrix() @ rotation.matrix()
    np.testing.assert_allclose(undone, np.eye(len(undone)), atol=1e-14)


def test_equal_pauli_rotations_have_equal_structure():
    """Otherwise a rebuilt circuit would be compiled again."""
    first = jax.tree.structure(pauli_rotation(0.1, "XZ", (0, 1)))
    assert first == jax.tree.structure(pauli_rotation(0.2, "XZ", (0, 1)))
    assert first != jax.tree.structure(pauli_rotation(0.1, "ZX", (0, 1)))


@pytest.mark.parametrize(
    "angle",
    [1, 0.5, np.float32(0.5), np.float64(0.5), jnp.float32(0.5), np.asarray(2)],
    ids=lambda angle: type(angle).__name__,
)
def test_angles_may_be_any_real_scalar(angle):
    for made in (circuits.rx(angle, 0), circuits.crz(angle, 0, 1)):
        generator = made.spec.generator
        assert generator is not None
        expected = oracles.exponential(generator, float(angle))
        np.testing.assert_allclose(made.matrix(), expected, atol=1e-6)


def test_wrong_parameter_counts_are_refused():
    with pytest.raises(ValueError, match=r"`params` must be 1 scalars for RX"):
        gate("RX", 0)
    with pytest.raises(ValueError, match=r"`params` must be 0 scalars for H"):
        gate("H", 0, 0.3)
    with pytest.raises(ValueError, match=r"`params` must have shape \(3,\) for U3"):
        Gate(np.zeros(2), (0,), GATES["U3"])
    with pytest.raises(ValueError, match=r"scalars for RX \(use jax.vmap"):
        circuits.rx(np.zeros(2), 0)


def test_complex_angles_are_refused():
    with pytest.raises(TypeError):
        circuits.rx(jnp.asarray(1j), 0)
    with pytest.raises(TypeError):
        circuits.rx(0.3 + 0.1j, 0)


def test_bad_wires_are_refused():
    with pytest.raises(ValueError, match="`wires` must not repeat a wire"):
        circuits.cx(1, 1)
    with pytest.raises(ValueError, match="`wires` must be non-negative"):
        circuits.h(-1)
    with pytest.raises(TypeError):
        circuits.h(0.5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="`wires` must have 2 entries for CX"):
        gate("CX", (0, 1, 2))
    with pytest.raises(ValueError, match="`name` must be one of"):
        gate("NOT", 0)
    with pytest.raises(ValueError, match="wire"):
        controlled(circuits.x(0), 0)
    with pytest.raises(ValueError, match="`values` must hold bits"):
        controlled(circuits.x(0), 1, (2,))
    with pytest.raises(ValueError, match="`values` must have 1 entries"):
        controlled(circuits.x(0), 1, (1, 0))
    with pytest.raises(ValueError, match="`word` must use I, X, Y, Z"):
        pauli_rotation(0.1, "XA", (0, 1))
    with pytest.raises(ValueError, match="2 entries"):
        pauli_rotation(0.1, "XY", (0, 1, 2))


def test_a_32_bit_run_does_not_spoil_a_later_64_bit_one():
    """JAX remembers a converted NumPy constant by identity, whatever the precision."""

    @jax.jit
    def matrices():
        return [make(name).matrix() for name in NAMES]

    with jax.enable_x64(False):
        matrices()
    with jax.enable_x64(True):
        for name, matrix in zip(NAMES, matrices(), strict=True):
            expected = oracles.gate(name.lower(), *ANGLES[: GATES[name].num_params])
            np.testing.assert_allclose(matrix, expected, atol=1e-14, err_msg=name)
