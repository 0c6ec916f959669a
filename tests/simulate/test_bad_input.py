"""What cannot be done is refused before it starts; one sentence says what can."""

import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qjax._memory import memory_limit
from qjax.circuits import (
    Circuit,
    Conditional,
    Hermitian,
    Measure,
    Projector,
    Repeat,
    Reset,
    h,
    hardware_efficient,
    pauli,
    rx,
    ry,
    unitary,
    x,
)
from qjax.gradients import parameter_shift
from qjax.noise import depolarizing
from qjax.simulate import (
    average_trajectories,
    expectation,
    predict_bytes,
    run,
    trajectory,
    unitary_matrix,
)
from qjax.states import DensityMatrix, PauliDensity, StateBatch, StateVector

GIB = 2**30
LAYERS = hardware_efficient(np.full((20, 10, 2), 0.3, np.float32))
VECTOR = StateVector.zeros(10)
NOISY = Circuit([h(0), depolarizing(0.1, 0)], 2)
NOISY_LAYER = Circuit([op for q in range(5) for op in (h(q), depolarizing(0.1, q))], 5)
NOISY_LAYERS = Circuit(
    [Repeat(jax.tree.map(lambda leaf: np.stack([leaf] * 20), NOISY_LAYER), 20)], 5
)
MIXED = PauliDensity.zeros(5)
RANDOM = {
    "channel": NOISY,
    "measurement": Circuit([Measure(0)], 2),
    "reset": Circuit([Reset(0)], 2),
}


def refuse(kind: type[Exception], action, *parts: str) -> str:
    """Check that an error is one sentence with all the parts."""
    with pytest.raises(kind) as error:
        action()
    text = str(error.value)
    assert "\n" not in text and text.endswith(".")
    for part in parts:
        assert part in text, text
    return text


# --- too large for memory: states are in tests/test_memory.py -------------------------


@pytest.mark.parametrize(
    ("asked", "named"),
    [("reverse", "adjoint"), ("remat", "adjoint"), ("reverse", "remat")],
)
def test_a_gradient_method_that_does_not_fit_names_one_that_does(asked, named):
    circuit, state = (LAYERS, VECTOR) if named == "adjoint" else (NOISY_LAYERS, MIXED)

    def differentiate(gradient):
        return run(circuit, state, gradient=gradient)

    need = predict_bytes(circuit, state, gradient=named)
    assert need < predict_bytes(circuit, state, gradient=asked)
    with memory_limit(need):
        refuse(
            ValueError,
            lambda: differentiate(asked),
            f'of {state.num_wires} wires with gradient="{asked}" needs',
            "GiB of memory, but there is",
            f': use gradient="{named}".',
        )
        assert differentiate(named).num_wires == state.num_wires
    assert differentiate(asked).num_wires == state.num_wires


def test_a_run_that_does_not_fit_is_refused_inside_jit_as_well():
    with memory_limit(2 * 8 * 2**10):
        state = StateVector.zeros(10)
        for action in (
            lambda: run(LAYERS, state),
            lambda: jax.jit(lambda s: run(LAYERS, s))(state),
            lambda: jax.grad(lambda a: run(rotated(a), state).norm())(jnp.float32(0.3)),
        ):
            refuse(ValueError, action, "`run` on a StateVector of 10 wires needs")


def rotated(angle) -> Circuit:
    return Circuit([ry(angle, 0)], 10)


def test_a_matrix_of_a_circuit_that_does_not_fit_is_refused():
    circuit = Circuit([h(0)], 20)
    refuse(
        ValueError,
        lambda: unitary_matrix(circuit),
        "`unitary_matrix` of 20 wires needs 32,768.0 GiB of memory",
        ": `run` the circuit on the states that matter.",
    )


def test_a_batch_that_does_not_fit_is_offered_chunks():
    batch = StateBatch.zeros(10, 100)
    with memory_limit(200 * 8 * 2**10):
        refuse(
            ValueError,
            lambda: run(LAYERS, batch),
            "`run` on a StateBatch of 100 states of 10 wires needs",
            "in chunks, as by `jax.lax.map(..., batch_size=...)`",
        )


def test_a_batch_of_trajectories_that_does_not_fit_is_refused(key):
    with memory_limit(2**20):
        refuse(
            ValueError,
            lambda: average_trajectories(
                key, NOISY, StateVector.zeros(2), pauli("Z", 0), 10**6, batch_size=10**6
            ),
            "A batch of 1000000 trajectories of 2 wires needs",
            "take a smaller `batch_size`",
        )


