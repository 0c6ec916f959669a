"""Every bound that ships with qjax, by id."""

import functools
from collections.abc import Callable

from qjax.bounds.bound import Bound
from qjax.bounds.memory.memory_noise import MEMORY_NOISES
from qjax.bounds.theorems.a1 import theorem_a1
from qjax.bounds.theorems.a2 import corollary_a2
from qjax.bounds.theorems.a3 import damping_readout_floor, readout_floor
from qjax.bounds.theorems.a4 import block_depth_cap, depth_cap
from qjax.bounds.theorems.a5 import block_update_lifetime, update_lifetime
from qjax.bounds.theorems.a6 import (
    corollary_a6,
    corollary_a6_any_set,
    corollary_a6_delete,
    corollary_a6_noiseless,
)
from qjax.bounds.theorems.a7 import corollary_a7
from qjax.bounds.theorems.a8 import (
    damping_strong_converse,
    relaxation_strong_converse,
    strong_converse,
)
from qjax.bounds.theorems.a9 import classical_fingerprints, no_advantage
from qjax.bounds.theorems.b1 import theorem_b1, theorem_b1_signs
from qjax.bounds.theorems.b1_alphabet import (
    theorem_b1_entropy_power,
    theorem_b1_fano,
)
from qjax.bounds.theorems.b1_batch import batch_size, batch_success
from qjax.bounds.theorems.b2 import design_effect, shots_anticommuting, theorem_b2
from qjax.bounds.theorems.literal_a import literal_a
from qjax.bounds.theorems.literal_b import READINGS, literal_b
from qjax.bounds.theorems.qlsh_dominance import qlsh_dominance
from qjax.bounds.theorems.qlsh_expectation import (
    qlsh_aliasing,
    qlsh_amplitude,
    qlsh_fidelity,
    qlsh_noise,
    qlsh_second_moment,
    qlsh_slope,
)
from qjax.bounds.theorems.qlsh_literal import (
    qlsh_literal,
    qlsh_literal_growth,
    qlsh_literal_noise,
    qlsh_literal_variance,
)
from qjax.bounds.theorems.qlsh_readout import (
    qlsh_local_swap,
    qlsh_quadrature,
    qlsh_variance,
)

OTHER_NOISES = tuple(name for name in MEMORY_NOISES if name != "depolarizing")

BOUNDS: dict[str, Callable[[], Bound]] = {
    "A1": theorem_a1,
    **{f"A1/{name}": functools.partial(theorem_a1, name) for name in OTHER_NOISES},
    "A2": corollary_a2,
    "A2/block": functools.partial(corollary_a2, "block"),
    "A3": readout_floor,
    "A3/damping": damping_readout_floor,
    "A4": depth_cap,
    "A4/block": block_depth_cap,
    "A5": update_lifetime,
    "A5/block": block_update_lifetime,
    "A6": corollary_a6,
    "A6/noiseless": corollary_a6_noiseless,
    "A6/any-set": corollary_a6_any_set,
    "A6/delete": corollary_a6_delete,
    "A7": corollary_a7,
    "A8": strong_converse,
    "A8/damping": damping_strong_converse,
    "A8/relaxation": relaxation_strong_converse,
    "A9": no_advantage,
    "A9/classical": classical_fingerprints,
    "B1": theorem_b1,
    "B1/signs": theorem_b1_signs,
    "B1/fano": theorem_b1_fano,
    "B1/entropy-power": theorem_b1_entropy_power,
    "B1'": batch_size,
    "B1'/joint": batch_success,
    "B2": theorem_b2,
    "B2/anticommuting": shots_anticommuting,
    "B2/design-effect": design_effect,
    "Q-LSH/amplitude": qlsh_amplitude,
    "Q-LSH/fidelity": qlsh_fidelity,
    "Q-LSH/second-moment": qlsh_second_moment,
    "Q-LSH/slope": qlsh_slope,
    "Q-LSH/noise": qlsh_noise,
    "Q-LSH/aliasing": qlsh_aliasing,
    "Q-LSH/quadrature": qlsh_quadrature,
    "Q-LSH/local-swap": qlsh_local_swap,
    "Q-LSH/variance": qlsh_variance,
    "Q-LSH/dominance": qlsh_dominance,
    "Q-LSH/literal": qlsh_literal,
    "Q-LSH/literal-growth": qlsh_literal_growth,
    "Q-LSH/literal-variance": qlsh_literal_variance,
    "Q-LSH/literal-noise": qlsh_literal_noise,
    "literal-A": literal_a,
    **{f"literal-B/{name}": functools.partial(literal_b, name) for name in READINGS},
}
"""Builders of the bounds that ship with qjax, by id."""
