"""The table of what is jitted, and what is left out and why.

Run as a program it lowers every case for CPU, CUDA and TPU through `jax.export` and
prints a JSON object: for each case the platforms or the error, and the public functions
that no case has called, found by watching the calls. It runs alone with
EQX_ON_ERROR=nan: the callback of a traced check exists on the running platform only.
"""

import importlib
import inspect
import json
import pathlib
import sys
from collections.abc import Callable, Iterator
from types import CodeType, FrameType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import export

from qjax import circuits, geometry, noise, optim, plan, simulate, states, statistics
from qjax.circuits import (
    GATES,
    Circuit,
    Conditional,
    Hermitian,
    Measure,
    PauliSum,
    Projector,
    Repeat,
    Reset,
)
from qjax.states import DensityMatrix, PauliDensity, StateBatch, StateVector

# Topics: tests/lowering_*.py, with their CASES and, if any, MODULES and EXCLUDED.
FILES = sorted(pathlib.Path(__file__).parent.glob("lowering_*.py"))
TOPICS = [importlib.import_module(f"tests.{path.stem}") for path in FILES]
PLATFORMS = ("cpu", "cuda", "tpu")
MODULES = [circuits, states, plan, simulate, noise, geometry, optim, statistics]
MODULES += [module for topic in TOPICS for module in getattr(topic, "MODULES", ())]
STATES = (StateVector, StateBatch, DensityMatrix, PauliDensity)
OTHERS = (states.SparseState, states.StabilizerState, states.MPS)
METHODS_OF = (*STATES, *OTHERS, noise.ReadoutConfusion)

# case: (function, example arguments)
CASES: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    name: case for topic in TOPICS for name, case in topic.CASES.items()
}


def case(*arguments: Any) -> Callable:
    """Add the decorated function to the table under its own name."""

    def add(function: Callable) -> Callable:
        CASES[function.__name__] = (function, arguments)
        return function

    return add


KEY = jax.random.key(7)
ANGLE = np.float32(0.3)
ANGLES = np.asarray([0.3, 0.5], np.float32)
VECTOR = np.asarray([0.5, 0.5, 0.5, 0.5], np.complex64)
RHO = np.eye(4, dtype=np.complex64) / 4
HADAMARD = np.asarray([[1, 1], [1, -1]], np.complex64) / np.sqrt(np.float32(2))


def pure(vector: Any = VECTOR) -> StateVector:
    return StateVector(jnp.reshape(jnp.asarray(vector), (2, 2)))


def mixed(rho: Any = RHO) -> DensityMatrix:
    return DensityMatrix(jnp.reshape(jnp.asarray(rho), (2,) * 4))


def noisy(angle: Any) -> Circuit:
    def layer(turn):
        return Circuit(
            [circuits.rx(turn, 0), noise.amplitude_damping(0.2, 0), Measure(0)], 2
        )

    body = jax.vmap(layer)(jnp.stack([angle, angle]))
    tail = [Measure(1), Conditional(circuits.x(0), (-1,), (1,)), Reset(0)]
    return Circuit([Repeat(body, 2), *tail], 2)


def energy(scale: Any) -> PauliSum:
    return circuits.ising(2, scale, 0.5)


def state_of(params: Any) -> StateVector:
    circuit = circuits.hardware_efficient(params)
    return simulate.run(circuit, StateVector.zeros(circuit.num_wires))


PARAMS = np.full((2, 2, 2), 0.3, np.float32)


@case(ANGLE)
def gates(angle):
    operations = []
    for name, spec in GATES.items():
        builder = getattr(circuits, name.lower())
        operations.append(builder(*[angle] * spec.num_params, *range(spec.num_wires)))
        wires = tuple(range(spec.num_wires))
        operations.append(circuits.gate(name, wires, *[angle] * spec.num_params))
    return simulate.run(Circuit(operations, 3), StateVector.zeros(3))


@case(HADAMARD, ANGLE)
def composed_gates(matrix, angle):
    operations = [
        circuits.unitary(matrix, 0),
        circuits.controlled(circuits.rx(angle, 2), (0, 1), (1, 0)),
        circuits.pauli_rotation(angle, "XY", (0, 2)),
    ]
    return simulate.run(Circuit(operations, 3), StateVector.zeros(3))


@case(HADAMARD)
def custom_channel(matrix):
    circuit = Circuit([circuits.kraus_channel(matrix[None], 0)], 1)
    return simulate.run(circuit, DensityMatrix.zeros(1))


