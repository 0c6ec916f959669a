"""Pauli words pushed past gates, against Kronecker products; which words are drawn."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qjax.circuits import (
    GATES,
    Channel,
    Circuit,
    Gate,
    Measure,
    Repeat,
    cx,
    cz,
    h,
    pauli_rotation,
    rx,
    ry,
    rz,
    t,
    unroll,
)
from qjax.noise import (
    CHANNELS,
    amplitude_damping,
    bit_flip,
    bit_phase_flip,
    build,
    depolarizing,
    draw_unitaries,
    mixed_unitary,
    phase_flip,
    two_qubit_depolarizing,
)
from qjax.noise.pauli_frames import (
    as_repeats,
    draw_frames,
    has_pauli_noise,
    noiseless,
    segments,
)
from tests import oracles, strategies

CLIFFORD = ("x", "y", "z", "h", "s", "sdg", "sx", "sxdg", "cx", "cy", "cz", "swap")
OTHER = ("t", "rx", "rz", "rzz", "crx", "phase", "u3", "ccx", "unitary", "rotation")


def word_matrix(masks: np.ndarray, num_wires: int) -> np.ndarray:
    """Kronecker product of a frame's letters."""
    bits = [masks >> (num_wires - 1 - wire) & 1 for wire in range(num_wires)]
    letters = "".join("IXZY"[int(x) + 2 * int(z)] for x, z in bits)
    return oracles.pauli_word(letters, range(num_wires), num_wires)


def same_up_to_phase(one: np.ndarray, other: np.ndarray) -> bool:
    return bool(abs(abs(np.vdot(one, other)) / len(one) - 1) < 1e-9)


# --- pushing --------------------------------------------------------------------------


def random_noise(rng: np.random.Generator, num_wires: int) -> Channel:
    wires = tuple(map(int, rng.permutation(num_wires)[:2]))
    builders = (bit_flip, phase_flip, bit_phase_flip, depolarizing)
    chosen = rng.integers(len(builders) + 1)
    if chosen == len(builders):
        return two_qubit_depolarizing(0.1, wires)
    return builders[chosen](0.1, wires[0])


@pytest.mark.parametrize("seed", range(12))
def test_words_behind_the_gates_do_what_they_did_where_they_were(seed):
    """Clifford gates with a few others between; the mutant does not push."""
    rng, n = np.random.default_rng([41, seed]), 4
    operations, in_time, chosen, plain = [], [], {}, {}
    for position in range(40):
        if rng.random() < 0.3:
            channel = random_noise(rng, n)
            assert channel.paulis is not None
            number = int(rng.integers(len(channel.paulis)))
            word = channel.paulis[number]
            operations.append(channel)
            in_time.append(oracles.pauli_word(word, channel.wires, n))
            chosen[position] = number
            alone = segments(Circuit([channel], n))[0].frames[0]
            plain[position] = alone[number]
        else:
            names = CLIFFORD if rng.random() < 0.85 else OTHER
            step = strategies.random_step(rng, str(rng.choice(names)), n)
            operations.append(strategies.build_step(step))
            in_time.append(oracles.embed(strategies.matrix(step), step.wires, n))
    expected = np.eye(2**n)
    for matrix in in_time:
        expected = matrix @ expected
    found = segments(Circuit(operations, n))
    done = sorted(p for s in found for p in (*s.gates, *s.channels))
    assert done == list(range(40))
    right, mutant = np.eye(2**n), np.eye(2**n)
    for segment in found:
        for position in segment.gates:
            right, mutant = in_time[position] @ right, in_time[position] @ mutant
        for position, frames in zip(segment.channels, segment.frames, strict=True):
            right = word_matrix(frames[chosen[position]], n) @ right
            mutant = word_matrix(plain[position], n) @ mutant
    assert same_up_to_phase(right, expected)
    assert not same_up_to_phase(mutant, expected)


@pytest.mark.parametrize("name", sorted(GATES))
def test_what_passes_a_gate_of_the_table_and_what_does_not(name):
    """A word stays in one segment with the gate exactly if the oracle lets it pass."""
    spec, rng = GATES[name], np.random.default_rng(5)
    wires = tuple(range(spec.num_wires))
    letters = ["".join(w) for w in itertools.product("IXYZ", repeat=len(wires))]
    words = {word: oracles.pauli_word(word, wires, len(wires)) for word in letters}
    params = [rng.uniform(0.1, 1.0, spec.num_params) for _ in range(2)]
    for word, matrix in words.items():
        channel = Channel(matrix[None], wires, weights=np.ones(1), paulis=(word,))
        image, passes = None, True
        for values in params:
            gate = np.asarray(Gate(values, wires, spec).matrix(), complex)
            moved = gate @ matrix @ gate.conj().T
            same = [
                w for w in letters if abs(np.vdot(words[w], moved)) > 0.999 * len(gate)
            ]
            passes = passes and len(same) == 1 and image in (None, same[0])
            image = same[0] if same else None
        gate = Gate(params[0], wires, spec)
        found = segments(Circuit([channel, gate], len(wires)))
        assert (len(found) == 1) == passes
        if passes:
            (frame,) = found[0].frames
            assert image is not None
            np.testing.assert_allclose(
                abs(word_matrix(frame[0], len(wires))), abs(words[image])
            )
            assert same_up_to_phase(word_matrix(frame[0], len(wires)), words[image])