def test_a_mixed_state_that_does_not_fit_is_offered_trajectories():
    state = PauliDensity.zeros(6)
    circuit = Circuit([h(q) for q in range(6)], 6)
    with memory_limit(2 * 4 * 4**6):
        refuse(ValueError, lambda: run(circuit, state), "PauliDensity", "trajectories")


# --- randomness on a pure state -------------------------------------------------------


@pytest.mark.parametrize("name", RANDOM)
@pytest.mark.parametrize("method", ["auto", "gates", "blocks"])
@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "jit"])
def test_a_channel_on_a_pure_state_needs_a_trajectory(name, method, compiled):
    def final(state):
        return run(RANDOM[name], state, method=method)

    refuse(
        TypeError,
        lambda: (jax.jit(final) if compiled else final)(StateVector.zeros(2)),
        "`circuit` must be unitary for `run` on a StateVector",
        f"has {RANDOM[name].operations[-1].name};",
        "use `trajectory`, or a mixed state",
    )


def test_what_is_named_instead_works(key):
    final, _ = trajectory(key, NOISY, StateVector.zeros(2))
    assert final.num_wires == 2
    assert run(NOISY, DensityMatrix.zeros(2)).num_wires == 2


@pytest.mark.parametrize("method", ["auto", "gates", "blocks"])
def test_a_channel_on_a_batch_needs_a_trajectory(method):
    refuse(
        TypeError,
        lambda: run(NOISY, StateBatch.zeros(2, 3), method=method),
        "has Depolarizing",
        "use `trajectory`",
    )


# --- observables that do not fit ------------------------------------------------------


@pytest.mark.parametrize("kind", [StateVector, DensityMatrix, PauliDensity, StateBatch])
@pytest.mark.parametrize(
    ("observable", "wires"),
    [
        (pauli("Z", 5), "(5,)"),
        ([pauli("Z", 0), pauli("ZZ", (0, 7))], "(0, 7)"),
        (Projector((0, 1), (0, 3)), "(0, 3)"),
        (Hermitian(np.eye(4, dtype=complex), (2, 3)), "(2, 3)"),
    ],
)
def test_an_observable_beyond_the_wires(kind, observable, wires):
    state = kind.zeros(3, 2) if kind is StateBatch else kind.zeros(3)
    for action in (
        lambda: expectation(state, observable),
        lambda: jax.jit(lambda s: expectation(s, observable))(state),
    ):
        rule = "`observable.wires` must lie in [0, 3)"
        refuse(ValueError, action, rule, f"but is {wires}")


def test_no_observable_at_all():
    nothing = "`observable` must hold at least one observable"
    refuse(ValueError, lambda: expectation(StateVector.zeros(3), []), nothing)


def test_observables_that_do_not_fit_their_own_wires():
    refuse(
        ValueError,
        lambda: Hermitian(np.eye(4, dtype=complex), (2,)),
        "shape (2, 2) on 1 wires",
    )
    refuse(ValueError, lambda: Projector((0, 1), (2,)), "`bits` must have 1 entries")
    refuse(ValueError, lambda: pauli("ZZ", (2,)), "`letters` must be 1 of")


# --- gradient methods that an operation does not take ---------------------------------


@pytest.mark.parametrize("name", RANDOM)
@pytest.mark.parametrize("kind", [PauliDensity, DensityMatrix])
def test_the_adjoint_of_noise_names_the_methods_that_work(name, kind):
    state = kind.zeros(2)
    refuse(
        ValueError,
        lambda: run(RANDOM[name], state, gradient="adjoint"),
        '`gradient` must be "reverse" or "remat" for '
        + RANDOM[name].operations[-1].name,
        "which cannot be undone",
    )
    for method in ("reverse", "remat"):
        assert run(RANDOM[name], state, gradient=method).num_wires == 2


def test_the_adjoint_of_a_condition_names_the_methods_that_work():
    branching = Circuit([Measure(0), Conditional(x(1), (-1,), (1,))], 2)
    state = PauliDensity.zeros(2)
    refuse(
        ValueError,
        lambda: run(branching, state, gradient="adjoint"),
        '`gradient` must be "reverse" or "remat"',
    )
    assert run(branching, state, gradient="remat").num_wires == 2