@case(ANGLES)
def repetition(angles):
    body = jax.vmap(lambda angle: Circuit([circuits.rx(angle, 0)], 1))(angles)
    circuit = Circuit([Repeat(body, 2)], 1)
    both = circuit.inverse() + circuits.unroll(circuit)
    return simulate.run(both, StateVector.zeros(1))


TEMPLATE = circuits.template(
    lambda angles: Circuit([circuits.rx(angle, 0) for angle in angles], 1), np.zeros(2)
)


@case(ANGLES)
def bound_template(angles):
    return simulate.run(TEMPLATE(angles), StateVector.zeros(1))


@case(PARAMS)
def layers(params):
    return state_of(params)


@case(ANGLES, VECTOR)
def encodings(angles, vector):
    encoded = circuits.angle_encoding(angles) + circuits.amplitude_encoding(vector)
    return simulate.run(encoded + circuits.qft(2), StateVector.zeros(2))


@case(ANGLE)
def hamiltonians(scale):
    chain = circuits.ising(2, scale, scale) + circuits.pauli("Y", 0)
    other = circuits.heisenberg(2, (scale, scale, scale), scale)
    single = circuits.pauli_sum({((0, "X"),): scale})
    evolution = circuits.trotter(chain + other + single, scale, 2, 2)
    return simulate.run(evolution, pure())


@case(VECTOR)
def state_vector(vector):
    state = StateVector.from_amplitudes(vector)
    other = StateVector.basis((0, 1)).apply_matrix(HADAMARD, (0,), (1,), (1,))
    return (
        state.probabilities((1, 0)), state.reduced((1,)), state.norm(),
        state.overlap(other), state.overlap(StateVector.zeros(2)),
        state.expect_paulis((1, 2), (3, 0)), state.vector(),
    )  # fmt: skip


@case(RHO)
def density_matrix(rho):
    state = DensityMatrix.from_matrix(rho).apply_matrix(HADAMARD, (0,), (1,), (1,))
    state = state.apply_kraus(HADAMARD[None], (1,))
    return (
        state.probabilities((1, 0)), state.reduced((1,)), state.norm(),
        state.overlap(DensityMatrix.zeros(2)),
        state.overlap(DensityMatrix.maximally_mixed(2)),
        DensityMatrix.from_state(pure()).expect_paulis((1, 2), (3, 0)), state.matrix(),
    )  # fmt: skip


KRAUS = np.stack([HADAMARD, HADAMARD]) / np.sqrt(np.float32(2))


@case(KEY, VECTOR, RHO)
def sampling_of_states(key, vector, rho):
    return (
        pure(vector).sample_kraus(key, KRAUS, (0,)), pure(vector).sample(key, 8),
        mixed(rho).sample_kraus(key, KRAUS, (0,)), mixed(rho).sample(key, 8),
    )  # fmt: skip


@case(VECTOR, RHO)
def distances(vector, rho):
    pairs = [(pure(vector), pure()), (pure(vector), mixed(rho)), (mixed(rho), mixed())]
    values = [
        distance(a, b)
        for a, b in pairs
        for distance in (states.fidelity, states.trace_distance)
    ]
    kept = states.partial_trace(mixed(rho), (1,))
    return values, states.entropy(mixed(rho)), kept


@case(ANGLE)
def run(angle):
    return simulate.run(noisy(angle), DensityMatrix.zeros(2))


@case(ANGLE)
def unitary_matrix(angle):
    return simulate.unitary_matrix(Circuit([circuits.rx(angle, 0)], 2))


@case(KEY, ANGLE)
def trajectory(key, angle):
    return simulate.trajectory(key, noisy(angle), StateVector.zeros(2))


@case(KEY, ANGLE)
def average_trajectories(key, angle):
    def mean(turn):
        return simulate.average_trajectories(
            key, noisy(turn), StateVector.zeros(2), energy(1.0), 4, shots=2
        ).mean

    return jax.value_and_grad(mean)(angle)


@case(VECTOR, ANGLE)
def expectation(vector, scale):
    observables = [
        energy(scale),
        Projector((1,), (0,)),
        circuits.hermitian(scale * jnp.asarray([[0, 1], [1, 0]], float), 1),
        Hermitian(jnp.eye(2, dtype=complex), (0,)),
    ]
    return [simulate.expectation(s, observables) for s in (pure(vector), mixed())]


@case(KEY, VECTOR)
def sample(key, vector):
    return simulate.sample(key, pure(vector), 8)


