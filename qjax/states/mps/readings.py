"""Reading a chain of tensors: reduced states, strings of operators, shots."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float, Int, UInt8

from qjax._linalg import dagger, product, real_to_complex
from qjax._types import Key
from qjax.states.mps.sweeps import (
    Chain,
    edge,
    left_environments,
    push_left,
    push_right,
    right_canonical,
    right_environments,
)

_BATCH = 2**22
"""Numbers of the environments that are carried at the same time."""


def overlap(bra: Chain, ket: Complex[Array, "n y 2 y"]) -> Complex[Array, ""]:
    """Return <bra|ket> of chains with as many sites, of any bonds."""
    start = jnp.zeros((bra.shape[1], ket.shape[1]), ket.dtype).at[0, 0].set(1)

    def step(environment: Array, both: tuple[Array, Array]) -> tuple[Array, None]:
        lower, upper = both
        size = upper.shape[0]
        weighted = product(environment, upper.reshape(size, -1))
        joined = weighted.reshape(-1, size)
        return product(dagger(lower.reshape(-1, lower.shape[-1])), joined), None

    return jax.lax.scan(step, start, (bra, ket))[0][0, 0]


def reduced(tensors: Chain, sites: Sequence[int]) -> Complex[Array, "d d"]:
    """Return Tr over all other sites of |psi><psi|, not divided by <psi|psi>.

    Args:
        tensors: Chain of n sites.
        sites: k distinct sites; the first is the leading bit. Cost 4^k x^3.
    """
    order = sorted(sites)
    size = tensors.shape[1]
    start = jnp.asarray(edge(size, tensors.dtype))
    # Axis 0 runs over what the sites already passed were in bra and ket.
    opened = _pass(start[None], tensors[: order[0]])
    for number, site in enumerate(order):
        tensor = tensors[site]
        kets = tensor.transpose(1, 0, 2)
        carried = product(opened[:, None], kets[None])
        bras = dagger(kets)
        opened = product(bras[None, :, None], carried[:, None])
        opened = opened.reshape(-1, size, size)
        if number + 1 < len(order):
            opened = _pass(opened, tensors[site + 1 : order[number + 1]])
    closing = jnp.asarray(edge(size, tensors.dtype))
    closing, _ = jax.lax.scan(
        lambda env, tensor: (push_right(env, tensor), None),
        closing,
        tensors[order[-1] + 1 :],
        reverse=True,
    )
    values = jnp.einsum(
        "pab,ba->p", opened, closing, precision=jax.lax.Precision.HIGHEST
    )
    # Axes (bra, ket) of each site in order; rho has all kets first, as asked for.
    count = len(order)
    place = [order.index(site) for site in sites]
    axes = [2 * p + 1 for p in place] + [2 * p for p in place]
    return values.reshape((2,) * (2 * count)).transpose(axes).reshape(2**count, -1)


def _pass(environments: Array, tensors: Chain) -> Array:
    """Carry a stack of left environments over sites that nothing is asked of."""
    if not tensors.shape[0]:
        return environments
    many = jax.vmap(push_left, (0, None))
    return jax.lax.scan(lambda e, t: (many(e, t), None), environments, tensors)[0]


def string_values(
    tensors: Chain,
    starts: Int[np.ndarray, " t"],
    operators: Complex[np.ndarray, "t w 2 2"],
    left: Array,
    right: Array,
) -> Float[Array, " t"]:
    """Return <psi|O_1 (x) ... (x) O_w|psi> on windows of w sites, real parts.

    Args:
        tensors: Chain of n sites.
        starts: First site of each window.
        operators: One matrix for each site of each window.
        left: Left environment of every bond.
        right: Right environment of every bond.
    """
    width = operators.shape[1]
    size = tensors.shape[1]

    def value(window: tuple[Array, Array]) -> Array:
        start, matrices = window

        def step(environment: Array, site: tuple[Array, Array]) -> tuple[Array, None]:
            matrix, offset = site
            tensor = tensors[start + offset]
            carried = product(environment, tensor.reshape(size, -1))
            carried = carried.reshape(size, 2, size)
            acted = jnp.einsum(
                "st,atb->asb", matrix, carried, precision=jax.lax.Precision.HIGHEST
            ).reshape(-1, size)
            return product(dagger(tensor.reshape(-1, size)), acted), None

        carried, _ = jax.lax.scan(
            step, left[start], (matrices, jnp.arange(width, dtype=np.int32))
        )
        return jnp.sum(carried * right[start + width].T).real

    windows = (
        jnp.asarray(starts, jnp.int32),
        jnp.asarray(operators).astype(tensors.dtype),
    )
    batch = max(1, _BATCH // size**2)
    return jax.lax.map(value, windows, batch_size=batch)


def word_values(
    tensors: Chain, words: Sequence[dict[int, np.ndarray]]
) -> Float[Array, " t"]:
    """Return <psi|O|psi> / <psi|psi> of words O, each a mapping from site to matrix.

    Words are grouped by the number of sites from their first to their last, rounded up
    to a power of two: each costs as many steps as that, after one sweep for all.
    """
    num_sites = tensors.shape[0]
    left, right = left_environments(tensors), right_environments(tensors)
    groups: dict[int, list[int]] = {}
    for number, word in enumerate(words):
        span = max(word, default=0) - min(word, default=0) + 1
        groups.setdefault(min(1 << (span - 1).bit_length(), num_sites), []).append(
            number
        )
    values, order = [], []
    for width, members in groups.items():
        starts = [min(min(words[m], default=0), num_sites - width) for m in members]
        operators = np.broadcast_to(np.eye(2), (len(members), width, 2, 2)).astype(
            complex
        )
        for row, (member, start) in enumerate(zip(members, starts, strict=True)):
            for site, matrix in words[member].items():
                operators[row, site - start] = matrix
        values.append(
            string_values(tensors, np.asarray(starts), operators, left, right)
        )
        order += members
    return jnp.concatenate(values)[np.argsort(order)] / right[0, 0, 0].real


def log_weights(
    tensors: Chain, bits: UInt8[Array, "shots n"]
) -> Float[Array, " shots"]:
    """Return ln |<bits|psi>|^2 of every row of bits, -inf where it is 0."""
    size = tensors.shape[1]
    start = jnp.zeros((bits.shape[0], size), tensors.dtype).at[:, 0].set(1)

    def step(vectors: Array, site: tuple[Array, Array]) -> tuple[Array, Array]:
        tensor, bit = site
        both = product(vectors, tensor.reshape(size, -1)).reshape(-1, 2, size)
        chosen = jnp.where(bit[:, None] == 1, both[:, 1], both[:, 0])
        weight = jnp.sum(chosen.real**2 + chosen.imag**2, axis=-1)
        # Rescaled, since the weight of many sites underflows.
        safe = jnp.where(weight > 0, weight, 1)
        scale = real_to_complex(jax.lax.rsqrt(safe))
        return chosen * scale[:, None], jnp.log(weight)

    return jnp.sum(jax.lax.scan(step, start, (tensors, bits.T))[1], axis=0)


def draw_shots(key: Key, tensors: Chain, shots: int) -> UInt8[Array, "shots n"]:
    """Measure every site of independent copies, exactly as |psi|^2 / <psi|psi> says.

    Site by site, each given the bits before it; a shot costs n products of a vector
    with two matrices.

    Source: Ferris and Vidal, Phys. Rev. B 85, 165146 (2012).
    """
    tensors = right_canonical(tensors)
    size = tensors.shape[1]
    real = jnp.finfo(tensors.dtype).dtype

    def some(key: Key, count: int) -> Array:
        points = jax.random.uniform(key, (tensors.shape[0], count), real)
        start = jnp.zeros((count, size), tensors.dtype).at[:, 0].set(1)

        def step(vectors: Array, site: tuple[Array, Array]) -> tuple[Array, Array]:
            tensor, point = site
            both = product(vectors, tensor.reshape(size, -1)).reshape(-1, 2, size)
            weights = jnp.sum(both.real**2 + both.imag**2, axis=-1)
            ones = point * (weights[:, 0] + weights[:, 1]) >= weights[:, 0]
            ones = ones & (weights[:, 1] > 0)
            chosen = jnp.where(ones[:, None], both[:, 1], both[:, 0])
            weight = jnp.where(ones, weights[:, 1], weights[:, 0])
            scale = jax.lax.rsqrt(jnp.maximum(weight, jnp.finfo(real).tiny))
            return chosen * real_to_complex(scale)[:, None], ones.astype(jnp.uint8)

        return jax.lax.scan(step, start, (tensors, points))[1].T

    batch = max(1, _BATCH // size)
    if shots <= batch:
        return some(key, shots)
    keys = jax.random.split(key, -(-shots // batch))
    drawn = jax.lax.map(lambda own: some(own, batch), keys)
    return drawn.reshape(-1, tensors.shape[0])[:shots]
