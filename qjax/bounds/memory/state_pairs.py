"""Two stored states and the best test that tells them apart, simulated.

Bounds on a single distinction (a floor, a depth) speak of two sets and one query. The
error rates here are those of Helstrom's test on the noisy states.
"""

from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Num

from qjax.bounds.memory.ensembles import helstrom_effect
from qjax.bounds.memory.structure import noisy_states
from qjax.circuits import Circuit


class PairErrors(NamedTuple):
    """Error rates of a two-outcome test.

    Attributes:
        alpha: Acceptance of the state that should be rejected.
        beta: Rejection of the state that should be accepted.
    """

    alpha: float
    beta: float


@eqx.filter_jit
def _evolved(states: Complex[Array, "2 d d"], circuit: Circuit):
    return noisy_states(states, circuit)


def evolved_pair(
    kets: Num[np.ndarray, "2 d"], circuit: Circuit
) -> Complex[np.ndarray, "2 d d"]:
    """Density matrices of two kets after a noisy circuit, on the engine."""
    kets = np.asarray(kets, dtype=complex)
    states = kets[:, :, None] * kets[:, None, :].conj()
    return np.asarray(_evolved(jnp.asarray(states), circuit))


def errors_of_test(
    states: Complex[np.ndarray, "2 d d"], effect: Num[np.ndarray, "d d"]
) -> PairErrors:
    """alpha = Tr M rho_1 and beta = 1 - Tr M rho_0, inside [0, 1]."""
    accepted = np.einsum("sij,ji->s", states, effect).real.clip(0, 1)
    return PairErrors(float(accepted[1]), float(1 - accepted[0]))


def pair_errors(kets: Num[np.ndarray, "2 d"], circuit: Circuit) -> PairErrors:
    """Errors of Helstrom's test on two pure states after a noisy circuit.

    1 - alpha - beta = ||rho_0 - rho_1||_1 / 2 for the noisy states.

    Args:
        kets: The state to accept and the state to reject, before the noise.
        circuit: What happens to both, on the engine.

    Source: Helstrom, J. Stat. Phys. 1, 231 (1969).

    Example:
        >>> import jax, numpy as np
        >>> from qjax.bounds.memory.state_pairs import pair_errors
        >>> from qjax.circuits import Circuit
        >>> errors = pair_errors(np.eye(2, dtype=complex), Circuit((), 1))
        >>> errors.alpha, errors.beta
        (0.0, 0.0)
    """
    noisy = evolved_pair(kets, circuit)
    return errors_of_test(noisy, helstrom_effect(noisy[0] - noisy[1]))
