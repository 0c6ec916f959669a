"""The metric of a circuit: equal to the general one on whatever a builder may do."""

import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import Any

import hypothesis
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

from qjax import circuits
from qjax.circuits import Circuit, Repeat, hardware_efficient, template
from qjax.geometry import circuit_metric, metric_tensor
from qjax.geometry.parts import columns_of, halves, leaves_of, parts_of, with_sites
from qjax.geometry.stages import split
from qjax.geometry.words import MAX_WORDS, generator, moved
from qjax.noise import depolarizing
from qjax.optim import scale_by_metric
from qjax.simulate import run
from qjax.states import StateVector
from tests import oracles, strategies
from tests.compiling import quick_jit
from tests.strategies import Step, build_step

Builder = Callable[[Any], Circuit]


def general(
    builder: Builder, params: Any, state: StateVector | None = None
) -> np.ndarray:
    """The oracle: `metric_tensor` of the circuit run gate by gate."""

    def final(values: Any) -> StateVector:
        circuit = builder(values)
        dtype = np.result_type(ravel_pytree(params)[0].dtype, np.complex64)
        start = StateVector.zeros(circuit.num_wires, dtype) if state is None else state
        return run(circuit, start, method="gates")

    return np.asarray(quick_jit(lambda p: metric_tensor(final, p))(params))


def fast(builder: Builder, params: Any, state: StateVector | None = None) -> np.ndarray:
    return np.asarray(quick_jit(lambda p: circuit_metric(builder, p, state))(params))


def random_state(rng: np.random.Generator, num_wires: int, dtype: Any) -> StateVector:
    vector = rng.normal(size=(2, 2**num_wires))
    joined = (vector[0] + 1j * vector[1]) / np.linalg.norm(vector)
    return StateVector(jnp.asarray(joined, dtype).reshape((2,) * num_wires))


# --- random circuits ------------------------------------------------------------------


def random_angle(rng: np.random.Generator, params: Any) -> jax.Array:
    """A number, a parameter, a scaled and shifted one, or a product of two."""
    first, second = (params["a"][i] for i in rng.integers(0, 3, 2))
    scale, shift = rng.choice([-1, 0.5, 2]), rng.uniform(-1, 1)
    layered = params["b"][0][rng.integers(0, 2)]
    kinds = [shift + 0 * first, first, scale * second + shift, layered]
    return [*kinds, first * second][rng.choice(5, p=[0.15, 0.4, 0.2, 0.2, 0.05])]


def turned(steps: Sequence[Step], angle: Callable[[], Any]) -> list[Any]:
    """The steps' operations with other angles."""
    replaced = (
        dataclasses.replace(step, params=tuple(angle() for _ in step.params))
        for step in steps
    )
    return [build_step(step) for step in replaced]


@dataclasses.dataclass(frozen=True)
class RandomBuilder:
    """Gates, a Repeat, and gates, whose angles share a few parameters."""

    num_wires: int
    parts: tuple[list[Step], ...]
    depth: int
    seed: int

    def __call__(self, params: Any) -> Circuit:
        rng = np.random.default_rng(self.seed)
        before, body, after = self.parts
        operations = turned(before, lambda: random_angle(rng, params))
        count = sum(len(step.params) for step in body)
        if body:
            values = jnp.stack(
                [random_angle(rng, params) for _ in range(self.depth * count)]
                or [params["a"][0]] * self.depth
            ).reshape(self.depth, -1)

            def layer(row: jax.Array) -> Circuit:
                entries = iter(row)
                return Circuit(turned(body, lambda: next(entries)), self.num_wires)

            operations.append(Repeat(jax.vmap(layer)(values), self.depth))
        operations += turned(after, lambda: random_angle(rng, params))
        return Circuit(operations, self.num_wires)


@st.composite
def builders(draw: st.DrawFn, max_wires: int = 4, length: int = 5) -> RandomBuilder:
    num_wires = draw(st.integers(1, max_wires))
    names = strategies.UNITARY_NAMES
    parts = tuple(draw(strategies.steps(num_wires, names, length)) for _ in range(3))
    depth, seed = draw(st.integers(1, 6)), draw(st.integers(0, 2**16))
    return RandomBuilder(num_wires, parts, depth, seed)


