"""The engine against the NumPy oracle and PennyLane on 200 random circuits."""

import collections
import functools

import jax.numpy as jnp
import numpy as np
import pytest

from qjax.simulate import run
from qjax.states import DensityMatrix, StateVector
from tests import oracles, pennylane_oracle, strategies
from tests.compiling import quick_jit

NAMES = strategies.UNITARY_NAMES + strategies.CHANNEL_NAMES
TOLERANCES = {jnp.complex64: 1e-5, jnp.complex128: 1e-12}

# Compiling 200 different circuits is the cost.
run_quickly = quick_jit(run)


@functools.cache
def pure_circuits():
    return strategies.covering_circuits(1, 100, 8, strategies.UNITARY_NAMES)


@functools.cache
def noisy_circuits():
    return strategies.covering_circuits(2, 100, 8, NAMES)


@functools.cache
def references(noisy: bool, index: int) -> dict[str, np.ndarray]:
    num_wires, steps = (noisy_circuits() if noisy else pure_circuits())[index]
    zero = oracles.zero_state(num_wires)
    pennylane = pennylane_oracle.final_state(steps, num_wires)
    if noisy:  # without a noisy step PennyLane gives a vector
        expected = strategies.oracle_density(steps, oracles.density(zero))
        return {"kron": expected, "pennylane": oracles.density(pennylane)}
    return {"kron": strategies.oracle_vector(steps, zero), "pennylane": pennylane}


def engine_result(noisy: bool, index: int, dtype: type) -> np.ndarray:
    num_wires, steps = (noisy_circuits() if noisy else pure_circuits())[index]
    circuit = strategies.build(steps, num_wires)
    if noisy:
        final = run_quickly(circuit, DensityMatrix.zeros(num_wires, dtype)).matrix()
    else:
        final = run_quickly(circuit, StateVector.zeros(num_wires, dtype)).vector()
    assert final.dtype == dtype
    return np.asarray(final)


def check_engine(noisy: bool, dtype: type) -> None:
    for index in range(100):
        actual = engine_result(noisy, index, dtype)
        for name, expected in references(noisy, index).items():
            error = np.max(np.abs(actual - expected))
            assert error <= TOLERANCES[dtype], f"circuit {index}, {name}: {error}"


def test_the_circuits_cover_every_gate_and_channel():
    counts = collections.Counter()
    controlled = set()
    for _, steps in pure_circuits() + noisy_circuits():
        for step in steps:
            key = {"rotation": "rotation", "controlled": "controlled"}.get(step.kind)
            counts[key or step.name] += 1
            if step.kind == "controlled":
                controlled.add(step.name)
    assert set(counts) == set(NAMES)
    assert min(counts.values()) >= 5
    assert max(num_wires for num_wires, _ in pure_circuits()) == 6
    assert len(controlled) >= 15


@pytest.mark.slow
@pytest.mark.parametrize("noisy", [False, True], ids=["vector", "density"])
def test_engine_agrees_with_both_oracles_to_1e_5_in_complex64(noisy):
    check_engine(noisy, jnp.complex64)


@pytest.mark.parametrize("noisy", [False, True], ids=["vector", "density"])
def test_engine_agrees_with_both_oracles_to_1e_12_in_complex128(noisy, x64):
    check_engine(noisy, jnp.complex128)