def test_a_layer_with_its_noise_in_the_clifford_part_is_one_segment():
    noise = [depolarizing(0.1, 0), depolarizing(0.1, 1)]
    layer = [ry(0.1, 0), rz(0.2, 0), ry(0.3, 1), cx(0, 1), *noise, cz(1, 2), h(2)]
    assert len(segments(Circuit(layer, 3))) == 1
    # Phase flips pass rotations about z; wires without noise do not wait.
    passing = [phase_flip(0.1, 0), rz(0.1, 0), t(0), cx(0, 1), ry(0.3, 2)]
    assert len(segments(Circuit(passing, 3))) == 1
    stopped = [phase_flip(0.1, 0), rx(0.1, 0), bit_flip(0.1, 1), pauli_rotation(
        0.3, "XY", (2, 1)), ry(0.1, 3), bit_flip(0.1, 0), rx(0.1, 0)]  # fmt: skip
    first, second = segments(Circuit(stopped, 4))
    assert first.gates == (4,) and second.gates == (1, 3, 6)


def test_which_circuits_have_pauli_noise_only():
    def repeated(*operations):
        body = jax.vmap(lambda _: Circuit(operations, 2))(jnp.zeros(3))
        return Repeat(body, 3)

    good = [h(0), bit_flip(0.1, 0), repeated(depolarizing(0.1, 1), cx(0, 1))]
    assert has_pauli_noise(Circuit(good, 2))
    unknown = mixed_unitary(np.ones(1), np.eye(2)[None], 0)
    nested = repeated(repeated(depolarizing(0.1, 1)))
    for other in (amplitude_damping(0.1, 0), Measure(0), unknown, nested):
        assert not has_pauli_noise(Circuit([*good, other], 2))


# --- drawing --------------------------------------------------------------------------


def noisy(strength) -> Circuit:
    """Straight parts, two repeated ones, one of them of several segments."""

    def first(angle):
        pair = two_qubit_depolarizing(strength, (2, 0))
        return Circuit([ry(angle, 0), cx(0, 1), pair, cx(1, 2), bit_flip(0.4, 1)], 3)

    def second(angle):
        noise = [depolarizing(strength, wire) for wire in range(3)]
        return Circuit([rx(angle, 1), *noise, cz(0, 2), ry(angle, 0), *noise], 3)

    return Circuit(
        [
            bit_phase_flip(strength, 1),
            h(0),
            Repeat(jax.vmap(first)(jnp.arange(3.0)), 3),
            phase_flip(strength, 0),
            Repeat(jax.vmap(second)(jnp.arange(2.0)), 2),
            h(1),
        ],
        3,
    )


def test_the_drawn_words_are_the_unitaries_drawn_of_the_same_key(key, x64):
    """Whole circuits as matrices, up to a phase; the mutant leaves out the words."""
    keys = jax.random.split(key, 6)
    drawn, log_probs = jax.vmap(draw_unitaries, in_axes=(0, None))(keys, noisy(0.5))
    # NumPy from here on: thousands of tiny arrays.
    drawn = jax.tree.map(np.asarray, drawn)
    repeats = jax.tree.map(np.asarray, as_repeats(noisy(0.5)))
    frames, logs = jax.jit(jax.vmap(lambda k: draw_frames(k, repeats)))(keys)
    np.testing.assert_allclose(logs, log_probs, rtol=1e-12)
    for row in range(len(keys)):
        one = unroll(jax.tree.map(lambda leaf, row=row: leaf[row], drawn))
        expected = product(one)
        right, mutant, number = np.eye(8), np.eye(8), 0
        for repeat, index in [(r, i) for r in repeats for i in range(r.depth)]:
            for segment in segments(repeat.body):
                gates = product(noiseless(repeat.layer(index), segment))
                word = word_matrix(np.asarray(frames)[row, number], 3)
                right, mutant = word @ gates @ right, gates @ mutant
                number += 1
        assert number == frames.shape[1]
        assert same_up_to_phase(right, expected)
        assert not same_up_to_phase(mutant, expected)


def product(circuit: Circuit) -> np.ndarray:
    total = np.eye(2**circuit.num_wires)
    for operation in circuit.operations:
        matrix = np.asarray(operation.matrix())  # pyright: ignore[reportAttributeAccessIssue]
        total = oracles.embed(matrix, operation.wires, circuit.num_wires) @ total
    return total


def test_a_circuit_without_noise_has_no_words(key):
    frames, log_prob = draw_frames(key, as_repeats(Circuit([h(0), cx(0, 1)], 2)))
    assert frames.tolist() == [[0, 0]] and log_prob == 0


# --- the channel's words --------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(CHANNELS))
def test_the_words_of_a_channel_are_its_unitaries(name):
    strengths = (50.0, 60.0, 5.0, 0.1) if name == "thermal_relaxation" else None
    strengths = strengths or (0.2,) * len(CHANNELS[name].parameters)
    wires = tuple(range(CHANNELS[name].num_wires))
    channel = build(name, strengths, wires)
    assert (channel.paulis is None) == (channel.weights is None)
    for word, matrix in zip(channel.paulis or (), channel.operators, strict=False):
        expected = oracles.pauli_word(word, wires, len(wires))
        np.testing.assert_allclose(matrix, expected, atol=1e-7)
    assert channel.checked().paulis == channel.paulis
    assert channel.on(wires[::-1]).paulis == channel.paulis


def test_words_that_do_not_fit_are_refused():
    pair, weights = np.stack([np.eye(2), oracles.X]), np.asarray([0.5, 0.5])
    for words in (("I",), ("I", "XX"), ("I", "A")):
        with pytest.raises(ValueError, match="`paulis` must hold 2 words of 1 letters"):
            Channel(pair, (0,), weights=weights, paulis=words)
    with pytest.raises(ValueError, match="`weights` must go with `paulis`"):
        Channel(pair, (0,), paulis=("I", "X"))
