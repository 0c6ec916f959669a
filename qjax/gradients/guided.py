"""A state whose trajectories can be steered: the likeliest one, or any but that."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Complex, Float, Int

from qjax._linalg import real_to_complex
from qjax._types import Key, Wires
from qjax.states.base import AbstractState
from qjax.states.sampling import draw
from qjax.states.vector import StateVector

_TIE = 1e-3
"""Probabilities this close count as equal: which is likeliest must not hang on
rounding, which differs between compiled programs, and ties such as 1/2 are common."""


class GuidedState(AbstractState):
    """A pure state whose random choices follow the likeliest history down to a level.

    The likeliest history takes the likeliest Kraus operator at every choice. Choices
    follow it until its probability so far falls below `level`, leave it there, and are
    free from then on. So level 0 gives the likeliest history itself, a uniform level in
    (0, 1] ordinary trajectories, and a uniform level in (P, 1], where P is the
    likeliest history's probability, trajectories given that they are not that one.

    Attributes:
        state: The state.
        level: Where to leave the likeliest history.
        followed: Probability of the likeliest history's choices so far.
        following: Whether all choices so far were the likeliest.

    Source: Abdelhafez, Schuster and Koch, Phys. Rev. A 99, 052327 (2019): the
    trajectory without jumps is run once, the others are drawn with at least one jump.
    """

    state: StateVector
    level: Float[Array, ""]
    followed: Float[Array, ""]
    following: Bool[Array, ""]

    @classmethod
    def start(cls, state: StateVector, level: Array):
        """Return the state before the first choice."""
        real = jnp.finfo(state.dtype).dtype
        return cls(state, level.astype(real), jnp.ones((), real), jnp.asarray(True))

    @property
    def num_wires(self) -> int:
        return self.state.num_wires

    @property
    def dtype(self) -> np.dtype:
        return self.state.dtype

    def apply_matrix(
        self,
        matrix: Array | np.ndarray,
        wires: Wires,
        controls: Wires = (),
        control_values: tuple[int, ...] = (),
    ) -> "GuidedState":
        after = self.state.apply_matrix(matrix, wires, controls, control_values)
        return GuidedState(after, self.level, self.followed, self.following)

    def probabilities(self, wires=None) -> Float[Array, "*k"]:
        return self.state.probabilities(wires)

    def reduced(self, wires) -> Complex[Array, "d d"]:
        return self.state.reduced(wires)

    def expect_paulis(
        self, x_masks: tuple[int, ...], z_masks: tuple[int, ...]
    ) -> Float[Array, " t"]:
        return self.state.expect_paulis(x_masks, z_masks)

    def norm(self) -> Float[Array, ""]:
        return self.state.norm()

    def overlap(self, other: AbstractState) -> Array:
        return self.state.overlap(other)

    def sample_kraus(
        self, key: Key, kraus: Array | np.ndarray, wires: Wires
    ) -> tuple["GuidedState", Int[Array, ""], Float[Array, ""]]:
        operators = jnp.asarray(kraus).astype(self.dtype)
        rho = self.state.reduced(wires)
        weights = jnp.einsum("kab,bc,kac->k", operators, rho, operators.conj()).real
        chances = jax.lax.stop_gradient(jnp.maximum(weights, 0))
        chances = chances / jnp.sum(chances)
        likeliest = jnp.argmax(chances >= jnp.max(chances) - _TIE)
        others = jnp.where(jnp.arange(chances.size) == likeliest, 0, chances)
        followed = jnp.where(self.following, self.followed * chances[likeliest], 0)
        leave = self.following & (followed < self.level) & (jnp.sum(others) > 0)
        free = draw(key, jnp.where(self.following, others, chances), 1)
        follow = self.following & ~leave
        index = jnp.where(follow, likeliest, free[0])
        log_prob = jnp.log(weights[index])
        scale = real_to_complex(jnp.exp(-log_prob / 2))
        after = self.state.apply_matrix(operators[index] * scale, wires)
        followed = jnp.where(follow, followed, self.followed)
        return GuidedState(after, self.level, followed, follow), index, log_prob
