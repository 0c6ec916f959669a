"""Profiles of compiled programs: what a kernel is called, and what it does."""

import jax
import jax.numpy as jnp
import pytest

from scripts.bench import kernels


@pytest.mark.parametrize(
    "name,kind",
    [
        ("ynn_fusion.12", "matrix products"),
        ("dot.3", "matrix products"),
        ("gather_bitcast_fusion.72", "permutations"),
        ("broadcast_bitcast_fusion.4", "spreading and filling"),
        ("copy_dynamic-update-slice_fusion.1", "copies, slices and joins"),
        ("concatenate_bitcast_fusion", "copies, slices and joins"),
        ("add_fusion", "everything else"),
    ],
)
def test_names_say_what_a_kernel_does(name, kind):
    assert kernels.kind(name) == kind


def test_the_kernels_of_a_program_are_found_with_their_shapes():
    matrix = jnp.ones((64, 64))
    program = jax.jit(lambda m: m @ m @ m).lower(matrix).compile()
    rows = kernels.durations(lambda: jax.block_until_ready(program(matrix)), 4)
    products = rows[rows["kind"] == "matrix products"]
    assert products["runs"].sum() == pytest.approx(2)  # each call multiplies twice
    text = program.as_text()
    assert text is not None
    shapes = kernels.shapes(text)
    assert {shapes[name] for name in products["kernel"]} == {"f32[64,64]"}
