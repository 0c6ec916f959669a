"""The workloads are what they are said to be, and wrong results are found."""

import dataclasses
from functools import reduce
from itertools import pairwise

import numpy as np
import oracles
import pytest

from scripts.bench import sides, workloads
from scripts.bench.check import agree, exact_ones, verdicts
from scripts.bench.sides import numpy_side, qjax_side
from scripts.bench.sides.base import ones_of_counts, ones_of_indices, reverse_wires

SMALL = {name: workloads.find(f"{name}-small") for name in workloads.CASES}


def exact(case: workloads.Case) -> dict[str, np.ndarray]:
    prepared = numpy_side.prepare(case, "double", "")
    return prepared.result(prepared.call())


def full_matrix(case: workloads.Case, op: workloads.Op) -> np.ndarray:
    """A gate on the whole register, by Kronecker products and exponentials."""
    n, eye = case.num_wires, [oracles.I2] * case.num_wires
    if op.name == "cx":
        control, target = op.wires
        idle, busy = list(eye), list(eye)
        idle[control], busy[control], busy[target] = (
            oracles.ZERO,
            oracles.ONE,
            oracles.X,
        )
        return oracles.kron(idle) + oracles.kron(busy)
    if op.name == "cz":
        busy = list(eye)
        for wire in op.wires:
            busy[wire] = oracles.ONE
        return np.eye(2**n) - 2 * oracles.kron(busy)
    word = list(eye)
    word[op.wires[0]] = oracles.PAULIS[op.name[1].upper()]
    assert len(word) == n and op.angle is not None
    return oracles.exponential(oracles.kron(word), case.angles().ravel()[op.angle] / 2)


def kron_state(case: workloads.Case) -> np.ndarray:
    matrices = [full_matrix(case, op) for op in case.operations()]
    start = np.eye(2**case.num_wires)[0]
    return reduce(lambda psi, gate: gate @ psi, matrices, start)


@pytest.mark.parametrize("name", ["W1-n10", "WR-n16", "W6"])
def test_the_oracle_agrees_with_kronecker_products(name: str):
    case = dataclasses.replace(SMALL[name], task="state")
    np.testing.assert_allclose(exact(case)["state"], kron_state(case), atol=1e-12)


def test_the_layers_are_those_of_the_issue():
    case = workloads.CASES["W1-n16"]
    names = [op.name for op in case.operations()]
    assert names.count("ry") == names.count("rz") == 160
    assert names.count("cx") == 150
    pairs = [op.wires for op in case.operations() if op.name == "cx"]
    assert pairs[:15] == [(q, q + 1) for q in range(15)]
    indices = [op.angle for op in case.operations() if op.angle is not None]
    assert sorted(indices) == list(range(case.angles().size))


def test_layers_of_chains_alternate_between_the_links():
    case = workloads.CASES["W6"]
    assert (case.num_wires, case.bond, case.depth) == (64, 64, 20)
    ops = case.operations()
    names = [op.name for op in ops]
    assert names.count("ry") == names.count("rz") == 64 * 20
    pairs = [op.wires for op in ops if op.name == "cz"]
    assert pairs[:32] == [(q, q + 1) for q in range(0, 64, 2)]
    assert pairs[32:63] == [(q, q + 1) for q in range(1, 63, 2)]
    assert pairs[63:] == pairs[:63] * 9
    assert case.sites == (0, 32, 63)


def test_chains_are_cut_where_the_bonds_outgrow_the_cap():
    cut = {name for name, case in workloads.CASES.items() if case.truncates}
    assert cut == {"W6", "W6-s1", "W6-s2", "W6C-d20", "W6C-d100"}
    # A layer doubles every second bond: 2^6 after 12 layers, 2^7 after 13.
    case = workloads.CASES["W6"]
    assert not dataclasses.replace(case, depth=12).truncates
    assert dataclasses.replace(case, depth=13).truncates


def test_the_sets_of_angles_of_a_chain_differ():
    sets = [workloads.CASES[name].angles() for name in ("W6", "W6-s1", "W6-s2")]
    assert all(np.abs(a - b).max() > 1 for a, b in pairwise(sets))


