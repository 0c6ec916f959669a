"""Plans: what they predict, what they refuse, and slices that change nothing."""

import random

import jax
import numpy as np
import pytest

from qjax import circuits, noise
from qjax._memory import memory_limit
from qjax.circuits import (
    AbstractObservable,
    Circuit,
    Conditional,
    Measure,
    hardware_efficient,
    pauli,
)
from qjax.network import (
    Network,
    amplitude,
    amplitude_network,
    amplitudes,
    average_network,
    contract,
    expectation,
    light_cone,
    marginal,
    plan_contraction,
    reduced,
)
from qjax.simulate import run
from qjax.states import StateVector
from tests.compiling import quick_jit
from tests.network.circuits import angles, brickwork, grid

FACTOR = 2.5
"""Within which the predicted memory is what XLA reserves on a CPU."""


def dense(wires: int, seed: int = 3) -> Network:
    """Random tensors with axes of length 4, all joined to each other."""
    rng = np.random.default_rng(seed)
    pairs = [(i, j) for i in range(wires) for j in range(i)]
    indices = [
        tuple(p for p, pair in enumerate(pairs) if i in pair) for i in range(wires)
    ]
    shape = (4,) * (wires - 1)
    tensors = [rng.normal(size=shape).astype(np.float32) for _ in range(wires)]
    return Network(tensors, tuple(indices))


def einsum(network: Network) -> np.ndarray:
    """The contraction by NumPy, from its definition."""
    operands = []
    for tensor, names in zip(network.tensors, network.indices, strict=True):
        operands += [np.asarray(tensor, complex), list(names)]
    return np.real(np.einsum(*operands, list(network.output), optimize="greedy"))


# Hyperedges, an index twice in a tensor, one alone in it, outer products, an output
# that is a hyperedge.
SHAPES = (
    (((0, 1), (1, 2), (1, 3), (3,)), (2, 1)),
    (((0, 0, 1), (1, 2)), (2,)),
    (((0, 1), (2, 3)), (3, 0)),
    (((0, 1, 2),), (2, 0)),
    (((0, 0),), ()),
    (((), (0, 1), (0, 1), (1,)), (1, 0)),
)


