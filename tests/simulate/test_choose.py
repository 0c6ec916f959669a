"""What is recommended, and that what is chosen is right."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qjax.circuits import (
    Circuit,
    Conditional,
    Measure,
    Projector,
    cx,
    cz,
    ghz,
    h,
    hermitian,
    ising,
    pauli,
    rx,
    ry,
    t,
    x,
)
from qjax.circuits.operation import walk
from qjax.noise import amplitude_damping
from qjax.simulate import (
    Rates,
    auto,
    expectation,
    memory_limit,
    predict_bytes,
    recommend,
    run,
    run_to_error,
)
from qjax.simulate.representations import WAYS, Problem
from qjax.states import MPS, DensityMatrix, StateVector


def brickwork(num_wires, depth, seed=0):
    rng = np.random.default_rng(seed)
    operations = []
    for layer in range(depth):
        operations += [ry(rng.uniform(0, 6), w) for w in range(num_wires)]
        operations += [cz(w, w + 1) for w in range(layer % 2, num_wires - 1, 2)]
    return Circuit(operations, num_wires)


def names(circuit, observable, **options):
    found = recommend(circuit, observable, **options)
    return {option.name: option for option in found.options}


def test_each_representation_has_circuits_that_it_is_best_for():
    few = [*ghz(300).operations, *(t(w) for w in range(3)), h(1)]
    noisy = [*brickwork(5, 6).operations, amplitude_damping(0.1, 0), Measure(1)]
    half, far = brickwork(40, 2).operations, [cz(w, w + 20) for w in range(20)]
    best = {
        "stabilizer": (ghz(3000), ising(3000)),
        "propagation": (Circuit(few, 300), pauli("ZZ", (0, 299))),
        "network": (Circuit([*half, *far, *half], 40), pauli("Z", 20)),
        "state vector": (brickwork(10, 30), pauli("X" * 10, range(10))),
        "Pauli density": (Circuit(noisy, 5), ising(5)),
        "MPS": (brickwork(40, 8), pauli("X" * 40, range(40))),
    }
    chosen = {name: recommend(*case).best.name for name, case in best.items()}
    assert chosen == {name: name for name in best}


@pytest.mark.parametrize("observable", (
    pauli("XZ", (1, 3)) + 0.5 * pauli("Y", 2),
    Projector((0, 1), (2, 0)),
    hermitian(np.asarray([[1, 2j], [-2j, 3]]), 4),
))  # fmt: skip
def test_all_that_is_possible_gives_the_same_value(observable):
    circuit = brickwork(6, 4)
    exact = float(expectation(run(circuit, StateVector.zeros(6)), observable))
    from_one = {}
    for name, option in names(circuit, observable).items():
        if option.possible:
            from_one[name] = float(value_by(name, circuit, observable))
    assert {"state vector", "network", "MPS"} <= set(from_one)
    assert all(abs(value - exact) < 1e-5 for value in from_one.values())


def value_by(name, circuit, observable):
    """Compute by a representation of our choice, through its own row of the table."""
    dtype = np.dtype(np.complex64)
    operations = tuple(walk(circuit.operations))
    problem = Problem(circuit, observable, dtype, 0.0, 256, Rates(), operations)
    find, compute = WAYS[name]
    return compute(problem, find(problem))[0]


def test_noise_is_exact_where_a_density_matrix_fits():
    noisy = Circuit([h(0), cx(0, 1), amplitude_damping(0.3, 1), Measure(0)], 2)
    exact = expectation(run(noisy, DensityMatrix.zeros(2)), pauli("Z", 1))
    assert abs(float(auto(noisy, pauli("Z", 1)).value - exact)) < 1e-6


def test_a_chain_is_recommended_with_the_memory_that_a_run_is_predicted_to_take():
    circuit, z = brickwork(12, 8), pauli("Z", 0)
    found = names(circuit, z, largest_bond=16, max_error=1.0)["MPS"]
    need = predict_bytes(circuit, MPS.zeros(12, 16))
    assert found.possible and found.num_bytes == need
    with memory_limit(need - 1):
        small = names(circuit, z, largest_bond=16, max_error=1.0)["MPS"]
    assert not small.possible and "does not fit into memory" in small.reason


def test_an_allowed_error_lets_a_chain_cut_its_bonds():
    circuit, x_all = brickwork(16, 10), pauli("X" * 16, range(16))
    with memory_limit(2**20):
        refused = names(circuit, x_all, largest_bond=16)
        assert not refused["state vector"].possible
        assert not refused["MPS"].possible and "no error" in refused["MPS"].reason
        allowed = names(circuit, x_all, largest_bond=16, max_error=3.0)
        assert allowed["MPS"].possible


@pytest.mark.slow
def test_bonds_are_doubled_until_the_error_is_met():
    circuit, x_all = brickwork(10, 8), pauli("X" * 10, range(10))
    exact = float(expectation(run(circuit, StateVector.zeros(10)), x_all))
    state = run_to_error(circuit, MPS.zeros(10, 4), max_error=0.5)
    assert 4 < state.max_bond <= 32 and float(state.truncation_error) <= 0.5
    assert abs(float(expectation(state, x_all)) - exact) <= 1.0
    largest = run_to_error(circuit, MPS.zeros(10, 4), max_error=0.0, largest_bond=4)
    assert largest.max_bond == 4 and float(largest.truncation_error) > 0


def test_a_traced_angle_is_not_known_to_be_clifford():
    z = pauli("Z", 0)

    def value(angle):
        circuit = Circuit([rx(angle, 0), cx(0, 1)], 2)
        assert not names(circuit, z)["stabilizer"].possible
        return auto(circuit, z).value

    assert abs(float(jax.grad(value)(jnp.asarray(0.3))) + np.sin(0.3)) < 1e-6


def test_what_fits_nowhere_says_why_and_what_to_do():
    wide = Circuit(
        [*brickwork(60, 30).operations, Measure(0), Conditional(x(1), (0,), (1,))], 60
    )
    with pytest.raises(ValueError, match=r"too large for all.*average_trajectories"):
        auto(wide, pauli("Z" * 60, range(60)))
    table = str(recommend(brickwork(10, 3), pauli("Z", 0)))
    assert table.splitlines()[0].split()[:3] == ["representation", "compile", "seconds"]
    assert "no: the circuit is not known to be Clifford" in table


@pytest.mark.parametrize("option", ({"max_error": -1.0}, {"largest_bond": 0}))
def test_bad_input_is_named(option):
    (name,) = option
    with pytest.raises(ValueError, match=f"`{name}` must be at least"):
        recommend(ghz(3), pauli("Z", 0), **option)
    with pytest.raises(ValueError, match="largest_bond"):
        run_to_error(ghz(3), MPS.zeros(3, 4), max_error=0.1, largest_bond=2)