def test_a_random_circuit_has_400_gates_on_every_kind_of_pair():
    ops = workloads.CASES["WR-n16"].operations()
    pairs = {op.wires for op in ops if op.name == "cx"}
    assert sum(op.name == "cx" for op in ops) == 400
    assert len(pairs) > 150 and {abs(a - b) for a, b in pairs} == set(range(1, 16))


def test_numbers_depend_on_the_name_only():
    case = workloads.CASES["W2-n10"]
    np.testing.assert_array_equal(case.angles(), case.angles())
    other = workloads.CASES["W2-n16"].angles()[:, :10]
    assert not np.allclose(case.angles(), other)
    # Single precision turns by the same angles.
    np.testing.assert_array_equal(case.angles(), case.angles().astype(np.float32))


@pytest.mark.parametrize("name", ["W2-n10", "W3G-n6", "W3PG-n6", "W6G-n64"])
def test_the_oracle_s_gradient_is_the_difference_quotient(name: str, monkeypatch):
    case = SMALL[name]
    monkeypatch.setattr(workloads, "BATCH", 3)
    angles, out = case.angles(), exact(case)
    place, step = 5, 1e-5

    def value(shift: float) -> float:
        moved = angles.copy()
        moved.ravel()[place] += shift
        monkeypatch.setattr(workloads.Case, "angles", lambda self: moved.copy())
        return float(exact(case)["value"])

    slope = (value(step) - value(-step)) / (2 * step)
    assert abs(out["gradient"][place] - slope) < 1e-8


def test_the_oracle_s_metric_is_a_quarter_of_the_fidelity_s_second_derivative():
    case = dataclasses.replace(SMALL["W7-d4"], num_wires=2, depth=2)
    metric = exact(case)["metric"]
    tangent = np.linspace(-1, 1, len(metric))
    tangent /= np.linalg.norm(tangent)
    ops, angles = case.operations(), case.angles().ravel()
    step = 1e-3

    def state(shift: float) -> np.ndarray:
        moved = angles + shift * tangent
        return numpy_side.evolve(ops, moved, numpy_side.zeros(2)).ravel()

    fidelity = abs(np.vdot(state(-step / 2), state(step / 2))) ** 2
    np.testing.assert_allclose(
        (1 - fidelity) / step**2, tangent @ metric @ tangent, rtol=1e-5
    )


def test_the_oracle_s_noise_keeps_the_trace_and_mixes():
    rho = exact(SMALL["W5a"])["state"]
    np.testing.assert_allclose(np.trace(rho), 1, atol=1e-12)
    purity = np.real(np.trace(rho @ rho))
    # 3 layers of 3 CNOTs, two wires each: about (1 - .01)^(2 * 18).
    assert 0.6 < purity < 0.8


def test_a_wrong_side_is_found_by_the_oracle_and_by_the_majority():
    case = SMALL["W1-n10"]
    right = exact(case)
    swapped = {"state": reverse_wires(right["state"], case.num_wires)}
    results = {"oracle": right, "a": right, "b": swapped}
    dtypes = dict.fromkeys(["oracle", "a", "b", "c"], "complex64")
    found = verdicts(case, results, dtypes, "oracle")
    assert found["a"]["right"] and not found["b"]["right"]
    results = {"a": right, "b": swapped, "c": right}
    found = verdicts(case, results, dtypes, "oracle")
    assert [name for name in found if found[name]["right"]] == ["a", "c"]
    # Two sides that differ are both without a majority.
    results.pop("c")
    found = verdicts(case, results, dtypes, "oracle")
    assert not any(verdict["right"] for verdict in found.values())


def test_a_global_phase_is_no_difference():
    case = SMALL["W1-n10"]
    one = exact(case)
    other = {"state": np.exp(0.3j) * one["state"]}
    assert agree(case, one, other, ("complex128", "complex128"))[0]


def test_samples_are_checked_and_a_biased_sampler_is_rejected():
    case = workloads.CASES["W4-batch"]
    ones = exact_ones(case)
    probabilities = np.abs(case.amplitudes()) ** 2
    draws = np.random.default_rng(1).multinomial(case.shots, probabilities)
    counted = np.stack([ones_of_counts(row, 8) for row in draws])
    dtypes = ("complex64", "complex128")
    assert agree(case, {"ones": counted}, ones, dtypes)[0]
    assert not agree(case, {"ones": counted[:, ::-1]}, ones, dtypes)[0]
    assert not agree(case, {"ones": np.full_like(counted, 0.5)}, ones, dtypes)[0]


