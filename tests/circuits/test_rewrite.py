"""Simplified circuits do the same, have fewer gates, and refuse what they cannot do."""

import itertools

import hypothesis
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qjax import circuits
from qjax.circuits import (
    GATES,
    Circuit,
    Conditional,
    Measure,
    Repeat,
    commute,
    controlled,
    cx,
    cz,
    drop_identities,
    fold_gates,
    h,
    hardware_efficient,
    merge_one_wire,
    rx,
    ry,
    rz,
    rzz,
    s,
    simplify,
    t,
    u3,
    unitary,
    unroll,
    x,
    z,
)
from tests import oracles, strategies
from tests.strategies import Step

WIRES = 3


def matrix_of(circuit: Circuit) -> np.ndarray:
    """By Kronecker products of the operations' own matrices."""
    whole = np.eye(2**circuit.num_wires, dtype=complex)
    for operation in unroll(circuit).operations:
        own = np.asarray(operation.matrix(), complex)  # type: ignore[attr-defined]
        whole = oracles.embed(own, operation.wires, circuit.num_wires) @ whole
    return whole


def gap(first: Circuit, second: Circuit) -> float:
    """Distance up to a global phase."""
    one, other = matrix_of(first), matrix_of(second)
    trace = np.trace(one.conj().T @ other)
    return float(np.abs(one * trace / abs(trace) - other).max())


def count(circuit: Circuit) -> int:
    return circuit.resources().num_operations


NAMES = ["h", "x", "z", "s", "t", "sdg", "rx", "rz", "cx", "cz", "swap", "rzz", "u3"]
random_circuits = strategies.steps(WIRES, NAMES, max_length=14)


@pytest.mark.x64
@hypothesis.given(random_circuits)
def test_random_circuits_do_the_same_with_no_more_gates(steps: list[Step]):
    circuit = strategies.build(steps, WIRES)
    for rewrite in (fold_gates, merge_one_wire, drop_identities, simplify):
        short = rewrite(circuit)
        assert gap(circuit, short) < 1e-9
        assert count(short) <= count(circuit)


@pytest.mark.x64
def test_commute_says_what_the_matrices_say():
    rng = np.random.default_rng(0)
    names = [name for name in sorted(GATES) if GATES[name].num_wires <= 2]
    seen = {True: 0, False: 0}
    for first, second in itertools.product(names, repeat=2):
        ops = []
        for name in (first, second):
            spec = GATES[name]
            wires = tuple(int(w) for w in rng.permutation(WIRES)[: spec.num_wires])
            angles = rng.uniform(0.3, 1.2, spec.num_params)
            ops.append(circuits.Gate(jnp.asarray(angles), wires, spec))
        one, other = (matrix_of(Circuit([op], WIRES)) for op in ops)
        expected = np.abs(one @ other - other @ one).max() < 1e-9
        assert commute(*ops) == expected
        seen[expected] += 1
    assert min(seen.values()) > 50


def test_controls_and_what_is_not_known():
    assert commute(controlled(rx(0.3, 2), (0, 1)), rz(0.1, 1))
    assert commute(controlled(rx(0.3, 2), 0), cx(1, 2))
    assert not commute(controlled(rx(0.3, 2), 0), x(0))
    matrix = unitary(np.eye(2, dtype=complex), 0)
    assert commute(matrix, h(1)) and not commute(matrix, z(0))
    assert not commute(Measure((0,)), Measure((1,)))
    assert commute(Measure((0,)), x(1)) and not commute(Measure((0,)), z(0))
    assert not commute(Conditional(x(1), (-1,), (1,)), Measure((0,)))


def test_a_circuit_and_its_inverse_are_nothing(key):
    circuit = unroll(hardware_efficient(jax.random.normal(key, (3, 4, 2))))
    assert count(simplify(circuit + circuit.inverse())) == 0