def check_random(builder: RandomBuilder, real: Any, tolerance: float) -> None:
    rng = np.random.default_rng(builder.seed)
    params = {"a": rng.normal(size=3), "b": [rng.normal(size=2)]}
    params = jax.tree.map(lambda leaf: jnp.asarray(leaf, real), params)
    dtype = np.result_type(real, np.complex64)
    state = random_state(rng, builder.num_wires, dtype) if rng.integers(2) else None
    metric = fast(builder, params, state)
    assert metric.dtype == real
    expected = general(builder, params, state)
    scale = max(1.0, abs(expected).max())
    np.testing.assert_allclose(metric, expected, rtol=0, atol=tolerance * scale)


@pytest.mark.x64
@hypothesis.settings(max_examples=5)
@hypothesis.given(builders(3, 3))
def test_it_is_the_general_metric_on_random_circuits(builder):
    check_random(builder, np.float64, 1e-10)


@hypothesis.settings(max_examples=2)
@hypothesis.given(builders(3, 3))
def test_it_is_the_general_metric_in_single_precision(builder):
    check_random(builder, np.float32, 1e-5)


@pytest.mark.slow
@pytest.mark.x64
@hypothesis.settings(max_examples=100)
@hypothesis.given(builders())
def test_it_is_the_general_metric_on_many_random_circuits(builder):
    check_random(builder, np.float64, 1e-10)


# --- builders of other kinds ----------------------------------------------------------


@pytest.mark.x64
@pytest.mark.parametrize("depth", [1, 3, 11])
def test_it_is_the_oracles_metric_at_any_depth(depth, key):
    """Depths at which halves are empty, single layers, and loops of uneven lengths."""
    shape = (depth, 2, 2)
    params = jax.random.normal(key, shape)

    def vector(flat: np.ndarray) -> np.ndarray:
        state = oracles.zero_state(2)
        for layer in flat.reshape(shape):
            for position, name in enumerate(("ry", "rz")):
                for wire in range(2):
                    gate = oracles.gate(name, layer[wire, position])
                    state = oracles.embed(gate, (wire,), 2) @ state
            state = oracles.embed(oracles.gate("cx"), (0, 1), 2) @ state
        return state

    metric = fast(hardware_efficient, params)
    expected = oracles.metric_tensor(vector, np.asarray(params).reshape(-1))
    np.testing.assert_allclose(metric, expected, atol=1e-9)
    np.testing.assert_allclose(metric, general(hardware_efficient, params), atol=1e-10)


def loop_built(params: jax.Array) -> Circuit:
    operations = [circuits.h(0)]
    for turn, mix in params:
        operations += [circuits.rzz(turn, 0, 1), circuits.rzz(turn, 1, 2)]
        operations += [circuits.rx(2 * mix, wire) for wire in range(3)]
    return Circuit(operations, 3)


def test_a_template_is_a_builder(key):
    params = jax.random.normal(key, (6, 2))
    rolled = template(loop_built, params)
    expected = general(loop_built, params)
    np.testing.assert_allclose(fast(rolled, params), expected, atol=1e-4)


def sited(builder: Builder, params: Any) -> list[Any]:
    """Parts of a circuit, each angle a parameter of its own by `jacobian`."""
    parts = parts_of(builder(params))
    flat, unravel = ravel_pytree(params)

    def angles(x: jax.Array) -> jax.Array:
        return jnp.concatenate(leaves_of(parts_of(builder(unravel(x))))[0])

    jacobian = np.asarray(jax.jacfwd(angles)(flat))
    return with_sites(parts, [True] * len(leaves_of(parts)[0]), jacobian)


def test_gates_that_turn_together_are_one_column(key):
    params = jax.random.normal(key, (4, 2))
    (part,) = sited(template(loop_built, params), params)[1:]
    found = columns_of(part, part.sites)
    assert [len(group) for group in found.groups] == [2, 3]
    assert [weight for _, weight in found.groups[1]] == [2.0] * 3


