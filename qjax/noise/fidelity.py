"""How far channels are from doing nothing, on average."""

from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from qjax._checks import require
from qjax.circuits import Channel
from qjax.states import DensityMatrix


def average_infidelity(channels: Sequence[Channel]) -> Float[Array, ""]:
    """Average gate infidelity of channels done one after another.

    r = 1 - (d F_pro + 1) / (d + 1),  F_pro = <Phi| (E (x) id)(|Phi><Phi|) |Phi>,

    for the maximally entangled Phi of the d = 2^k states of the wires in use. It is 1
    minus the fidelity with the input, averaged over all pure inputs.

    Args:
        channels: Channels in time order, on k >= 1 wires together.

    Returns:
        r in [0, d / (d + 1)], a float of the Kraus operators' precision; differentiable
        in them.

    Raises:
        ValueError: If there is no channel.

    Source: Horodecki, Horodecki and Horodecki, Phys. Rev. A 60, 1888 (1999); Nielsen,
    Phys. Lett. A 303, 249 (2002).

    Example:
        >>> from qjax.noise import average_infidelity, depolarizing
        >>> round(float(average_infidelity([depolarizing(0.1, 3)])), 6)
        0.05
    """
    require(len(channels) > 0, "channels", "hold at least 1 channel", channels)
    wires = sorted({wire for channel in channels for wire in channel.wires})
    place = {wire: index for index, wire in enumerate(wires)}
    kraus = [jnp.asarray(channel.kraus) for channel in channels]
    dtype = np.result_type(*(stack.dtype for stack in kraus))
    size = 2 ** len(wires)
    ket = jnp.eye(size, dtype=dtype).reshape(-1) / np.sqrt(size).astype(dtype)
    start = DensityMatrix.from_matrix(jnp.outer(ket, ket.conj()))
    state = start
    for stack, channel in zip(kraus, channels, strict=True):
        here = tuple(place[wire] for wire in channel.wires)
        state = state.apply_kraus(stack.astype(dtype), here)
    process = start.overlap(state)
    return 1 - (size * jnp.real(process) + 1) / (size + 1)