def test_merged_turns_about_one_axis_are_named_and_move_on():
    # H RX H is a turn about Z, which commutes with the control.
    turned = [cx(0, 1), h(0), rx(0.3, 0), h(0), cx(0, 1)]
    (left,) = simplify(Circuit(turned, 2)).operations
    assert left.name == "RZ" and left.wires == (0,)


def test_known_simplifications():
    for long, short in (
        ([h(0), h(0)], 0),
        ([s(0), s(0), z(0)], 0),
        ([t(0), t(0)], 1),
        ([cx(0, 1), cx(0, 1)], 0),
        ([cx(0, 1), cx(1, 0)], 2),
        ([cz(0, 1), cz(1, 0)], 0),
        ([cx(0, 1), rz(0.3, 0), rx(0.2, 1), cx(0, 1)], 2),
        ([cx(0, 1), rx(0.3, 0), cx(0, 1)], 3),
        ([rzz(0.3, 0, 1), rzz(0.2, 1, 0)], 1),
        ([cx(0, 1), cx(2, 1), cx(0, 1)], 1),
        ([controlled(rx(0.1, 2), (0, 1)), controlled(rx(0.2, 2), (0, 1))], 1),
        ([rx(0.1, 0), ry(0.1, 0)], 2),
        ([x(0), Measure((0,)), x(0)], 3),
    ):
        assert count(fold_gates(Circuit(long, WIRES))) == short


def test_folding_runs_under_jit_and_in_repeated_layers(key):
    def builder(angles):
        turns = [rz(angles[0], 0), cx(0, 1), rz(angles[1], 0), rx(angles[2], 1)]
        return Circuit([*turns, cx(0, 1)], 2)

    angles = jax.random.normal(key, (4, 3))
    circuit = Circuit([Repeat(jax.vmap(builder)(angles), 4)], 2)
    assert count(circuit) == 20 and count(fold_gates(circuit)) == 8

    @jax.jit
    def summed(values):
        (first, *_) = fold_gates(builder(values)).operations
        return first.params  # type: ignore[attr-defined]

    np.testing.assert_allclose(summed(angles[0]), angles[0, :1] + angles[0, 1:2])


@pytest.mark.x64
def test_special_turns_merge_right():
    for theta, phi, lam in itertools.product(
        (0.0, np.pi / 2, np.pi, 2.5, 6.0), repeat=3
    ):
        run = [u3(theta, phi, lam, 0), rz(0.0, 0)]
        circuit = Circuit(run, 1)
        merged = merge_one_wire(circuit)
        assert count(merged) == 1 and gap(circuit, merged) < 1e-9


def test_small_angles_are_dropped_and_the_error_is_bounded():
    angles = np.full((3, 2, 2), 0.5)
    angles[1] = 1e-7
    circuit = unroll(hardware_efficient(angles))
    short = drop_identities(circuit, 1e-6)
    assert count(short) == count(circuit) - 4
    assert gap(circuit, short) < 4e-6
    in_layers = Circuit([Repeat(jax.vmap(_two_turns)(jnp.zeros((5, 2))), 5)], 1)
    assert count(drop_identities(in_layers)) == 0
    mixed = Circuit([Repeat(jax.vmap(_two_turns)(jnp.eye(5)[:, :2]), 5)], 1)
    assert count(drop_identities(mixed)) == 10
    # A phase under a control is no global one.
    half = controlled(rz(2 * np.pi, 1), 0)
    assert count(drop_identities(Circuit([half], 2))) == 1
    assert count(drop_identities(Circuit([rz(2 * np.pi, 0)], 2))) == 0


def _two_turns(angles):
    return Circuit([rx(angles[0], 0), rz(angles[1], 0)], 1)


def test_bad_input_is_named():
    circuit = Circuit([rx(0.1, 0)], 1)
    with pytest.raises(ValueError, match="`tolerance` must be at least 0, but is -1"):
        simplify(circuit, -1.0)
    with pytest.raises(TypeError, match="must hold concrete numbers, but is traced"):
        jax.jit(lambda a: drop_identities(Circuit([rx(a, 0)], 1)))(0.1)
