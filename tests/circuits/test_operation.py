"""Operations as data: construction, refusals, and pytree round trips."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qjax import circuits
from qjax.circuits import (
    Channel,
    Circuit,
    Conditional,
    Controlled,
    Measure,
    Projector,
    Repeat,
    Reset,
    Unitary,
    controlled,
    kraus_channel,
    unitary,
)
from qjax.noise import CHANNELS
from qjax.simulate import run
from qjax.states import DensityMatrix, StateVector
from tests import oracles

RNG = np.random.default_rng(7)
MATRIX = oracles.random_unitary(RNG, 4)
KRAUS = oracles.random_kraus(RNG, 3, 2)


def layer(angle):
    return Circuit([circuits.rx(angle, 0), circuits.cx(0, 1)], 2)


# One value of every public type that is a pytree.
VALUES = {
    "gate": circuits.u3(0.1, 0.2, 0.3, 1),
    "fixed gate": circuits.h(0),
    "rotation": circuits.pauli_rotation(0.4, "XY", (2, 0)),
    "unitary": unitary(MATRIX, (1, 0)),
    "controlled": controlled(circuits.ry(0.3, 2), (0, 1), (1, 0)),
    "channel": kraus_channel(KRAUS, 1),
    "measure": Measure((0, 2)),
    "reset": Reset(1),
    "conditional": Conditional(circuits.x(1), (-1,), (1,)),
    "repeat": Repeat(jax.vmap(layer)(jnp.arange(3.0)), 3),
    "circuit": Circuit([circuits.h(0), Measure(0), Reset(1)], 2),
    "pauli sum": circuits.ising(3),
    "projector": Projector((0, 1), (0, 2)),
    "hermitian": circuits.hermitian(MATRIX + MATRIX.conj().T, (0, 1)),
    "state vector": StateVector.zeros(2),
    "density matrix": DensityMatrix.zeros(2),
}


@pytest.mark.parametrize("name", VALUES)
def test_flatten_then_unflatten_is_the_identity(name):
    value = VALUES[name]
    leaves, structure = jax.tree.flatten(value)
    back = jax.tree.unflatten(structure, leaves)
    assert type(back) is type(value)
    assert eqx.tree_equal(value, back)
    assert jax.tree.structure(back) == structure
    for leaf in leaves:
        assert isinstance(leaf, np.ndarray | jax.Array), type(leaf)
    # The fields, too, keep their places: a swapped flatten may be its own inverse.
    for field in vars(value):
        assert jax.tree.structure(getattr(value, field)) == jax.tree.structure(
            getattr(back, field)
        )


@pytest.mark.parametrize("name", VALUES)
def test_structure_is_hashable_and_comparable(name):
    """jit finds a compiled program by it."""
    structure = jax.tree.structure(VALUES[name])
    assert hash(structure) == hash(jax.tree.structure(VALUES[name]))


def test_only_numbers_are_leaves():
    counts = {
        "gate": 3, "fixed gate": 0, "unitary": 16, "channel": 12, "measure": 0,
        "reset": 0, "projector": 0, "pauli sum": 5, "controlled": 1, "repeat": 3,
    }  # fmt: skip
    for name, count in counts.items():
        leaves = jax.tree.leaves(VALUES[name])
        assert sum(np.size(leaf) for leaf in leaves) == count, name


def test_unitary_has_its_matrix_and_inverse(x64):
    operation = unitary(MATRIX, (1, 0))
    np.testing.assert_allclose(operation.matrix(), MATRIX, atol=1e-15)
    np.testing.assert_allclose(
        operation.inverse().matrix(), MATRIX.conj().T, atol=1e-15
    )


def test_a_non_unitary_matrix_is_refused_also_under_jit():
    with pytest.raises(ValueError, match="unitary"):
        unitary(2 * np.eye(2), 0)
    with pytest.raises(ValueError, match="unitary"):
        unitary(MATRIX + 1e-3, (0, 1))
    build = eqx.filter_jit(lambda matrix: unitary(matrix, 0))
    build(jnp.eye(2))
    with pytest.raises(RuntimeError, match="unitary"):
        jax.block_until_ready(build(2 * jnp.eye(2)).array)


def test_a_float32_unitary_passes_its_own_check():
    """Rounding alone must not be taken for a wrong matrix, in any size."""
    for wires in range(1, 6):
        matrix = oracles.random_unitary(RNG, 2**wires).astype(np.complex64)
        unitary(matrix, tuple(range(wires)))


def test_a_matrix_of_the_wrong_shape_is_refused():
    for shape in ((2, 2), (4, 2), (4,), (1, 4, 4)):
        with pytest.raises(ValueError, match="shape"):
            unitary(np.ones(shape), (0, 1))
    with pytest.raises(ValueError, match="shape"):
        Unitary(jnp.ones((2, 2), complex), (0, 1))


def test_kraus_operators_that_lose_probability_are_refused_also_under_jit():
    with pytest.raises(ValueError, match="sum_k"):
        kraus_channel(0.9 * KRAUS, 0)
    with pytest.raises(ValueError, match="sum_k"):
        kraus_channel(KRAUS[:2], 0)
    with pytest.raises(ValueError, match="sum_k"):
        Channel(2 * jnp.asarray(KRAUS), (0,)).checked()

    @eqx.filter_jit
    def population(kraus):
        circuit = Circuit([kraus_channel(kraus, 0)], 1)
        return run(circuit, DensityMatrix.zeros(1)).norm()

    good = jnp.asarray(KRAUS)
    assert abs(float(population(good)) - 1) < 1e-6
    with pytest.raises(RuntimeError, match="sum_k"):
        population(0.9 * good)


def test_float32_kraus_operators_pass_their_own_check():
    for count, wires in ((1, 1), (4, 1), (16, 2), (3, 3)):
        kraus = oracles.random_kraus(RNG, count, 2**wires).astype(np.complex64)
        kraus_channel(kraus, tuple(range(wires)))


def test_kraus_operators_of_the_wrong_shape_are_refused():
    with pytest.raises(ValueError, match="shape"):
        kraus_channel(np.eye(4)[None], 0)
    with pytest.raises(ValueError, match="shape"):
        kraus_channel(np.eye(2)[None], (0, 1))


def test_controls_of_controls_are_one_operation(x64):
    nested = controlled(controlled(circuits.rx(0.3, 3), (2,), (0,)), (0, 1), (1, 0))
    assert nested.controls == (0, 1, 2) and nested.values == (1, 0, 0)
    assert not isinstance(nested.operation, Controlled)
    expected = oracles.controlled(oracles.gate("rx", 0.3), (1, 0, 0))
    np.testing.assert_allclose(nested.matrix(), expected, atol=1e-15)


def test_conditions_are_checked():
    with pytest.raises((TypeError, ValueError)):
        Conditional(Measure(0), (0,), (1,))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="`values`"):
        Conditional(circuits.x(0), (0, 1), (1,))
    with pytest.raises(ValueError, match="`values`"):
        Conditional(circuits.x(0), (), ())
    with pytest.raises(ValueError, match="bits"):
        Conditional(circuits.x(0), (0,), (2,))


@pytest.mark.parametrize("make", [Measure, Reset], ids=lambda make: make.__name__)
def test_measured_and_reset_wires_are_checked(make):
    assert make(1).wires == (1,)
    assert make([2, 0]).wires == (2, 0)
    with pytest.raises(ValueError, match="repeat"):
        make((0, 0))
    with pytest.raises(ValueError, match="non-negative"):
        make((-1,))


@pytest.mark.parametrize("name", CHANNELS)
def test_a_strength_out_of_range_is_refused_also_when_traced(name):
    """Just outside [0, 1] for each probability; times must not be negative."""
    spec = CHANNELS[name]
    wires = (0, 1) if spec.num_wires == 2 else 0
    inside = [0.2] * len(spec.parameters)
    traced = eqx.filter_jit(lambda values: spec.builder(*values, wires).kraus)
    jax.block_until_ready(traced([jnp.asarray(value) for value in inside]))
    for position, parameter in enumerate(spec.parameters):
        for bad in (-0.001, 1.001) if parameter.high == 1 else (-0.001,):
            values = list(inside)
            values[position] = bad
            with pytest.raises(ValueError, match=r"Argument `.*` must"):
                spec.builder(*values, wires)
            with pytest.raises(RuntimeError, match=r"Argument `.*` must"):
                jax.block_until_ready(traced([jnp.asarray(v) for v in values]))
