"""Noise models: where channels go, through Repeat, feed-forward and transformations."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qjax.circuits import (
    Channel,
    Circuit,
    Conditional,
    Measure,
    Repeat,
    Reset,
    ccx,
    cx,
    cz,
    h,
    hardware_efficient,
    pauli,
    ry,
    unroll,
    x,
    z,
)
from qjax.noise import (
    Idling,
    NoiseModel,
    Rule,
    amplitude_damping,
    bit_flip,
    depolarizing,
    phase_flip,
    two_qubit_depolarizing,
)
from qjax.simulate import expectation, run
from qjax.states import DensityMatrix
from tests import oracle_channels, oracles


def names(circuit: Circuit) -> list[tuple[str, tuple[int, ...]]]:
    return [(operation.name, operation.wires) for operation in circuit.operations]


def test_channels_follow_gates_and_precede_measurements():
    model = NoiseModel(
        one_qubit=(depolarizing(0.1, 5), amplitude_damping(0.1, 0)),
        many_qubit=(two_qubit_depolarizing(0.1, (3, 1)), bit_flip(0.1, 0)),
        measurement=(bit_flip(0.2, 0),),
    )
    noisy = model(Circuit([h(1), cx(2, 0), Measure((0, 2))], 3))
    assert names(noisy) == [
        ("H", (1,)),
        ("Depolarizing", (1,)),
        ("AmplitudeDamping", (1,)),
        ("CX", (2, 0)),
        ("Depolarizing2", (2, 0)),
        ("BitFlip", (2,)),
        ("BitFlip", (0,)),
        ("BitFlip", (0,)),
        ("BitFlip", (2,)),
        ("M", (0, 2)),
    ]


@pytest.mark.x64
def test_noisy_circuit_is_the_oracles_state():
    model = NoiseModel(
        (amplitude_damping(0.2, 0),), (two_qubit_depolarizing(0.3, (0, 1)),)
    )
    final = run(
        model(Circuit([ry(0.7, 1), cx(1, 0)], 2)),
        DensityMatrix.zeros(2, jnp.complex128),
    )
    rho = oracles.density(oracles.zero_state(2))
    for matrix, channel, wires in (
        (oracles.gate("ry", 0.7), oracle_channels.amplitude_damping(0.2), (1,)),
        (oracles.gate("cx"), oracle_channels.depolarizing(0.3), (1, 0)),
    ):
        full = oracles.embed(matrix, wires, 2)
        rho = oracle_channels.on_register(channel, full @ rho @ full.conj().T, wires)
    np.testing.assert_allclose(final.matrix(), rho, atol=1e-13)


def test_repeat_stays_one_layer_and_equals_the_unrolled_circuit():
    angles = jax.random.normal(jax.random.key(1), (3, 2, 2))
    circuit = hardware_efficient(angles)
    model = NoiseModel((depolarizing(0.1, 0),), (bit_flip(0.05, 0),))
    noisy = model(circuit)
    assert [type(operation) for operation in noisy.operations] == [Repeat]
    rolled = run(noisy, DensityMatrix.zeros(2)).matrix()
    unrolled = run(model(unroll(circuit)), DensityMatrix.zeros(2)).matrix()
    np.testing.assert_allclose(rolled, unrolled, atol=1e-6)


def test_nested_repeat():
    def layer(angle):
        return Circuit([ry(angle, 0)], 1)

    def block(angles):
        return Circuit([Repeat(jax.vmap(layer)(angles), 2)], 1)

    angles = jnp.arange(6.0).reshape(3, 2)
    circuit = Circuit([Repeat(jax.vmap(block)(angles), 3)], 1)
    model = NoiseModel((amplitude_damping(0.1, 0),))
    rolled = run(model(circuit), DensityMatrix.zeros(1)).matrix()
    unrolled = run(model(unroll(circuit)), DensityMatrix.zeros(1)).matrix()
    np.testing.assert_allclose(rolled, unrolled, atol=1e-6)


def test_a_gate_that_is_not_done_makes_no_noise():
    model = NoiseModel((bit_flip(1.0, 0),))
    feedback = Circuit([Measure((0,)), Conditional(x(1), (-1,), (1,))], 2)
    final = run(model(feedback), DensityMatrix.zeros(2))
    np.testing.assert_allclose(final.probabilities((1,)), [1, 0], atol=1e-6)
    # Where it is done, X and the certain bit flip cancel.
    noisy = Circuit([x(0)], 2) + model(feedback)
    final = run(noisy, DensityMatrix.zeros(2))
    np.testing.assert_allclose(final.probabilities((1,)), [1, 0], atol=1e-6)


def test_strength_of_a_model_is_batched_and_differentiated_under_one_jit():
    circuit = hardware_efficient(jnp.full((3, 2, 2), 0.3))

    @jax.jit
    @jax.vmap
    @jax.value_and_grad
    def energy(strength):
        noisy = NoiseModel((depolarizing(strength, 0),))(circuit)
        return expectation(run(noisy, DensityMatrix.zeros(2)), pauli("Z", 0))

    strengths = jnp.asarray([0.0, 0.1, 0.2])
    values, slopes = energy(strengths)
    assert slopes[0] < 0 and np.all(np.diff(values) < 0)
    step = 1e-2
    central = (energy(strengths[1:] + step)[0] - energy(strengths[1:] - step)[0]) / (
        2 * step
    )
    np.testing.assert_allclose(slopes[1:], central, rtol=2e-3)


def test_channels_too_wide_for_a_rule_or_gate_are_refused():
    pair = two_qubit_depolarizing(0.1, (0, 1))
    with pytest.raises(ValueError, match="`channels` must act on at most 1 wires"):
        NoiseModel((pair,))
    with pytest.raises(ValueError, match="`channels` must act on at most 1 wires"):
        NoiseModel(measurement=(pair,))
    with pytest.raises(ValueError, match="must act on one wire, or on all of CCX"):
        NoiseModel(many_qubit=(pair,))(Circuit([ccx(0, 1, 2)], 3))


def test_no_rules_change_nothing():
    circuit = Circuit([h(0), z(0)], 1)
    assert names(NoiseModel()(circuit)) == names(circuit)


# --- rules ----------------------------------------------------------------------------


def noisy_names(circuit: Circuit, *rules: Rule, **options) -> list:
    return names(NoiseModel(rules=rules, **options)(circuit))


def test_every_rule_that_matches_adds_its_channels_in_the_order_of_the_rules():
    rules = [
        Rule([bit_flip(0.1, 0)]),
        Rule([phase_flip(0.1, 0)], "H"),
        Rule([depolarizing(0.1, 0)], ["X", "H"], [0, 2]),
        Rule([amplitude_damping(0.1, 0)], wires=[1]),
    ]
    assert noisy_names(Circuit([h(0), x(1), x(0)], 3), *rules) == [
        ("H", (0,)),
        ("BitFlip", (0,)),
        ("PhaseFlip", (0,)),
        ("Depolarizing", (0,)),
        ("X", (1,)),
        ("BitFlip", (1,)),
        ("AmplitudeDamping", (1,)),
        ("X", (0,)),
        ("BitFlip", (0,)),
        ("Depolarizing", (0,)),
    ]


@pytest.mark.parametrize("ordered", [True, False])
def test_a_pair_matches_in_its_order_or_in_both(ordered: bool):
    pair = two_qubit_depolarizing(0.1, (7, 5))
    rule = Rule([pair], "CX", [(0, 1)], ordered=ordered)
    circuit = Circuit([cx(0, 1), cx(1, 0), cx(1, 2), cz(0, 1)], 3)
    got = [wires for name, wires in noisy_names(circuit, rule) if name != "CX"]
    both = [] if ordered else [(1, 0)]
    assert got == [(0, 1), *both, (0, 1)]


def test_channels_on_named_wires_stay_there_and_may_be_neighbours():
    spectator = Rule(
        [phase_flip(0.1, 3), bit_flip(0.1, 0)], "CX", [(1, 0)], named_wires=True
    )
    assert noisy_names(Circuit([cx(1, 0)], 4), spectator) == [
        ("CX", (1, 0)),
        ("PhaseFlip", (3,)),
        ("BitFlip", (0,)),
    ]


def test_measurements_and_resets_match_wire_by_wire():
    rules = [
        Rule([bit_flip(0.1, 0)], moment="measurement", wires=[2]),
        Rule([phase_flip(0.1, 0)], moment="reset"),
    ]
    assert noisy_names(Circuit([Measure((0, 2)), Reset((1, 0)), h(2)], 3), *rules) == [
        ("BitFlip", (2,)),
        ("M", (0, 2)),
        ("|0>", (1, 0)),
        ("PhaseFlip", (1,)),
        ("PhaseFlip", (0,)),
        ("H", (2,)),
    ]


def test_a_conditional_matches_by_the_name_of_what_it_does():
    feedback = Circuit([Measure(0), Conditional(x(1), (-1,), (1,))], 2)
    circuit = feedback + Circuit([Conditional(Reset(0), (-1,), (0,))], 2)
    rules = [
        Rule([bit_flip(0.1, 0)], "X"),
        Rule([phase_flip(0.1, 0)], "H"),
        Rule([phase_flip(0.1, 0)], moment="reset"),
    ]
    assert noisy_names(circuit, *rules) == [
        ("M", (0,)),
        ("if[-1]=1: X", (1,)),
        ("if[-1]=1: BitFlip", (1,)),
        ("if[-1]=0: |0>", (0,)),
        ("if[-1]=0: PhaseFlip", (0,)),
    ]


def test_a_complete_model_refuses_what_no_rule_is_for():
    model = NoiseModel(
        rules=[
            Rule([], ["RZ", "H"]),
            Rule([bit_flip(0.1, 0)], "CX", [(0, 1)]),
            Rule([], wires=[0], moment="measurement"),
        ],
        complete=True,
    )
    fine = Circuit([h(0), cx(0, 1), Measure(0)], 3)
    assert len(model(fine).operations) == 5
    for operation, message in (
        (x(1), r"a rule is for \(RZ, H, CX\), but is using X on \(1,\)"),
        (cx(0, 2), r"use CX on wires .* \(\(0, 1\)\), but is using it on \(0, 2\)"),
        (Measure((0, 2)), r"use M on wires .* \(\(0,\)\), but is using it on \(2,\)"),
        (Reset(1), r"a rule is for \(no gates\), but is using \|0> on \(1,\)"),
        (Conditional(x(1), (-1,), (1,)), "but is using X on"),
    ):
        with pytest.raises(ValueError, match=message):
            model(Circuit([Measure(0), operation], 3))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"duration": -1.0}, "`duration` must be at least 0"),
        ({"moment": "idle"}, "`moment` must be one of"),
        ({"moment": "reset", "names": "X"}, "`names` must be None"),
        ({"wires": [(0, 0)]}, "`wires` must not repeat"),
    ],
)
def test_rules_that_say_nothing_sensible_are_refused(options: dict, message: str):
    with pytest.raises(ValueError, match=message):
        Rule([], **options)


# --- waiting --------------------------------------------------------------------------

T1, T2 = np.asarray([50.0, 40.0, 30.0]), np.asarray([60.0, 20.0, 60.0])
TIMED = (
    Rule([], ["H", "X"], duration=2),
    Rule([], "Z"),
    Rule([], "CX", duration=5),
    Rule([], "CX", [(1, 2)], duration=7),
    Rule([], moment="measurement", duration=11),
)


def waits(circuit: Circuit) -> list[tuple[str, tuple[int, ...], float]]:
    """Operations, with the time of a wait read off its Kraus operators."""
    found = []
    model = NoiseModel(rules=TIMED, idling=Idling(T1, T2))
    for operation in model(circuit).operations:
        time = 0.0
        if isinstance(operation, Channel):
            # exp(-t / T1) is left of |1><1|.
            (wire,) = operation.wires
            left = sum(abs(kraus[1, 1]) ** 2 for kraus in operation.kraus)
            time = round(float(-T1[wire] * np.log(left)), 2)
        found.append((operation.name, operation.wires, time))
    return found


WAIT = "ThermalRelaxation"


def test_wires_relax_while_they_wait_for_the_next_operation_and_for_the_end():
    circuit = Circuit([h(0), x(0), z(1), cx(0, 1), cx(1, 2)], 3)
    # H, X end at 4; CX 4..9; the longer of two rules for CX on (1, 2): 9..16.
    assert waits(circuit) == [
        ("H", (0,), 0),
        ("X", (0,), 0),
        ("Z", (1,), 0),
        (WAIT, (1,), 4),
        ("CX", (0, 1), 0),
        (WAIT, (2,), 9),
        ("CX", (1, 2), 0),
        (WAIT, (0,), 7),
    ]


def test_a_conditional_gate_waits_for_the_readings():
    circuit = Circuit([Measure(0), Conditional(x(1), (-1,), (1,)), x(2)], 3)
    assert waits(circuit) == [
        ("M", (0,), 0),
        (WAIT, (1,), 11),
        ("if[-1]=1: X", (1,), 0),
        ("X", (2,), 0),
        (WAIT, (0,), 2),
        (WAIT, (2,), 11),
    ]


def test_wires_start_together_around_a_repeat_and_in_each_repetition():
    body = jax.vmap(lambda angle: Circuit([x(0), ry(angle, 1)], 2))(jnp.zeros(4))
    model = NoiseModel(rules=TIMED, idling=Idling(T1, T2))
    noisy = model(Circuit([cx(1, 2), Repeat(body, 4), x(0)], 3))
    assert [(op.name, op.wires) for op in noisy.operations] == [
        ("CX", (1, 2)),
        (WAIT, (0,)),
        ("Repeat4", (0, 1, 2)),
        ("X", (0,)),
        (WAIT, (1,)),
        (WAIT, (2,)),
    ]
    repeat = noisy.operations[2]
    assert isinstance(repeat, Repeat)
    inside = [(op.name, op.wires) for op in repeat.operations]
    assert inside == [("X", (0,)), ("RY", (1,)), (WAIT, (1,)), (WAIT, (2,))]
    written_out = [op for index in range(4) for op in repeat.layer(index).operations]
    flat = Circuit([*noisy.operations[:2], *written_out, *noisy.operations[3:]], 3)
    rolled = run(noisy, DensityMatrix.zeros(3)).matrix()
    np.testing.assert_allclose(rolled, run(flat, DensityMatrix.zeros(3)).matrix())


@pytest.mark.x64
def test_waiting_is_the_oracles_relaxation():
    circuit = Circuit([ry(1.1, 0), ry(0.4, 1), x(1)], 2)
    model = NoiseModel(rules=TIMED, idling=Idling(T1[:2], T2[:2]))
    final = run(model(circuit), DensityMatrix.zeros(2, jnp.complex128))
    kets = [oracles.gate("ry", angle) @ [1, 0] for angle in (1.1, 0.4)]
    first, second = (np.outer(ket, ket.conj()) for ket in kets)
    wait = oracle_channels.thermal_relaxation(T1[0], T2[0], 2.0, 0.0)
    first = wait(first)
    flip = oracles.gate("x")
    expected = np.kron(first, flip @ second @ flip)
    np.testing.assert_allclose(final.matrix(), expected, atol=1e-13)


def test_times_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="`t1` must be positive"):
        Idling(T1 - 50, T2)
    with pytest.raises(ValueError, match="`t2` must have the shape"):
        Idling(T1, T2[:1])
    model = NoiseModel(rules=TIMED, idling=Idling(T1[:1], 3 * T1[:1]))
    with pytest.raises(ValueError, match="satisfy t2 <= 2 t1"):
        model(Circuit([x(1), z(0)], 2))
    with pytest.raises(ValueError, match="lie in \\[0, 1\\) to wait, but is 1"):
        model(Circuit([x(0)], 2))
