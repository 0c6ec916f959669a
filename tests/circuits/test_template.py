"""Templates: the same circuit as the loop that builds it, with a flat program."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qjax.circuits import (
    Circuit,
    Repeat,
    controlled,
    cx,
    h,
    pauli_rotation,
    rx,
    ry,
    rz,
    template,
    u3,
    unroll,
)
from qjax.simulate import run, unitary_matrix
from qjax.states import StateVector
from tests.compiling import quick_jit


def plain(angles) -> Circuit:
    """A loop over layers, each angle as it stands."""
    operations = []
    for layer in angles:
        operations += [ry(angle, wire) for wire, angle in enumerate(layer)]
        operations += [cx(0, 1)]
    return Circuit(operations, 2)


def affine(angles) -> Circuit:
    """Scaled and shifted angles, one shared by two gates, a start and an end."""
    operations = [h(0), rx(angles[0, 0] * 0.5, 1)]
    for layer in angles:
        operations += [rz(2 * layer[0] + 0.3, 0), ry(-layer[1], 1), cx(0, 1)]
        operations += [rz(layer[0], 1)]
    return Circuit([*operations, pauli_rotation(0.7, "XY", (0, 1))], 2)


def curved(angles) -> Circuit:
    """Angles that are no linear functions of the parameters."""
    operations = []
    for layer in angles:
        operations += [ry(layer[0] ** 2, 0), rx(layer[0] * layer[1], 1), cx(0, 1)]
    return Circuit(operations, 2)


def alternating(angles) -> Circuit:
    """Two blocks of different layers."""
    operations = [h(0)]
    for layer in angles:
        operations += [rx(layer[0], 0), cx(0, 1)]
    for layer in angles:
        operations += [u3(layer[0], layer[1], 0.2, 1), controlled(ry(layer[1], 1), 0)]
    return Circuit(operations, 2)


def constant(angles) -> Circuit:
    del angles
    return Circuit([h(0), cx(0, 1)] * 4, 2)


BUILDERS = [plain, affine, curved, alternating, constant]
all_builders = pytest.mark.parametrize("build", BUILDERS, ids=lambda b: b.__name__)


def parameters(depth: int = 6) -> np.ndarray:
    return np.random.default_rng(depth).uniform(-2, 2, (depth, 2))


@all_builders
def test_bound_template_is_the_loop_built_circuit(build, x64):
    params = parameters()
    bound = jax.jit(template(build, params))(params)
    actual = quick_jit(unitary_matrix)(bound)
    expected = quick_jit(unitary_matrix)(build(params))
    np.testing.assert_allclose(actual, expected, atol=1e-13)
    names = [operation.name for operation in unroll(bound).operations]
    assert names == [operation.name for operation in build(params).operations]


@all_builders
def test_gradient_through_a_template_is_the_loops(build, x64):
    params = parameters(4)
    made = template(build, params)

    def loss(builder):
        return lambda p: run(builder(p), StateVector.zeros(2)).probabilities()[0, 1]

    actual = quick_jit(jax.grad(loss(made)))(params)
    expected = quick_jit(jax.grad(loss(build)))(params)
    np.testing.assert_allclose(actual, expected, atol=1e-13)
    if build is not constant:
        assert np.max(np.abs(expected)) > 0.01


def test_repetition_is_found():
    for build, repeats in ((plain, [6]), (affine, [6]), (alternating, [6, 6])):
        bound = template(build, parameters())(parameters())
        found = [op.depth for op in bound.operations if isinstance(op, Repeat)]
        assert found == repeats, build.__name__


def test_linearity_is_found():
    params = parameters()
    assert template(plain, params).linear and template(affine, params).linear
    assert not template(curved, params).linear


def test_program_size_does_not_grow_with_depth():
    def size(depth):
        params = parameters(depth)
        made = template(affine, params)

        def loss(p):
            return run(made(p), StateVector.zeros(2)).probabilities()[0, 0]

        return str(jax.make_jaxpr(jax.grad(loss))(params)).count("\n")

    assert size(20) == size(200)


def test_one_trace_serves_many_bindings():
    made = template(plain, parameters())
    traces = 0

    @jax.jit
    def first(params):
        nonlocal traces
        traces += 1
        return run(made(params), StateVector.zeros(2)).probabilities()[0, 0]

    values = {float(first(parameters() + shift)) for shift in np.linspace(0, 1, 20)}
    assert traces == 1 and len(values) == 20


def test_vmap_over_bindings_is_the_loop(x64):
    made = template(affine, parameters())
    batch = np.stack([parameters() + shift for shift in (0.0, 0.4, 1.0)])

    def vector(params):
        return run(made(params), StateVector.zeros(2)).vector()

    single = quick_jit(vector)
    one_by_one = np.stack([single(params) for params in batch])
    together = quick_jit(jax.vmap(vector))(batch)
    np.testing.assert_allclose(together, one_by_one, atol=1e-14)


def test_parameters_may_be_any_pytree(x64):
    def build(params):
        operations = [rx(params["start"], 0)]
        for a, b in zip(params["y"], params["z"], strict=True):
            operations += [ry(a, 0), rz(b, 1), cx(0, 1)]
        return Circuit(operations, 2)

    params = {"start": np.asarray(0.2), "y": np.ones(5), "z": np.arange(5.0)}
    actual = unitary_matrix(template(build, params)(params))
    np.testing.assert_allclose(actual, unitary_matrix(build(params)), atol=1e-14)


def test_shapes_and_structure_of_parameters_are_checked():
    made = template(plain, parameters(3))
    with pytest.raises(ValueError, match="`params` must have the structure"):
        made(parameters(4))
    with pytest.raises(ValueError, match="`params` must have the structure"):
        made([parameters(3)])


def test_a_builder_that_branches_on_values_is_refused():
    """Every probe must see the same operations: here each value gives its own wire."""

    def build(angles):
        return Circuit([rx(angles[0], int(angles[0] * 1e6) % 50)], 50)

    with pytest.raises(ValueError, match="`builder` must give the same operations"):
        template(build, np.zeros(1))
    with pytest.raises(TypeError, match="must return a Circuit"):
        template(lambda params: [h(0)], np.zeros(1))  # type: ignore[arg-type]


def test_float32_parameters_stay_float32():
    made = template(affine, parameters())
    bound = made(jnp.asarray(parameters(), jnp.float32))
    for leaf in jax.tree.leaves(bound):
        assert jnp.asarray(leaf).dtype == jnp.float32
