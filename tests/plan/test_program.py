"""Programs: structure without numbers, compiled once, flat in depth."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.extend.core import jaxprs_in_params

from qjax.circuits import Circuit, Repeat, cx, hardware_efficient, ry, rz, template
from qjax.plan import Layout, default_cost_model, plan, program_matrices
from qjax.plan.program import Stage
from qjax.simulate import fused, run
from qjax.states import DensityMatrix, StateVector
from tests.compiling import quick_jit

COST = default_cost_model()


def layered(num_wires: int, depth: int, angle: float = 0.3) -> Circuit:
    return hardware_efficient(jnp.full((depth, num_wires, 2), angle))


def scattered(seed: int, num_wires: int, num_pairs: int) -> Circuit:
    """Two-wire gates on random pairs, with rotations between."""
    rng = np.random.default_rng(seed)
    operations = []
    for _ in range(num_pairs):
        a, b = (int(wire) for wire in rng.permutation(num_wires)[:2])
        turn, twist = rng.uniform(-3, 3, 2).astype(np.float32)
        operations += [ry(turn, a), rz(twist, b), cx(a, b)]
    return Circuit(operations, num_wires)


def count_equations(circuit, state, **options) -> int:
    """Equations of the traced program, those of inner programs included."""

    def go(circuit, state):
        return run(circuit, state, method="blocks", **options)

    return _count(jax.make_jaxpr(go)(circuit, state).jaxpr)


def _count(jaxpr) -> int:
    inner = (
        sub for equation in jaxpr.eqns for sub in jaxprs_in_params(equation.params)
    )
    return len(jaxpr.eqns) + sum(_count(sub) for sub in inner)


# --- structure ------------------------------------------------------------------------


def test_a_program_names_the_stages_and_loops_of_a_circuit():
    inner = Repeat(jax.vmap(lambda a: Circuit([ry(a, 0)], 2))(jnp.zeros(2)), 2)

    def body(angles):
        twice = Repeat(jax.vmap(lambda a: Circuit([ry(a, 0)], 2))(angles), 2)
        return Circuit([cx(0, 1), twice, rz(angles[0], 1)], 2)

    outer = Repeat(jax.vmap(body)(jnp.zeros((3, 2))), 3)
    circuit = Circuit([ry(0.1, 0), cx(0, 1), outer, inner, ry(0.2, 1)], 2)

    def outline(program):
        return [
            (part.first, part.count)
            if isinstance(part, Stage)
            else (part.position, part.depth, outline(part.body))
            for part in program.parts
        ]

    looped = (2, 3, [(0, 1), (1, 2, [(0, 1)]), (2, 1)])
    assert outline(plan(circuit, Layout(2), COST)) == [
        (0, 2), looped, (3, 2, [(0, 1)]), (4, 1)
    ]  # fmt: skip
    assert plan(Circuit([], 2), Layout(2), COST).parts == ()


def test_a_program_depends_on_structure_only():
    """Not on angles, on whether they are traced, or on the precision of JAX."""
    programs = [plan(scattered(1, 6, 30), Layout(6), COST)]
    with jax.enable_x64(True):
        programs.append(plan(scattered(1, 6, 30), Layout(6), COST))

    @jax.jit
    def traced(circuit):
        programs.append(plan(circuit, Layout(6), COST))

    rotated = jax.tree.map(lambda angle: angle + 1, scattered(1, 6, 30))
    traced(rotated)
    assert len({hash(program) for program in programs}) == 1
    assert programs[1] == programs[0] == programs[2]
    assert plan(scattered(2, 6, 30), Layout(6), COST) != programs[0]


def test_matrices_of_a_program_are_orthogonal(x64):
    circuit = scattered(3, 5, 20) + layered(5, 3)
    program = plan(circuit, Layout(5), COST)
    matrices = quick_jit(lambda c: program_matrices(program, c, np.dtype(float)))(
        circuit
    )
    assert len(jax.tree.leaves(matrices)) > 3
    for matrix in jax.tree.leaves(matrices):
        product = matrix @ jnp.swapaxes(matrix, -1, -2)
        identity = np.broadcast_to(np.eye(matrix.shape[-1]), product.shape)
        np.testing.assert_allclose(product, identity, atol=1e-6)  # float32 angles


# --- compile time ---------------------------------------------------------------------


@pytest.mark.parametrize("gradient", ["reverse", "remat", "adjoint"])
@pytest.mark.parametrize("kind", [StateVector, DensityMatrix])
def test_the_traced_program_is_flat_in_depth(kind, gradient):
    state = kind.zeros(4)
    few, many = (
        count_equations(layered(4, depth), state, gradient=gradient)
        for depth in (10, 200)
    )
    assert few == many


def test_the_gradient_of_the_traced_program_is_flat_in_depth():
    def equations(depth, gradient):
        def value(params):
            state = StateVector.zeros(4)
            circuit = hardware_efficient(params)
            final = run(circuit, state, method="blocks", gradient=gradient)
            return final.amplitudes[0, 0, 0, 0].real

        return _count(jax.make_jaxpr(jax.grad(value))(jnp.zeros((depth, 4, 2))).jaxpr)

    for gradient in ("reverse", "remat", "adjoint"):
        assert equations(10, gradient) == equations(200, gradient)


def test_layers_of_a_plain_loop_are_rolled_by_template():
    """A circuit built without Repeat compiles as fast, once its structure is found."""

    def build(params):
        operations = []
        for layer in params:
            operations += [ry(angle, wire) for wire, angle in enumerate(layer)]
            operations += [cx(wire, wire + 1) for wire in range(3)]
        return Circuit(operations, 4)

    state = StateVector.zeros(4)

    def equations(depth):
        bound = template(build, np.zeros((depth, 4)))
        go = jax.make_jaxpr(lambda p: run(bound(p), state, method="blocks"))
        return _count(go(jnp.zeros((depth, 4))).jaxpr)

    assert equations(12) == equations(48)


def test_the_traced_program_grows_far_less_than_the_gates():
    state = StateVector.zeros(12)
    circuits = [scattered(4, 12, count) for count in (10, 100)]
    few, many = (count_equations(circuit, state) for circuit in circuits)
    assert many < 4 * few
    go = jax.make_jaxpr(lambda circuit: run(circuit, state, method="gates"))
    by_gate = [_count(go(circuit).jaxpr) for circuit in circuits]
    assert by_gate[1] == 10 * by_gate[0]  # so the measure sees growth
    assert many < by_gate[1] / 2


def test_one_trace_when_only_angles_change(monkeypatch):
    traces = []

    def counted(*arguments):
        traces.append(arguments)
        return plan(*arguments)

    monkeypatch.setattr(fused, "plan", counted)
    jax.clear_caches()
    for angle in (0.1, 0.2, 0.3):
        run(layered(5, 2, angle), StateVector.zeros(5), method="blocks")
    first = len(traces)
    assert first == 1
    run(layered(5, 3), StateVector.zeros(5), method="blocks")
    assert len(traces) == 2  # another depth is another program


def test_an_equal_cost_model_of_its_own_does_not_retrace(monkeypatch):
    traces = []
    monkeypatch.setattr(fused, "plan", lambda *a: (traces.append(a), plan(*a))[1])
    jax.clear_caches()
    for _ in range(2):
        model = eqx.tree_at(lambda m: m, COST, COST)
        run(layered(3, 2), StateVector.zeros(3), method="blocks", cost_model=model)
    assert len(traces) == 1
