"""Whether two circuits do the same, checked by running them."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from qjax._checks import check_shots, require
from qjax._linalg import real_to_complex
from qjax._types import Key
from qjax.circuits.circuit import Circuit
from qjax.simulate.run import run
from qjax.states.vector import StateVector


def circuit_infidelity(
    key: Key,
    first: Circuit,
    second: Circuit,
    *,
    num_states: int = 2,
    dtype: jnp.dtype | type | None = None,
) -> Float[Array, ""]:
    """Return the largest 1 - |<U psi|V psi>|^2 over random states psi.

    Of Haar-random states its mean is (1 - |Tr U^dagger V|^2 / d^2) d / (d + 1), and it
    is 0 for all of them only if the unitaries are equal up to a phase.

    Args:
        key: JAX random key.
        first: Unitary circuit U of n wires.
        second: Unitary circuit V of n wires.
        num_states: Number of states, at least 1. Static.
        dtype: Of the states; JAX's default complex dtype by default.

    Returns:
        Scalar in [0, 1] up to rounding.

    Raises:
        ValueError: If the numbers of wires differ, or `num_states` < 1.

    Source: Nielsen, Phys. Lett. A 303, 249 (2002), for the mean.

    Example:
        >>> import jax
        >>> from qjax.circuits import Circuit, cx, cz, h
        >>> from qjax.simulate import circuit_infidelity
        >>> first = Circuit([cx(0, 1)], 2)
        >>> second = Circuit([h(1), cz(0, 1), h(1)], 2)
        >>> bool(circuit_infidelity(jax.random.key(1), first, second) < 1e-5)
        True
    """
    same = first.num_wires == second.num_wires
    require(same, "second", f"have {first.num_wires} wires", second.num_wires)
    check_shots(num_states, "num_states")
    kind = jax.dtypes.canonicalize_dtype(complex if dtype is None else dtype)
    shape = (num_states, *(2,) * first.num_wires)
    drawn = jax.random.normal(key, shape, kind)
    axes = tuple(range(1, len(shape)))
    norms = jnp.sqrt(jnp.sum(jnp.abs(drawn) ** 2, axis=axes, keepdims=True))

    def one(amplitudes: Array) -> Float[Array, ""]:
        start = StateVector(amplitudes)
        inner = run(first, start).overlap(run(second, start))
        return 1 - jnp.abs(inner) ** 2

    return jnp.max(jax.lax.map(one, drawn / real_to_complex(norms)))
