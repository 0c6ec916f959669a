"""Channels that relax or reset a qubit: damping, dephasing, thermal relaxation.

Strengths are traced leaves: they may be batched with `jax.vmap` and differentiated on
the whole closed domain, except where a channel itself has an infinite slope (the
coherence sqrt(1 - gamma) of amplitude and phase damping at gamma = 1): there the
derivative is large but finite.
"""

from typing import Any

import jax.numpy as jnp
import numpy as np

from qjax._checks import check_probability, check_wires, checked
from qjax._linalg import real_to_complex
from qjax._types import ArrayLike
from qjax.circuits import Channel
from qjax.circuits.operation import safe_root
from qjax.noise._kraus import (
    diagonal,
    matrix_unit,
    real_channel,
    scalars,
    together,
    with_remainder,
)

# I, |0><0|, |0><1|, |1><0|, |1><1|
_RESETS = np.concatenate([np.eye(2)[None], np.eye(4).reshape(4, 2, 2)])


def amplitude_damping(gamma: ArrayLike, wire: int) -> Channel:
    """Let |1> decay to |0>: K_0 = diag(1, sqrt(1 - g)), K_1 = sqrt(g) |0><1|.

    Args:
        gamma: Probability g in [0, 1] that |1> decays.
        wire: Wire acted on.

    Returns:
        A channel of 2 Kraus operators.

    Raises:
        ValueError: If g lies outside [0, 1] (traced values: at run time).

    Source: Nielsen and Chuang, eq. 8.108. PennyLane: `AmplitudeDamping(gamma)`.

    Example:
        >>> from qjax.noise import amplitude_damping
        >>> amplitude_damping(0.1, 0).kraus.shape
        (2, 2, 2)
    """
    (g,) = scalars(check_probability(gamma, "gamma"))
    one = jnp.ones_like(g)
    operators = [diagonal(one, safe_root(1 - g)), matrix_unit(1, safe_root(g))]
    return real_channel(operators, wire, "AmplitudeDamping")


def generalized_amplitude_damping(
    gamma: ArrayLike, excited_population: ArrayLike, wire: int
) -> Channel:
    """Relax towards a thermal mixture with <1|rho|1> = e.

    K_0 = sqrt(1 - e) diag(1, sqrt(1 - g)),  K_1 = sqrt((1 - e) g) |0><1|,
    K_2 = sqrt(e) diag(sqrt(1 - g), 1),      K_3 = sqrt(e g) |1><0|.

    Args:
        gamma: Fraction g in [0, 1] of the way to equilibrium.
        excited_population: Population e in [0, 1] of |1> at equilibrium.
        wire: Wire acted on.

    Returns:
        A channel of 4 Kraus operators.

    Raises:
        ValueError: If g or e lies outside [0, 1] (traced values: at run time).

    Source: Nielsen and Chuang, eq. 8.116, where p = 1 - e. PennyLane 0.45:
    `GeneralizedAmplitudeDamping(gamma, e)`.

    Example:
        >>> from qjax.noise import generalized_amplitude_damping
        >>> generalized_amplitude_damping(0.1, 0.02, 0).kraus.shape
        (4, 2, 2)
    """
    g, e = scalars(
        check_probability(gamma, "gamma"),
        check_probability(excited_population, "excited_population"),
    )
    up, down, keep, lose = (
        safe_root(e),
        safe_root(1 - e),
        safe_root(1 - g),
        safe_root(g),
    )
    operators = [
        diagonal(down, down * keep),
        matrix_unit(1, down * lose),
        diagonal(up * keep, up),
        matrix_unit(2, up * lose),
    ]
    return real_channel(operators, wire, "GeneralizedAmplitudeDamping")


def phase_damping(gamma: ArrayLike, wire: int) -> Channel:
    """Lose coherence: K_0 = diag(1, sqrt(1 - g)), K_1 = sqrt(g) |1><1|.

    Args:
        gamma: g in [0, 1]; off-diagonal entries shrink by sqrt(1 - g).
        wire: Wire acted on.

    Returns:
        A channel of 2 Kraus operators.

    Raises:
        ValueError: If g lies outside [0, 1] (traced values: at run time).

    Source: Nielsen and Chuang, eq. 8.127. PennyLane: `PhaseDamping(gamma)`.

    Example:
        >>> from qjax.noise import phase_damping
        >>> phase_damping(0.1, 0).kraus.shape
        (2, 2, 2)
    """
    (g,) = scalars(check_probability(gamma, "gamma"))
    one = jnp.ones_like(g)
    operators = [diagonal(one, safe_root(1 - g)), matrix_unit(3, safe_root(g))]
    return real_channel(operators, wire, "PhaseDamping")