@case(KEY, VECTOR)
def estimate(key, vector):
    observables = (energy(1.0), Projector((1,), (0,)), Hermitian(HADAMARD, (1,)))
    return [simulate.estimate(key, pure(vector), o, 8) for o in observables]


def _add_channels() -> None:
    for name, spec in noise.CHANNELS.items():
        strengths = tuple(np.float32(0.2) for _ in spec.parameters)

        def go(*values, row=spec):
            wires = tuple(range(row.num_wires)) if row.num_wires > 1 else 0
            operations = [
                row.builder(*values, wires),
                noise.build(row.name, values, wires),
            ]
            circuit = Circuit(operations, 2)
            key = jax.random.key(0)
            sampled = simulate.trajectory(key, circuit, StateVector.zeros(2))
            return simulate.run(circuit, DensityMatrix.zeros(2)), sampled

        CASES[f"channel {name}"] = (go, strengths)


_add_channels()


@case(PARAMS)
def metric_tensor(params):
    return geometry.metric_tensor(state_of, params)


@case(PARAMS)
def metric_vp(params):
    return geometry.metric_vp(state_of, params, params)


def _update(transform: optax.GradientTransformation, params):
    def loss(p):
        return simulate.expectation(state_of(p), energy(1.0))

    return transform.update(jax.grad(loss)(params), transform.init(params), params)[0]


def _metric(params):
    return geometry.metric_tensor(state_of, params)


@case(PARAMS)
def natural_gradient(params):
    dense = optim.scale_by_metric(_metric, 0.1)
    return _update(optim.qng(0.1, _metric), params), _update(dense, params)


@case(PARAMS)
def matrix_free_natural_gradient(params):
    def product(p, v):
        return geometry.metric_vp(state_of, p, v)

    return _update(optim.scale_by_metric_product(product, 0.1), params)


# --- what is not jitted, and why -----------------------------------------------------

EXCLUDED = {
    **{k: v for t in TOPICS for k, v in getattr(t, "EXCLUDED", {}).items()},
    "template": "runs on the host, once; a template bound under jit is a case",
    "calibrate": "measures compiled steps, which are made of the functions here",
    "fit": "a Python loop around a compiled epoch, which is made of the functions here",
    "clopper_pearson": "SciPy, on the host",
    "wilson": "SciPy, on the host",
    "hoeffding_radius": "NumPy, on the host",
    "device_noise": "builds channels, on the host; rules of a noise model are a case",
    "list_devices": "reads files, on the host",
    "parse_google": "reads numbers, on the host",
    "parse_ibm": "reads numbers, on the host",
    "path_in": "searches, on the host",
    "read_google": "reads files, on the host",
    "read_ibm": "reads files, on the host",
    "empirical_bernstein_radius": "NumPy, on the host",
}


def public_functions() -> dict[str, CodeType]:
    """Public functions of the modules and methods of their values, by their code."""
    found = {}
    for module in MODULES:
        for name, value in vars(module).items():
            home = getattr(value, "__module__", "") or ""
            if name.startswith("_") or not home.startswith(module.__name__):
                continue
            if inspect.isfunction(value):
                key = name if name not in found else f"{module.__name__}.{name}"
                found[key] = inspect.unwrap(value).__code__
            elif value in METHODS_OF:
                for method, code in _methods(value):
                    found[f"{name}.{method}"] = code
    return found


def _methods(kind: type) -> Iterator[tuple[str, CodeType]]:
    for name in dir(kind):
        value = inspect.getattr_static(kind, name)
        if isinstance(value, classmethod | staticmethod):
            value = value.__func__
        if not name.startswith("_") and inspect.isroutine(value):
            yield name, inspect.unwrap(value).__code__


def lower(name: str) -> list[str] | str:
    """Platforms that a case was lowered for, or what went wrong."""
    function, arguments = CASES[name]
    try:
        exported = export.export(jax.jit(function), platforms=PLATFORMS)(*arguments)
    except Exception as error:
        return f"{type(error).__name__}: {error}"[:500]
    return list(exported.platforms)


def lower_all() -> dict[str, Any]:
    """Lower every case, and list the public functions that were never called."""
    called: set[CodeType] = set()

    def watch(frame: FrameType, event: str, argument: Any) -> None:
        del argument
        if event == "call":
            called.add(frame.f_code)

    sys.setprofile(watch)
    results = {name: lower(name) for name in CASES}
    sys.setprofile(None)
    functions = public_functions()
    never = sorted(name for name, code in functions.items() if code not in called)
    return {"lowered": results, "never called": never, "public": len(functions)}


if __name__ == "__main__":
    print(json.dumps(lower_all()))