def test_a_layer_of_the_ansatz_is_one_stage_and_the_cut_is_in_the_middle(key):
    params = jax.random.normal(key, (6, 4, 2))
    parts = sited(hardware_efficient, params)
    operations, sites = parts[0].body.operations, frozenset(parts[0].sites)
    for backwards in (False, True):
        staging = split(operations, sites, 4, backwards)
        assert len(staging.stages) == 1
        assert sorted(staging.sites(backwards)) == sorted(sites)
    first, second = halves(parts)
    assert [part.depth for part in (*first, *second)] == [3, 3]


def test_angles_from_outside_may_be_traced(key):
    """Weights and inputs of a builder may belong to an enclosing vmap or grad."""
    inputs = jax.random.normal(key, (3, 2))
    params = jax.random.normal(jax.random.fold_in(key, 1), (2, 2))

    def builder(row: jax.Array, p: jax.Array) -> Circuit:
        encode = [circuits.rx(row[w], w) for w in range(2)]
        turns = [circuits.ry(p[0, w] * row[w], w) for w in range(2)]
        turns += [circuits.cx(0, 1), circuits.rz(p[1, 0], 1), circuits.ry(p[1, 1], 1)]
        return Circuit(encode + turns, 2)

    def metric(row: jax.Array) -> jax.Array:
        return circuit_metric(functools.partial(builder, row), params)

    many = quick_jit(jax.vmap(metric))(inputs)
    for row, one in zip(inputs, many, strict=True):
        expected = general(functools.partial(builder, row), params)
        np.testing.assert_allclose(one, expected, atol=1e-5)


@pytest.mark.x64
def test_a_matrix_that_moves_takes_the_general_way(key):
    """No angle, no generator: derivatives of any operation are still right."""
    drawn = oracles.random_unitary(np.random.default_rng(3), 4)
    hermitian = drawn + drawn.conj().T

    def builder(p: jax.Array) -> Circuit:
        scale = jax.lax.complex(0 * p[0], -p[0])
        moving = jax.scipy.linalg.expm(scale * jnp.asarray(hermitian))
        turn = circuits.controlled(circuits.u3(p[1], p[2], 0.3 * p[0], 0), 2)
        return Circuit([circuits.h(2), turn, circuits.Unitary(moving, (0, 1))], 3)

    params = jax.random.normal(key, (3,))
    np.testing.assert_allclose(
        fast(builder, params), general(builder, params), atol=1e-10
    )


def test_parameters_without_effect_have_zero_rows(key):
    def builder(p: dict[str, jax.Array]) -> Circuit:
        return Circuit([circuits.ry(p["used"], 0), circuits.cx(0, 1)], 2)

    params = {"a": jnp.ones(2), "used": jnp.asarray(0.3), "z": jnp.ones(1)}
    expected = np.zeros((4, 4))
    expected[2, 2] = 0.25
    np.testing.assert_allclose(fast(builder, params), expected, atol=1e-6)
    idle = fast(lambda p: Circuit([circuits.h(0)], 1), jnp.ones(3))
    np.testing.assert_array_equal(idle, np.zeros((3, 3)))


# --- transforms -----------------------------------------------------------------------


@pytest.mark.x64
def test_jit_vmap_and_grad(key):
    params = jax.random.normal(key, (2, 2, 2, 1))

    def metric(p: jax.Array) -> jax.Array:
        return circuit_metric(lambda q: hardware_efficient(q, "Y"), p)

    def slow(p: jax.Array) -> jax.Array:
        zeros = StateVector.zeros(2)
        return metric_tensor(lambda q: run(hardware_efficient(q, "Y"), zeros), p)

    many = quick_jit(jax.vmap(metric))(params)
    for one, row in zip(many, params, strict=True):
        np.testing.assert_allclose(one, metric(row), atol=1e-12)
    weights = jnp.arange(16.0).reshape(4, 4)
    slope, expected = (
        quick_jit(jax.grad(lambda p, f=f: jnp.sum(weights * f(p))))(params[0])
        for f in (metric, slow)
    )
    np.testing.assert_allclose(slope, expected, atol=1e-10)