@pytest.mark.parametrize("name", ["W4-big", "W4-batch"])
@pytest.mark.parametrize("shots", sides.SHOTS)
def test_our_samplers_pass_the_check_whatever_they_hand_out(name: str, shots: str):
    case = SMALL[name]
    prepared = qjax_side.prepare(case, "single", shots)
    dtypes = (prepared.dtype, "complex128")
    found = prepared.result(prepared.call())
    assert agree(case, found, exact_ones(case), dtypes)[0]
    mirrored = {"ones": found["ones"][..., ::-1]}
    assert not agree(case, mirrored, exact_ones(case), dtypes)[0]


@pytest.mark.parametrize("name", ["W3G-n6", "W3PG-n6"])
def test_our_batches_pass_the_check(name: str, monkeypatch):
    monkeypatch.setattr(workloads, "BATCH", 3)
    case = dataclasses.replace(SMALL[name], depth=2)
    prepared = qjax_side.prepare(case, "single", "")
    found, right = prepared.result(prepared.call()), exact(case)
    assert agree(case, found, right, (prepared.dtype, "complex128"))[0]
    found["gradient"] = found["gradient"][::-1]
    assert not agree(case, found, right, (prepared.dtype, "complex128"))[0]


@pytest.mark.parametrize("name", ["W6", "W6G-n64"])
def test_our_chains_pass_the_check(name: str):
    case = SMALL[name]
    prepared = qjax_side.prepare(case, "single", "")
    found, right = prepared.result(prepared.call()), exact(case)
    dtypes = (prepared.dtype, "complex128")
    assert agree(case, found, right, dtypes)[0]
    key = "values" if name == "W6" else "gradient"
    assert not agree(case, found | {key: found[key][::-1]}, right, dtypes)[0]


def test_cut_chains_may_differ_by_little_and_need_the_norm():
    case = workloads.CASES["W6"]
    one = {"values": np.asarray([0.08, -0.03, 0.13]), "fidelity": np.asarray(0.99)}
    near = one | {"values": one["values"] + 1e-4}
    dtypes = ("complex128", "complex128")
    assert agree(case, one, near, dtypes)[0]
    assert not agree(case, one, one | {"values": 0.99 * one["values"]}, dtypes)[0]
    assert not agree(case, one, one | {"fidelity": np.asarray(0.98)}, dtypes)[0]
    whole = dataclasses.replace(case, depth=10)
    assert not agree(whole, one, near, dtypes)[0]


def test_histories_without_the_noise_are_rejected():
    case = SMALL["W5b"]
    noisy, dtypes = exact(case), ("complex64", "complex128")
    silent = exact(dataclasses.replace(case, task="state"))["state"]
    values = numpy_side.z_values(np.abs(silent) ** 2, case.num_wires)
    sampled = {"values": noisy["values"] + 0.005, "count": np.asarray(case.shots)}
    assert agree(case, sampled, noisy, dtypes)[0]
    without = {"values": values, "count": np.asarray(case.shots)}
    assert not agree(case, without, noisy, dtypes)[0]


def test_wires_are_counted_from_the_most_significant_bit():
    np.testing.assert_array_equal(ones_of_indices(np.array([4, 4]), 3), [1, 0, 0])
    np.testing.assert_array_equal(ones_of_counts(np.eye(8)[4], 3), [1, 0, 0])
    np.testing.assert_array_equal(reverse_wires(np.eye(8)[4], 3), np.eye(8)[1])


def test_a_word_that_names_nothing_is_refused():
    with pytest.raises(SystemExit, match=r"`workloads` must be among .* 'W9'"):
        workloads.select(["W9"])
    with pytest.raises(SystemExit, match=r"`sides` must be among .* 'nobody'"):
        sides.select(["nobody"])
    assert [c.name for c in workloads.select(["W5", "W1-n10"])] == [
        "W1-n10",
        "W5a",
        "W5b",
    ]
    assert {side.family for side in sides.select(["qsim"])} == {"qsim"}
