"""The oracle itself, against identities that do not depend on how it was written."""

import numpy as np
import pytest

from tests import oracle_channels, oracles, stats


def test_embed_of_adjacent_wires_is_a_plain_kronecker_product():
    rng = np.random.default_rng(0)
    matrix = oracles.random_unitary(rng, 4)
    expected = np.kron(np.kron(np.eye(2), matrix), np.eye(2))
    np.testing.assert_allclose(oracles.embed(matrix, (1, 2), 4), expected, atol=1e-14)


def test_embed_on_swapped_wires_conjugates_with_swap():
    rng = np.random.default_rng(1)
    matrix = oracles.random_unitary(rng, 4)
    swap = oracles.gate("swap")
    np.testing.assert_allclose(
        oracles.embed(matrix, (1, 0), 2), swap @ matrix @ swap, atol=1e-14
    )


def test_known_matrices():
    """Entries written out by hand, from the definitions of the gates."""
    r = np.sqrt(0.5)
    eighth = np.exp(0.25j * np.pi)
    swap_i = [[1, 0, 0, 0], [0, 0, 1j, 0], [0, 1j, 0, 0], [0, 0, 0, 1]]
    known = {
        "s": np.diag([1, 1j]),
        "t": np.diag([1, eighth]),
        "sx": np.array([[1 + 1j, 1 - 1j], [1 - 1j, 1 + 1j]]) / 2,
        "h": np.array([[r, r], [r, -r]]),
        "iswap": np.array(swap_i),
        "cx": np.eye(4)[[0, 1, 3, 2]],
        "ccx": np.eye(8)[[0, 1, 2, 3, 4, 5, 7, 6]],
        "cswap": np.eye(8)[[0, 1, 2, 3, 4, 6, 5, 7]],
    }
    for name, matrix in known.items():
        np.testing.assert_allclose(oracles.gate(name), matrix, atol=1e-14, err_msg=name)
    a, b, c = 0.3, 0.5, 0.7
    cos, sin = np.cos(a / 2), np.sin(a / 2)
    expected = [
        [cos, -np.exp(1j * c) * sin],
        [np.exp(1j * b) * sin, np.exp(1j * (b + c)) * cos],
    ]
    np.testing.assert_allclose(oracles.gate("u3", a, b, c), expected, atol=1e-14)


@pytest.mark.parametrize(
    "channel",
    [
        oracle_channels.pauli(0.1, 0.2, 0.3),
        oracle_channels.depolarizing(0.4),
        oracle_channels.generalized_amplitude_damping(0.3, 0.2),
        oracle_channels.thermal_relaxation(50.0, 70.0, 20.0, 0.1),
        oracle_channels.reset(0.2, 0.1),
    ],
)
def test_channel_maps_are_completely_positive_and_trace_preserving(channel):
    choi = oracle_channels.choi(channel, 2)
    assert np.linalg.eigvalsh(choi).min() > -1e-12
    np.testing.assert_allclose(
        np.trace(choi.reshape(2, 2, 2, 2), axis1=1, axis2=3), np.eye(2), atol=1e-12
    )


def test_on_register_of_a_kraus_map_is_the_kraus_sum():
    rng = np.random.default_rng(2)
    kraus = oracles.random_kraus(rng, 3, 4)
    rho = oracles.random_density(rng, 3)
    full = [oracles.embed(k, (2, 0), 3) for k in kraus]
    expected = sum(k @ rho @ k.conj().T for k in full)
    actual = oracle_channels.on_register(oracle_channels.from_kraus(kraus), rho, (2, 0))
    np.testing.assert_allclose(actual, expected, atol=1e-14)


def test_partial_trace_of_a_product_is_its_factor():
    rng = np.random.default_rng(3)
    a, b = oracles.random_density(rng, 1), oracles.random_density(rng, 2)
    np.testing.assert_allclose(
        oracles.partial_trace(np.kron(a, b), (1, 2)), b, atol=1e-14
    )
    swap = oracles.gate("swap")
    np.testing.assert_allclose(
        oracles.partial_trace(np.kron(a, b), (2, 1)), swap @ b @ swap, atol=1e-14
    )


def test_metric_tensor_of_a_bloch_sphere():
    """ry(theta) then rz(phi) on |0>: ds^2 = (dtheta^2 + sin(theta)^2 dphi^2) / 4."""

    def state(params):
        rotations = oracles.gate("rz", params[1]) @ oracles.gate("ry", params[0])
        return rotations @ oracles.zero_state(1)

    actual = oracles.metric_tensor(state, np.array([0.7, 0.4]))
    expected = np.diag([0.25, np.sin(0.7) ** 2 / 4])
    np.testing.assert_allclose(actual, expected, atol=1e-11)


def test_counts_p_value_accepts_the_law_and_rejects_a_biased_one():
    rng = np.random.default_rng(4)
    probs = np.array([0.5, 0.25, 0.2, 0.05])
    counts = rng.multinomial(4096, probs)
    assert stats.counts_p_value(counts, probs) > stats.ALPHA
    assert stats.counts_p_value(counts, probs[::-1]) < stats.ALPHA
    impossible = np.array([1.0, 0.0])
    assert stats.counts_p_value(np.array([100, 1]), impossible) == 0


def test_p_values_are_uniform_under_the_null():
    """A test whose p-values were not uniform would not have the rate it declares."""
    rng = np.random.default_rng(5)
    probs = np.array([0.4, 0.3, 0.2, 0.1])
    draws = rng.multinomial(2000, probs, size=2000)
    small = sum(stats.counts_p_value(row, probs) < 0.05 for row in draws)
    assert stats.binomial_p_value(small, 2000, 0.05) > stats.ALPHA