@pytest.mark.x64
def test_the_state_decides_the_precision_and_the_parameters_the_result(key):
    params = jax.random.normal(key, (2, 2, 2))
    exact = fast(hardware_efficient, params, StateVector.zeros(2, jnp.complex64))
    assert exact.dtype == np.float64
    narrow = params.astype(jnp.float32)
    for dtype in (jnp.complex64, jnp.complex128):
        zeros = StateVector.zeros(2, dtype)
        metric = fast(hardware_efficient, narrow, zeros)
        assert metric.dtype == np.float32
        np.testing.assert_allclose(metric, exact, atol=1e-5)


def test_programs_do_not_grow_with_depth():
    def size(depth: int) -> int:
        def metric(p: jax.Array) -> jax.Array:
            return circuit_metric(lambda q: hardware_efficient(q, "Y"), p)

        return len(str(jax.make_jaxpr(metric)(jnp.zeros((depth, 2, 1)))))

    # Only numbers in the text, such as shapes and constants shown, may become longer.
    assert size(200) < 1.1 * size(20)


def test_the_natural_gradient_takes_it(key):
    params = {"angles": jax.random.normal(key, (2, 2, 2))}

    def builder(p: dict[str, jax.Array]) -> Circuit:
        return hardware_efficient(p["angles"])

    def step(metric_fn: Callable[..., jax.Array]) -> Any:
        transform = scale_by_metric(metric_fn, 0.1)
        slope = jax.tree.map(jnp.cos, params)
        return quick_jit(
            lambda: transform.update(slope, transform.init(params), params)
        )()

    found, _ = step(functools.partial(circuit_metric, builder))
    expected, _ = step(
        lambda p: metric_tensor(lambda q: run(builder(q), StateVector.zeros(2)), p)
    )
    np.testing.assert_allclose(found["angles"], expected["angles"], atol=1e-4)


# --- words ----------------------------------------------------------------------------


def dense(words: dict[tuple[int, int], complex], num_wires: int) -> np.ndarray:
    total = np.zeros((2**num_wires,) * 2, complex)
    for (x, z), coefficient in words.items():
        for b in range(2**num_wires):
            total[b, b ^ x] += coefficient * (-1) ** (z & b).bit_count()
    return total


@hypothesis.given(strategies.wired_steps(strategies.UNITARY_NAMES, 3, 6))
def test_words_are_generators_and_move_through_operations(drawn):
    num_wires, steps = drawn
    operations = [build_step(step) for step in steps]
    matrices = [
        oracles.embed(strategies.matrix(step), step.wires, num_wires) for step in steps
    ]
    for operation, matrix, step in zip(operations, matrices, steps, strict=True):
        words = generator(operation, num_wires)
        if words is None:
            continue
        angle = step.params[0]
        turned = oracles.exponential(dense(words, num_wires), angle)
        # Up to the phase of the identity's part of the generator.
        overlap = np.trace(turned.conj().T @ matrix) / len(matrix)
        np.testing.assert_allclose(abs(overlap), 1, atol=1e-9)
        for other, conjugation in zip(operations, matrices, strict=True):
            for forwards in (True, False):
                image = moved(words, other, num_wires, forwards=forwards)
                if image is None:
                    continue
                assert len(image) <= max(MAX_WORDS, len(words))
                left = conjugation if forwards else conjugation.conj().T
                expected = left @ dense(words, num_wires) @ left.conj().T
                np.testing.assert_allclose(dense(image, num_wires), expected, atol=1e-9)


# --- bad input ------------------------------------------------------------------------


def test_bad_arguments():
    def noisy(p: jax.Array) -> Circuit:
        return Circuit([circuits.ry(p, 0), depolarizing(0.1, 0)], 1)

    def loop(p: jax.Array) -> Circuit:
        return Circuit([Repeat(jax.vmap(noisy)(jnp.stack([p, p])), 2)], 1)

    angle = jnp.asarray(0.3)
    for builder in (noisy, loop):
        with pytest.raises(TypeError, match="`builder` must return a unitary circuit"):
            circuit_metric(builder, angle)
    with pytest.raises(Exception, match=r"`builder` must return a Circuit|type"):
        circuit_metric(lambda p: p, angle)  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="`state` must have 2 wires, but is 3"):
        circuit_metric(hardware_efficient, jnp.ones((1, 2, 2)), StateVector.zeros(3))
