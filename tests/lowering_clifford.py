"""Cases of `tests.lowering`: stabilizer and sparse states, propagated observables."""

import contextlib
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from qjax import circuits, noise, plan, simulate
from qjax.circuits import Circuit, Conditional, Measure, Reset
from qjax.states import SparseState, StabilizerState, StateVector

KEY = jax.random.key(7)
S = np.diag([1, 1j])


def stabilizer(key: Any, strength: Any) -> Any:
    clifford = Circuit([circuits.h(0), circuits.cx(0, 1)], 2)
    errors = [noise.depolarizing(strength, 0), Measure(0), Reset(1)]
    errors += [Conditional(circuits.x(1), (0,), (1,))]
    assert plan.is_clifford(clifford) and plan.lower_clifford(clifford).length == 2
    state = simulate.run(clifford, StabilizerState.zeros(2))
    state = state.apply_matrix(S, (0,))
    with contextlib.suppress(TypeError):  # it only says what to use instead
        state.sample_kraus(key, S[None], (0,))
    return (
        simulate.trajectory(key, Circuit(errors, 2), state), state.measure(key, (0, 1)),
        state.probabilities((1, 0)), state.reduced((1,)), state.norm(),
        state.overlap(StabilizerState.basis((0, 1))), state.sample(key, 3),
        state.expect_paulis((1, 2), (3, 0)), state.to_vector(),
    )  # fmt: skip


def sparse(key: Any, angle: Any) -> Any:
    gates = [circuits.h(0), circuits.rx(angle, 1), circuits.cx(0, 1)]
    state = simulate.run(Circuit(gates, 2), SparseState.zeros(2, 4))
    other = SparseState.from_vector(StateVector.basis((0, 1)), 2)
    return (
        state.probabilities((1, 0)), state.reduced((1,)), state.norm(),
        state.overlap(other), state.sample(key, 3), state.num_terms(),
        state.expect_paulis((1, 2), (3, 0)), state.to_vector(),
    )  # fmt: skip


def propagated(key: Any, angle: Any) -> Any:
    del key
    circuit = Circuit([circuits.rx(angle, 0), circuits.cx(0, 1), circuits.t(1)], 2)
    first, rest = plan.clifford_prefix(circuit)
    state = simulate.run(first, StabilizerState.zeros(2))
    before = simulate.propagate(rest, circuits.pauli("YY", (0, 1)))
    return simulate.expectation(state, before)


CASES: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "stabilizer state": (stabilizer, (KEY, np.float32(0.2))),
    "sparse state": (sparse, (KEY, np.float32(0.2))),
    "propagated observable": (propagated, (KEY, np.float32(0.2))),
}