def test_wrong_types_are_named_where_no_type_checker_runs():
    code = """
import numpy as np
from qjax.circuits import Circuit, h
from qjax.simulate import expectation, run
from qjax.states import StateVector
state = StateVector.zeros(3)
for action in (
    lambda: run(Circuit([h(0)], 3), state, gradient="magic"),
    lambda: expectation(state, np.eye(8)),
):
    try:
        action()
    except Exception as error:
        print(type(error).__name__, error)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == [
        "ValueError Argument `gradient` must be one of auto, reverse, remat, adjoint, "
        "but is 'magic'.",
        "TypeError Argument `observable` must be a PauliSum, Projector or Hermitian, "
        "but is ndarray.",
    ]


def test_a_shift_rule_that_is_missing_names_the_methods_that_work():
    def build(angle):
        return Circuit([unitary(rx(angle, 0).matrix(), 0)], 1)

    def value(circuit):
        return expectation(run(circuit, StateVector.zeros(1)), pauli("Z", 0))

    refuse(
        ValueError,
        lambda: parameter_shift(value, jnp.float32(0.3), circuit_fn=build),
        "`jax.grad`",
        "`spsa`",
    )


# --- states that cannot be normalised -------------------------------------------------

HOPELESS = {
    "zero": [0.0, 0.0, 0.0, 0.0],
    "not a number": [1.0, np.nan, 0.0, 0.0],
    "infinite": [np.inf, 0.0, 0.0, 0.0],
    "beyond float32": [1e300, 0.0, 0.0, 0.0],
    "below float32": [1e-300, 0.0, 0.0, 0.0],
}


@pytest.mark.parametrize("name", HOPELESS)
@pytest.mark.parametrize("kind", [StateVector, StateBatch])
def test_a_state_without_direction_is_refused(name, kind):
    row = np.asarray(HOPELESS[name])
    given = np.stack([[0.5] * 4, row]) if kind is StateBatch else row
    for normalize, rule in ((True, "positive norm, and finite"), (False, "norm")):
        with pytest.raises(ValueError, match=f"`amplitudes` must have .*{rule}"):
            kind.from_amplitudes(given, normalize=normalize)


@pytest.mark.parametrize("name", ["zero", "not a number", "infinite"])
def test_a_traced_state_without_direction_is_reported_at_run_time(name):
    given = jnp.asarray(HOPELESS[name], jnp.float32)

    @jax.jit
    def probabilities(row):
        return StateVector.from_amplitudes(row, normalize=True).probabilities()

    with pytest.raises(jax.errors.JaxRuntimeError, match="positive norm, and finite"):
        probabilities(given).block_until_ready()


@pytest.mark.parametrize("scale", [1e-37, 1e-25, 1.0, 1e25, 1e38])
def test_a_state_is_normalised_whatever_its_scale(scale):
    given = np.asarray([0.6, 0.0, 0.0, 0.8], np.float32) * np.float32(scale)
    expected = [0.36, 0, 0, 0.64]
    state = StateVector.from_amplitudes(given, normalize=True)
    np.testing.assert_allclose(state.probabilities().ravel(), expected, atol=1e-6)
    batch = StateBatch.from_amplitudes(given[None], normalize=True)
    np.testing.assert_allclose(batch.probabilities().ravel(), expected, atol=1e-6)


def test_normalising_has_the_derivative_of_dividing_by_the_norm(x64):
    given = np.asarray([0.3, -1.2, 0.0, 2.0])
    weights = np.asarray([1.0, 2.0, -1.0, 0.5])

    def ours(a):
        state = StateVector.from_amplitudes(a, normalize=True)
        return jnp.sum(weights * state.vector().real)

    def plain(a):
        return jnp.sum(weights * a / jnp.sqrt(jnp.sum(a**2)))

    actual, expected = (jax.jit(jax.grad(f))(given) for f in (ours, plain))
    np.testing.assert_allclose(actual, expected, rtol=1e-12)


@pytest.mark.parametrize("rho", [np.zeros((4, 4)), np.full((4, 4), np.nan), np.eye(4)])
def test_a_matrix_that_is_no_state_is_refused(rho):
    for kind in (DensityMatrix, PauliDensity):
        with pytest.raises(ValueError, match=r"`matrix` must (be Herm|have trace 1)"):
            kind.from_matrix(rho)