def thermal_relaxation(
    t1: ArrayLike,
    t2: ArrayLike,
    time: ArrayLike,
    excited_population: ArrayLike,
    wire: int,
) -> Channel:
    """Relax for some time: populations with time T1, coherences with time T2.

    rho_11 -> e + (rho_11 - e) exp(-t / T1),  rho_01 -> rho_01 exp(-t / T2).

    Args:
        t1: T1 > 0, in any unit of time.
        t2: T2 in (0, 2 T1], in the same unit; T1 < T2 is allowed.
        time: Duration t >= 0, in the same unit.
        excited_population: Population e in [0, 1] of |1> at equilibrium.
        wire: Wire acted on.

    Returns:
        A channel of 4 Kraus operators, from the Choi matrix in closed form (no
        eigenvectors, whose derivatives fail where eigenvalues meet).

    Raises:
        ValueError: If an argument leaves its range (traced values: at run time).

    Source: Georgopoulos et al., Phys. Rev. A 104, 062432 (2021), section III.
    PennyLane: `ThermalRelaxationError(e, t1, t2, time)`.

    Example:
        >>> from qjax.noise import thermal_relaxation
        >>> thermal_relaxation(50.0, 80.0, 0.1, 0.01, 0).kraus.shape
        (4, 2, 2)
    """

    def physical(times: Any) -> Any:
        return times[1] <= 2 * times[0] * (1 + 1e-6)  # 2 * 50.1 may round below 100.2

    t1 = checked(t1, lambda x: x > 0, "t1", "be positive")
    t2 = checked(t2, lambda x: x > 0, "t2", "be positive")
    time = checked(time, lambda x: x >= 0, "time", "be at least 0")
    rule = "satisfy t2 <= 2 t1"
    t1, t2 = checked(together(t1, t2), physical, "t1, t2", rule)
    e = check_probability(excited_population, "excited_population")
    t1, t2, t, e = scalars(t1, t2, time, e)
    decay, remaining = -jnp.expm1(-t / t1), jnp.exp(-t / t1)
    coherence = jnp.exp(-t / t2)
    # The Choi matrix has the block [[a, c], [c, b]] on |00>, |11> and two 1x1 blocks.
    a, b = 1 - decay * e, 1 - decay * (1 - e)
    # a b - c^2, written as a sum of terms >= 0: no cancellation where it vanishes.
    dephasing = jnp.maximum(2 / t2 - 1 / t1, 0)
    minor = decay**2 * e * (1 - e) - remaining * jnp.expm1(-t * dephasing)
    # Cholesky factor of the block from its larger diagonal entry, which is >= 1/2.
    # `where`, not `maximum`: at a tie the latter has half of each derivative.
    first = a >= b
    large = jnp.where(first, a, b)
    pivot, other, rest = (
        safe_root(large),
        coherence / safe_root(large),
        safe_root(minor / large),
    )
    zero = jnp.zeros_like(rest)
    operators = [
        diagonal(jnp.where(first, pivot, other), jnp.where(first, other, pivot)),
        diagonal(jnp.where(first, zero, rest), jnp.where(first, rest, zero)),
        matrix_unit(1, safe_root(decay * (1 - e))),
        matrix_unit(2, safe_root(decay * e)),
    ]
    return real_channel(operators, wire, "ThermalRelaxation")


def reset_error(p0: ArrayLike, p1: ArrayLike, wire: int) -> Channel:
    """Reset at random: rho -> (1 - p0 - p1) rho + Tr(rho) (p0 |0><0| + p1 |1><1|).

    Args:
        p0: Probability of a reset to |0>.
        p1: Probability of a reset to |1>. Both lie in [0, 1], and p0 + p1 <= 1.
        wire: Wire acted on.

    Returns:
        A channel of 5 Kraus operators.

    Raises:
        ValueError: If a probability or their sum leaves [0, 1] (traced: at run time).

    Source: Kraus operators sqrt(p_b) |b><a|. PennyLane: `ResetError(p0, p1)`.

    Example:
        >>> from qjax.noise import reset_error
        >>> reset_error(0.1, 0.0, 0).kraus.shape
        (5, 2, 2)
    """
    values = check_probability(p0, "p0"), check_probability(p1, "p1")
    rest, p0, p1 = with_remainder(*values, name="p0, p1")
    roots = safe_root(jnp.stack([rest, p0, p0, p1, p1]))
    operators = roots[:, None, None] * jnp.asarray(_RESETS, roots.dtype)
    return Channel(real_to_complex(operators), check_wires(wire), "ResetError")
