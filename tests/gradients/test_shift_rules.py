"""Shift rules: exact for their frequencies, as cheap as they can be."""

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest

from qjax.circuits import (
    GATES,
    Circuit,
    controlled,
    crx,
    gate,
    hardware_efficient,
    pauli_rotation,
    ry,
    template,
    u3,
)
from qjax.gradients import frequencies, shift_rule
from qjax.gradients.shift_rules import gate_frequencies


def slope_by_rule(omega, cosines, sines, at):
    """The rule applied to sum_k b_k cos(w_k x) + c_k sin(w_k x), and the derivative."""
    rule = shift_rule(tuple(omega))
    phases = np.multiply.outer(at + rule.shifts, omega)
    values = np.cos(phases) @ cosines + np.sin(phases) @ sines + 0.7
    here = at * np.asarray(omega)
    exact = omega * (sines * np.cos(here) - cosines * np.sin(here))
    return rule.coefficients @ values, exact.sum()


@hypothesis.given(
    st.lists(st.integers(1, 40), min_size=1, max_size=6, unique=True),
    st.floats(0.1, 5.0),
    st.integers(0, 2**32 - 1),
)
def test_any_set_of_frequencies_is_differentiated_exactly(steps, unit, seed):
    omega = unit * np.asarray(steps, float)
    rng = np.random.default_rng(seed)
    weights = rng.normal(size=(2, omega.size))
    found, exact = slope_by_rule(omega, *weights, at=rng.uniform(-4, 4))
    np.testing.assert_allclose(found, exact, atol=1e-6 * omega.max() * omega.size)
    assert shift_rule(tuple(omega)).shifts.size <= 2 * omega.size


def test_incommensurate_frequencies_are_differentiated_exactly():
    rng = np.random.default_rng(1)
    for omega in ([1.0, np.sqrt(2)], [0.3, 1.0, np.pi], [1.0, 1.01, 2.5]):
        weights = rng.normal(size=(2, len(omega)))
        found, exact = slope_by_rule(np.asarray(omega), *weights, at=0.4)
        np.testing.assert_allclose(found, exact, atol=1e-6)


def test_equidistant_rules_are_those_of_the_literature():
    two = shift_rule([1.0])
    np.testing.assert_allclose(two.shifts, [np.pi / 2, -np.pi / 2])
    np.testing.assert_allclose(two.coefficients, [0.5, -0.5])
    four = shift_rule([1.0, 0.5])
    np.testing.assert_allclose(np.abs(four.shifts[:2]), [np.pi / 2, 3 * np.pi / 2])
    # Crooks 2019: (sqrt(2) +- 1) / (4 sqrt(2)).
    known = [(np.sqrt(2) + 1) / (4 * np.sqrt(2)), (np.sqrt(2) - 1) / (4 * np.sqrt(2))]
    np.testing.assert_allclose(np.abs(four.coefficients[:2]), known)


@pytest.mark.parametrize("omega", [(1.0,), (0.5, 1.0), (1.0, 2.0, 3.0)])
def test_equidistant_rules_cost_what_bernstein_allows(omega):
    """|f'| <= w_max max|f| makes w_max the least sum of |coefficients|."""
    rule = shift_rule(omega)
    np.testing.assert_allclose(np.abs(rule.coefficients).sum(), max(omega))


def test_other_rules_cost_little_more():
    rule = shift_rule((1.0, np.sqrt(2)))
    assert np.sqrt(2) - 1e-9 <= np.abs(rule.coefficients).sum() < 1.5


def test_no_frequency_needs_no_term_and_equal_ones_count_once():
    assert shift_rule(()).shifts.shape == (0,)
    assert shift_rule((1.0, 1.0 + 1e-13)).shifts.shape == (2,)


@pytest.mark.parametrize("bad", [(0.0,), (-1.0, 1.0), (np.inf,)])
def test_frequencies_that_are_not_positive_are_refused(bad):
    with pytest.raises(ValueError, match="`frequencies` must be positive numbers"):
        shift_rule(bad)


# --- spectra of gates and circuits ----------------------------------------------------


def rounded(found):
    return tuple(tuple(round(one, 9) for one in entry) for entry in found)


def test_frequencies_of_the_gate_table():
    expected = {"U3": ((1.0,),) * 3}
    expected |= {f"CR{axis}": ((0.5, 1.0),) for axis in "XYZ"}
    for name, spec in GATES.items():
        one = ((1.0,),) if spec.num_params else ()
        assert rounded(gate_frequencies(spec)) == expected.get(name, one)
    assert rounded(gate_frequencies(GATES["RX"], controlled=True)) == ((0.5, 1.0),)


def test_a_shared_parameter_has_the_differences_of_sums():
    def build(x):
        turns = [ry(x[0], 0), ry(3 * x[0], 1), crx(0.5 * x[1] + 0.2, 0, 1)]
        return Circuit([*turns, pauli_rotation(x[0] - x[2], "XZ", (0, 1))], 2)

    first, second, third, unused = frequencies(build, np.zeros(4))
    np.testing.assert_allclose(first, [1, 2, 3, 4, 5])
    np.testing.assert_allclose(second, [0.25, 0.5])
    np.testing.assert_allclose(third, [1])
    assert unused == ()


def test_frequencies_of_a_repeat_and_of_a_template():
    found = frequencies(hardware_efficient, np.zeros((2, 2, 2), np.float32))
    assert found == ((1.0,),) * 8

    def loop(x):
        return Circuit([gate("RY", 0, x[0] / 2) for _ in range(4)], 1)

    bound = template(loop, np.zeros(1, np.float32))
    (found,) = frequencies(bound, np.zeros(1, np.float32))
    np.testing.assert_allclose(found, [0.5, 1, 1.5, 2])


def test_a_controlled_gate_has_the_frequencies_of_its_control():
    def build(x):
        return Circuit([controlled(u3(x[0], x[1], 0.1, 1), 0)], 2)

    first, second = frequencies(build, np.zeros(2, np.float32))
    np.testing.assert_allclose(first, [0.5, 1])
    np.testing.assert_allclose(second, [1])


def test_angles_that_are_not_affine_are_refused():
    with pytest.raises(ValueError, match="affine function of its parameters"):
        frequencies(lambda x: Circuit([ry(x[0] ** 2, 0)], 1), np.ones(1))


def test_too_many_frequencies_are_refused():
    def build(x):
        return Circuit([ry(2**k * np.pi * x[0], 0) for k in range(12)], 1)

    with pytest.raises(ValueError, match="at most 2000 frequencies"):
        frequencies(build, np.ones(1))
