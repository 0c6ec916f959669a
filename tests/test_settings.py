"""Tests run under the settings that they rely on (tests/conftest.py)."""

import hypothesis
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qjax.data.idx import parse_idx


def test_types_do_not_promote_silently():
    with pytest.raises(Exception, match="no available implicit dtype promotion"):
        jnp.add(jnp.ones(2, jnp.float32), jnp.ones(2, jnp.int32))


def test_ranks_do_not_promote_silently():
    with pytest.raises(ValueError, match="jax_numpy_rank_promotion"):
        jnp.add(jnp.ones((2, 2)), jnp.ones(2))


@jax.jit
def double(x):
    return x * 2


def test_types_are_short_by_default():
    assert double(1.0).dtype == jnp.float32


def test_the_fixture_gives_long_types_also_to_a_function_compiled_before(x64):
    assert double(1.0).dtype == jnp.float64


@pytest.mark.x64
@hypothesis.given(st.floats(1, 2))
def test_the_mark_gives_long_types_under_hypothesis(value: float):
    assert double(value).dtype == jnp.float64
    assert float(double(value)) == 2 * value


def test_keys_are_distinct_and_depend_on_the_test_only(getkey):
    first, second = getkey(), getkey()
    assert not bool(jnp.all(jax.random.key_data(first) == jax.random.key_data(second)))
    again = type(getkey)(getkey.seed)
    np.testing.assert_array_equal(
        jax.random.key_data(again()), jax.random.key_data(first)
    )


def test_annotations_are_checked():
    with pytest.raises(Exception, match=r"parse_idx"):
        parse_idx("not bytes", "name")  # pyright: ignore[reportArgumentType]