@pytest.mark.parametrize(("indices", "output"), SHAPES)
def test_a_contraction_is_the_einsum_of_its_definition(indices, output):
    rng = np.random.default_rng(0)
    tensors = [
        rng.normal(size=(2, 3, 4, 5)[:0] + tuple(2 + i for i in own)) for own in indices
    ]
    network = Network([t.astype(np.float32) for t in tensors], indices, output)
    expected = einsum(network)
    np.testing.assert_allclose(contract(network), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.slow
def test_slices_change_nothing_but_the_rounding():
    """An amplitude of a grid of 9 wires and 10 layers, and its gradient."""
    values = angles(10, 9)

    def value(a, max_bytes=None):
        network = amplitude_network(grid(a, 3), (0, 1, 0, 1, 1, 0, 0, 1, 1))
        plan = plan_contraction(network, max_bytes=max_bytes)
        return contract(network, plan).real

    network = amplitude_network(grid(values, 3), (0,) * 9)
    whole = plan_contraction(network)
    few = whole.peak_bytes * 9 // 10
    plan = plan_contraction(network, max_bytes=few)
    assert plan.num_slices > 1 and plan.overhead >= 1 and plan.peak_bytes <= few
    both = quick_jit(jax.value_and_grad(value))(values)
    sliced = quick_jit(jax.value_and_grad(lambda a: value(a, few)))(values)
    np.testing.assert_allclose(sliced[0], both[0], atol=1e-6)
    np.testing.assert_allclose(sliced[1], both[1], atol=1e-6)
    exact = run(grid(values, 3), StateVector.zeros(9)).amplitudes
    np.testing.assert_allclose(
        both[0], exact[0, 1, 0, 1, 1, 0, 0, 1, 1].real, atol=1e-6
    )


def test_slices_of_longer_axes_sum_to_the_whole():
    network = dense(5)
    whole = plan_contraction(network)
    for share in (2, 8, 30):
        few = whole.peak_bytes // share
        try:
            plan = plan_contraction(network, max_bytes=few)
        except ValueError:
            assert share > 2
            continue
        assert plan.num_slices in (4, 16, 64, 256, 1024)
        found = quick_jit(lambda n, p=plan: contract(n, p))(network)
        np.testing.assert_allclose(found, einsum(network), rtol=1e-4)


def test_the_gradient_of_slices_is_the_gradient():
    network = dense(4)
    plan = plan_contraction(network, max_bytes=3 * 4**3 * 4 + 4 * 4**3 * 4)
    assert plan.num_slices > 1

    def value(p):
        return quick_jit(jax.grad(lambda n: contract(n, p)))(network).tensors

    whole = value(plan_contraction(network))
    for sliced, expected in zip(value(plan), whole, strict=True):
        np.testing.assert_allclose(sliced, expected, rtol=1e-4, atol=1e-4)


def test_the_program_does_not_grow_with_the_number_of_slices():
    network = dense(5)
    whole = plan_contraction(network)
    lengths = []
    for share in (2, 8):
        plan = plan_contraction(network, max_bytes=whole.peak_bytes // share)
        traced = jax.make_jaxpr(lambda n, p=plan: contract(n, p))(network)
        lengths.append((plan.num_slices, str(traced).count("\n")))
    (few, short), (many, long) = lengths
    assert many > few
    assert long < 1.3 * short


def compiled(network: Network, max_bytes: int | None = None):
    plan = plan_contraction(network, max_bytes=max_bytes)
    return plan, quick_jit(lambda n: contract(n, plan)).lower(network).compile()


@pytest.mark.parametrize("share", [1, 3])
def test_predicted_memory_is_xlas_within_a_factor(share):
    """Whole and sliced; the tensors themselves are XLA's arguments."""
    network = dense(6)
    whole = plan_contraction(network).peak_bytes
    plan, program = compiled(network, whole // share if share > 1 else None)
    memory = program.memory_analysis()
    assert memory is not None
    reserved = memory.temp_size_in_bytes + memory.argument_size_in_bytes
    assert 1 / FACTOR < plan.peak_bytes / reserved < FACTOR
    # A prediction that forgot the operands or the result would be outside of this.
    assert plan.peak_bytes > plan.largest * 4


def test_predicted_operations_are_xlas():
    """8 for a complex multiply-add, of which XLA counts a multiply and an add."""
    values = angles(6, 9)
    network = amplitude_network(grid(values, 3), (0,) * 9)
    plan, program = compiled(network)
    counted = program.cost_analysis()
    assert counted is not None
    assert 0.8 < plan.flops / (4 * counted["flops"]) < 1.3


def test_what_does_not_fit_is_refused_and_slices_are_advised():
    network = dense(5)
    plan = plan_contraction(network)
    with memory_limit(plan.peak_bytes - 1), pytest.raises(ValueError) as error:
        contract(network)
    assert "Contraction of 5 tensors needs" in str(error.value)
    assert "slice it by `max_bytes`" in str(error.value)
    with memory_limit(plan.peak_bytes - 1):
        contract(network, plan_contraction(network, max_bytes=plan.peak_bytes - 1))


def test_a_batch_that_does_not_fit_is_refused():
    circuit = hardware_efficient(angles(2, 8))
    network = amplitude_network(circuit, (0,) * 8)
    room = 100 * plan_contraction(network).peak_bytes
    with memory_limit(room), pytest.raises(ValueError, match="for a batch of 101"):
        amplitudes(circuit, np.zeros((101, 8), int))


def test_a_huge_contraction_is_predicted_without_being_done():
    network = amplitude_network(grid(angles(16, 25), 5), (0,) * 25)
    shapes = jax.eval_shape(lambda: network)
    plan = plan_contraction(shapes, optimizer="greedy")
    assert plan.peak_bytes > 2**25
    refused = pytest.raises(ValueError, match=r"Contraction of .* GiB of memory, but")
    with memory_limit(2**25), refused:
        contract(network, plan)


def test_slices_that_cannot_fit_name_what_they_can():
    network = dense(4)
    with pytest.raises(ValueError, match="`max_bytes` must be at least") as error:
        plan_contraction(network, max_bytes=10)
    least = int(str(error.value).split("at least ")[1].split(",")[0])
    assert plan_contraction(network, max_bytes=least).peak_bytes <= least


def test_the_order_is_the_same_every_time_and_the_global_generator_untouched(
    monkeypatch,
):
    network = amplitude_network(grid(angles(3, 9), 3), (0,) * 9)
    monkeypatch.setattr(random, "seed", None)  # opt_einsum's own search calls it
    random.setstate(random.Random(1).getstate())
    first = plan_contraction(network)
    random.setstate(random.Random(2).getstate())
    from_scratch = plan_contraction(network, max_bytes=2**40)  # another cache entry
    assert from_scratch.tree == first.tree
    again = amplitude_network(grid(angles(3, 9, seed=1), 3), (1,) * 9)
    assert plan_contraction(again) is first  # other numbers, same structure


def test_longer_searches_are_no_worse_and_any_callable_will_do():
    network = average_network(brickwork(angles(4, 8)), pauli("Z", 4))
    greedy = plan_contraction(network, optimizer="greedy")
    jittered = plan_contraction(network, optimizer="random-greedy")
    assert jittered.flops <= greedy.flops

    def in_turn(inputs, *_):
        return [(0, 1)] * (len(inputs) - 1)

    own = plan_contraction(network, optimizer=in_turn)
    assert own.flops > greedy.flops
    small = dense(4)
    best = plan_contraction(small, optimizer="optimal").flops
    assert best <= plan_contraction(small, optimizer="greedy").flops


def test_diagonal_gates_once_make_the_contraction_cheaper():
    """The same circuit with its CZ as general matrices needs larger tensors."""
    circuit = brickwork(angles(5, 9))
    dressed = [
        circuits.unitary(np.diag([1, 1, 1, -1]).astype(complex), op.wires)
        if op.name == "CZ"
        else op
        for op in circuit.operations
    ]
    observable = pauli("X", 4)
    once = plan_contraction(average_network(circuit, observable))
    twice = plan_contraction(average_network(Circuit(dressed, 9), observable))
    assert once.flops * 4 < twice.flops and once.largest < twice.largest


def test_light_cones_keep_what_is_seen_only():
    values = angles(8, 100)
    cone = light_cone(brickwork(values), 50)
    wires = {wire for op in cone.operations for wire in op.wires}
    assert len(wires) == 16
    # CZ of the last layer, which Z commutes with, is gone too.
    diagonal = light_cone(brickwork(values), 50, diagonal=(50,))
    assert {w for op in diagonal.operations for w in op.wires} < wires
    swapped = Circuit([circuits.h(0), circuits.h(1), circuits.swap(0, 1)], 2)
    kept = light_cone(swapped, 1).operations
    assert [(op.name, op.wires) for op in kept] == [("H", (0,)), ("SWAP", (0, 1))]
    noisy = Circuit([noise.depolarizing(0.1, 0), noise.depolarizing(0.1, 1)], 2)
    assert len(light_cone(noisy, 1).operations) == 1


BELL = Circuit([circuits.h(0), circuits.cx(0, 1)], 2)
NOISY = Circuit([noise.bit_flip(0.1, 0)], 1)
MEASURED = Circuit([Measure(0)], 1)
ASKED = Circuit([Measure(0), Conditional(circuits.x(0), (0,), (1,))], 1)
EYE = np.eye(2)


class Other(AbstractObservable):
    wires: tuple[int, ...] = (0,)


BAD = (
    (lambda: amplitude(BELL, (0,)), ValueError, "`bits` must hold 2 bits"),
    (lambda: amplitude(BELL, (0, 2)), ValueError, "`bits` must hold bits"),
    (lambda: amplitude(BELL, (0, 1), start=(0,)), ValueError, "`start` must hold 2"),
    (
        lambda: amplitudes(BELL, np.zeros(2, int)),
        ValueError,
        r"`bits` must have shape \(b, 2\)",
    ),
    (lambda: amplitude(NOISY, (0,)), TypeError, "must be unitary to have amplitudes"),
    (lambda: expectation(MEASURED, pauli("Z", 0)), TypeError, "no measurements"),
    (lambda: expectation(ASKED, pauli("Z", 0)), TypeError, "use `trajectory`"),
    (lambda: expectation(BELL, pauli("Z", 2)), ValueError, r"lie in \[0, 2\)"),
    (lambda: expectation(BELL, Other()), TypeError, "PauliSum, Projector or Hermitian"),
    (lambda: expectation(BELL, []), ValueError, "at least one observable"),
    (lambda: marginal(BELL, (0, 0)), ValueError, "not repeat a wire"),
    (lambda: marginal(BELL, ()), ValueError, "at least one wire"),
    (lambda: reduced(BELL, (2,)), ValueError, r"lie in \[0, 2\)"),
    (lambda: light_cone(BELL, 0, diagonal=(1,)), ValueError, "`diagonal` must be"),
    (lambda: amplitude(BELL, (0, 0), dtype=float), ValueError, "must be complex"),
    (
        lambda: average_network(BELL, pauli("Z", 0) + pauli("X", 1)),
        ValueError,
        "have one word",
    ),
    (
        lambda: amplitude(BELL, (0, 0), optimizer="best"),
        ValueError,
        "`optimizer` must be one of",
    ),
    (
        lambda: plan_contraction(amplitude_network(BELL), max_bytes=0),
        ValueError,
        "be at least 1",
    ),
    (lambda: Network((), ()), ValueError, "at least one tensor"),
    (lambda: Network((EYE,), ((0,),)), ValueError, "name each axis"),
    (lambda: Network((EYE,), ((0, 1), (1,))), ValueError, "axes of 1 tensors"),
    (lambda: Network((EYE, np.ones(3)), ((0, 1), (1,))), ValueError, "have length 2"),
    (lambda: Network((EYE,), ((0, 1),), (2,)), ValueError, "each once"),
    (
        lambda: contract(
            Network((EYE,), ((0, 1),)), plan_contraction(Network((EYE,), ((0, 0),)))
        ),
        ValueError,
        "`plan` must be of the network's structure",
    ),
)


@pytest.mark.parametrize(("call", "kind", "sentence"), BAD)
def test_bad_input_is_one_sentence(call, kind, sentence):
    with pytest.raises(kind, match=sentence) as error:
        call()
    assert "\n" not in str(error.value)


def test_what_depends_on_no_slice_is_done_once_before_the_loop():
    """Two separate parts: slicing the large one leaves the ring alone."""
    rng = np.random.default_rng(1)
    indices = ((0, 1), (1, 2), (2, 0), (3, 4, 5), (4, 5, 6), (3, 6))
    tensors = [rng.normal(size=(8,) * len(own)).astype(np.float32) for own in indices]
    network = Network(tensors, indices)
    whole = plan_contraction(network)
    plan = plan_contraction(network, max_bytes=whole.peak_bytes * 9 // 10)
    assert plan.num_slices > 1
    touched = [bool(own & set(plan.sliced)) for own in plan.tree.depends[6:]]
    assert not all(touched)
    assert plan.overhead < plan.num_slices
    np.testing.assert_allclose(contract(network, plan), einsum(network), rtol=1e-3)
