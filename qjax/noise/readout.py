"""Classical errors of the final readout: bits that are misread independently."""

from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, UInt8

from qjax._checks import as_float, check_probability, check_wires, checked, require
from qjax._linalg import contract, real_to_complex
from qjax._types import ArrayLike, Key
from qjax.circuits import Channel
from qjax.circuits.operation import safe_root


def _probabilities(name: str, value: ArrayLike) -> Array:
    return as_float(check_probability(value, name), name)


class ReadoutConfusion(eqx.Module):
    """Misread each wire's bit independently, with probabilities of its own.

    A_w = [[1 - p01, p10], [p01, 1 - p10]] maps the true distribution of wire w's bit to
    the observed one; the whole register's matrix is A_0 (x) ... (x) A_(n-1).

    Attributes:
        p01: Probability of reading 1 where 0 is true, shape (n,), in [0, 1].
        p10: Probability of reading 0 where 1 is true, shape (n,), in [0, 1].

    Raises:
        ValueError: If shapes differ or an entry leaves [0, 1] (traced: at run time).

    Source: Bravyi et al., Phys. Rev. A 103, 042605 (2021), section II (tensor product
    noise).

    Example:
        >>> import jax.numpy as jnp
        >>> from qjax.noise import ReadoutConfusion
        >>> confusion = ReadoutConfusion(jnp.asarray([0.25]), jnp.asarray([0.5]))
        >>> confusion.apply(jnp.asarray([1.0, 0.0])).tolist()
        [0.75, 0.25]
        >>> confusion.matrix().tolist()
        [[0.75, 0.5], [0.25, 0.5]]
    """

    p01: Float[Array, " n"]
    p10: Float[Array, " n"]

    def __init__(self, p01: ArrayLike, p10: ArrayLike):
        self.p01 = _probabilities("p01", p01)
        self.p10 = _probabilities("p10", p10)
        rule = "have the shape (num_wires,) of `p01`, num_wires >= 1,"
        fits = self.p01.ndim == 1 and self.p01.size > 0
        fits = fits and self.p10.shape == self.p01.shape
        require(fits, "p10", rule, f"of shape {self.p10.shape}")

    @property
    def num_wires(self) -> int:
        return self.p01.size

    def matrices(self) -> Float[Array, "n 2 2"]:
        """Return A_w for each wire; columns are true bits and sum to 1."""
        rows = [[1 - self.p01, self.p10], [self.p01, 1 - self.p10]]
        stacked = jnp.stack([jnp.stack(row, axis=-1) for row in rows], axis=-2)
        return stacked

    def matrix(self) -> Float[Array, "d d"]:
        """Return the register's matrix, shape (2^n, 2^n), rows observed."""
        total = jnp.ones((1, 1), self.p01.dtype)
        for factor in self.matrices():
            total = jnp.kron(total, factor)
        return total

    def apply(self, probabilities: Float[Array, "*wires"]) -> Float[Array, "*wires"]:
        """Return the observed distribution of a true one, shape (2,) * n."""
        shape = (2,) * self.num_wires
        fits = probabilities.shape == shape
        rule = f"have shape {shape}"
        require(fits, "probabilities", rule, f"of shape {probabilities.shape}")
        for wire, factor in enumerate(self.matrices()):
            probabilities = contract(probabilities, factor, (wire,))
        return probabilities

    def corrupt(
        self, key: Key, bits: UInt8[Array, "shots n"]
    ) -> UInt8[Array, "shots n"]:
        """Return the bits that are read where `bits` are true, shape (shots, n)."""
        fits = bits.ndim == 2 and bits.shape[1] == self.num_wires
        rule = f"have shape (shots, {self.num_wires})"
        require(fits, "bits", rule, f"of shape {bits.shape}")
        chance = jnp.where(bits == 1, self.p10[None, :], self.p01[None, :])
        return bits ^ jax.random.bernoulli(key, chance).astype(bits.dtype)

    def channel(self, wire: int) -> Channel:
        """Return the channel that, before a measurement of a wire, has it misread.

        rho -> sum_ot A_w[o, t] <t|rho|t> |o><o|: the record is wrong as often as A_w
        says, and the wire is afterwards in the state that was recorded.
        """
        (wire,) = check_wires(wire, self.num_wires)
        weights = self.matrices()[wire].reshape(4)
        units = np.eye(4).reshape(4, 2, 2)
        kraus = safe_root(weights)[:, None, None] * jnp.asarray(units, weights.dtype)
        return Channel(real_to_complex(kraus), (wire,), "Misread")

    def observed_z(
        self, means: Float[Array, " k"], wires: Sequence[int]
    ) -> Float[Array, " k"]:
        """Return the <Z> that is read on each of `wires` where `means` are true.

        z -> (p10 - p01) + (1 - p01 - p10) z.
        """
        shift, scale = self._affine(means, wires)
        return shift + scale * means

    def corrected_z(
        self, means: Float[Array, " k"], wires: Sequence[int]
    ) -> Float[Array, " k"]:
        """Return the true <Z> on each of `wires` where `means` are read.

        The inverse of `observed_z`. A standard error grows by 1 / |1 - p01 - p10|.

        Raises:
            ValueError: If p01 + p10 = 1 on a wire, whose reading says nothing.
        """
        shift, scale = self._affine(means, wires)
        rule = "differ from 1 in sum on every wire"
        scale = checked(scale, lambda s: abs(s) > 1e-6, "p01, p10", rule)
        return (means - shift) / scale

    def _affine(self, means: Array, wires: Sequence[int]) -> tuple[Array, Array]:
        index = np.asarray(check_wires(wires, self.num_wires))
        fits = means.shape == index.shape
        require(fits, "means", f"have shape {index.shape}", f"of shape {means.shape}")
        p01, p10 = self.p01[index], self.p10[index]
        return p10 - p01, 1 - p01 - p10
