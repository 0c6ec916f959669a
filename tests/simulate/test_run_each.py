"""A circuit for each state of a batch: against one state at a time."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qjax.circuits import Circuit, Measure, Repeat, cx, rx
from qjax.noise import depolarizing
from qjax.plan import turns as turns_module
from qjax.simulate import each, run, run_each
from qjax.states import StateBatch, StateVector
from tests import oracles, strategies
from tests.compiling import quick_jit
from tests.simulate import block_cases
from tests.simulate.block_cases import Case

BATCH = 3
WEIGHTS = np.random.default_rng(9).normal(size=2**6)
NARROW = [n for n in strategies.UNITARY_NAMES if strategies.step_size(n) <= 2]


def narrow(rng: np.random.Generator, num_wires: int, length: int) -> Case:
    steps = strategies.random_steps(rng, num_wires, length, NARROW)
    few = [step for step in steps if len(step.wires) <= 2]
    return block_cases.from_steps(few, num_wires)


def redrawn(build) -> list[Case]:
    """Cases of one structure with numbers of their own."""
    return [build(np.random.default_rng(seed)) for seed in range(BATCH)]


def random_gates(rng: np.random.Generator) -> Case:
    """Every gate on one or two wires: the same each time, but for its numbers."""
    case = narrow(np.random.default_rng(4), 4, 60)
    steps = []
    for step in case.steps:
        params = tuple(float(p) for p in rng.uniform(-3, 3, len(step.params)))
        array = step.array
        if array is not None:
            array = oracles.random_unitary(rng, len(array))
        replaced = (step.kind, step.name, step.wires, params, array, step.values)
        steps.append(block_cases.Step(*replaced))
    return block_cases.from_steps(steps, 4)


def repeats(rng: np.random.Generator) -> Case:
    """A loop in a loop, with gates around."""
    inner = block_cases.repeat([block_cases.layer(rng, 3) for _ in range(2)])
    body = block_cases.together(block_cases.layer(rng, 3), inner)
    loop = block_cases.repeat([body, body])
    return block_cases.together(loop, block_cases.layer(rng, 3))


def turns(rng: np.random.Generator) -> Case:
    """One-wire gates between permutations: the levels are on one wire each."""
    places, steps = np.random.default_rng(7), []
    for _ in range(40):
        first, second = (int(wire) for wire in places.permutation(4)[:2])
        name = str(places.choice(["ry", "rz", "h", "x", "cx", "swap"]))
        wires = (first, second) if name in ("cx", "swap") else (first,)
        params = rng.uniform(-3, 3, 1) if name in ("ry", "rz") else ()
        steps.append(block_cases.gate(name, *wires, params=params))
    return block_cases.from_steps(steps, 4)


def wide_gate(rng: np.random.Generator) -> Case:
    """On three wires: gate by gate."""
    array = oracles.random_unitary(rng, 8)
    wide = block_cases.Step("unitary", "unitary", (2, 0, 3), array=array)
    return block_cases.together(
        block_cases.layer(rng, 4), block_cases.from_steps([wide], 4)
    )


def one_wire(rng: np.random.Generator) -> Case:
    turn = block_cases.gate("ry", 0, params=rng.uniform(-3, 3, 1))
    return block_cases.from_steps([turn, block_cases.gate("h", 0)], 1)


def nothing(rng: np.random.Generator) -> Case:
    del rng
    return block_cases.from_steps([], 2)


BUILDS = [random_gates, repeats, turns, wide_gate, one_wire, nothing]


@pytest.mark.parametrize("build", BUILDS)
def test_every_state_has_its_own_circuit(build, x64):
    cases = redrawn(build)
    num_wires = cases[0].num_wires
    rows = np.stack(
        [
            oracles.random_state(np.random.default_rng(s), num_wires)
            for s in range(BATCH)
        ]
    )
    circuits = jax.tree.map(lambda *leaf: np.stack(leaf), *[c.circuit for c in cases])
    found = quick_jit(run_each)(circuits, StateBatch.from_amplitudes(jnp.asarray(rows)))
    expected = [
        strategies.oracle_vector(case.steps, row)
        for case, row in zip(cases, rows, strict=True)
    ]
    done = found.unstack().amplitudes.reshape(BATCH, -1)
    np.testing.assert_allclose(done, expected, atol=1e-13)


def test_the_comparison_sees_a_permutation_left_out(monkeypatch, x64):
    monkeypatch.setattr(
        turns_module, "_preimages", lambda moved, wires, n: np.arange(2**n)
    )
    jax.clear_caches()
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        test_every_state_has_its_own_circuit(turns, None)
    jax.clear_caches()


def test_the_gradient_is_that_of_one_state_at_a_time(x64):
    def build(angles):
        body = jax.vmap(lambda a: Circuit([rx(a, 0), rx(a * a, 1), cx(0, 5)], 6))
        return Circuit([Repeat(body(angles), 2), rx(angles[0], 1)], 6)

    def together(angles):
        final = run_each(jax.vmap(build)(angles), StateBatch.zeros(6, BATCH))
        return jnp.sum(final.probabilities().reshape(BATCH, -1) @ WEIGHTS)

    def apart(angles):
        def one(own):
            final = run(build(own), StateVector.zeros(6), method="gates")
            return final.probabilities().reshape(-1) @ WEIGHTS

        return jnp.sum(jax.vmap(one)(angles))

    angles = jnp.asarray(np.random.default_rng(1).uniform(-2, 2, (BATCH, 2)))
    # More rows than are written out at once.
    assert 2**5 > each._TERMS
    found, expected = (quick_jit(jax.grad(f))(angles) for f in (together, apart))
    np.testing.assert_allclose(found, expected, atol=1e-13)


def test_single_precision_follows_the_batch():
    circuits = jax.vmap(lambda a: Circuit([rx(a, 0)], 2))(jnp.zeros(4))
    assert run_each(circuits, StateBatch.zeros(2, 4)).dtype == np.complex64


MANY = jax.vmap(lambda angle: Circuit([rx(angle, 0)], 2))(np.zeros(4))


@pytest.mark.parametrize(
    "circuits,shape,message",
    [
        (MANY, (3, 4), "`batch` must have 2 wires, but is 3"),
        (MANY, (2, 5), "`circuits` must have leaves with a leading axis of length 5"),
        (
            Circuit([rx(0.1, 0)], 2),
            (2, 2),
            "`circuits` must have leaves with a leading",
        ),
    ],
)
def test_batches_that_do_not_fit_are_refused(circuits, shape, message):
    with pytest.raises(ValueError, match=message):
        run_each(circuits, StateBatch.zeros(*shape))


def noisy(p):
    return Circuit([depolarizing(p, 0)], 2)


def measured(p):
    return Circuit([rx(p, 0), Measure(0)], 2)


@pytest.mark.parametrize("build", [noisy, measured])
def test_what_is_random_is_refused(build):
    circuits = jax.vmap(build)(np.full(2, 0.1))
    with pytest.raises(TypeError, match=r"use `jax\.vmap` of `trajectory`"):
        run_each(circuits, StateBatch.zeros(2, 2))
