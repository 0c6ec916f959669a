"""The metric as a device measures it: from fidelities of displaced circuits."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PyTree

from qjax._checks import check_shots, checked, require
from qjax._types import ArrayLike, Key
from qjax.geometry.states import StateFn, amplitudes_of
from qjax.gradients.estimate import flatten, in_batches
from qjax.gradients.parameter_shift import Spectra, each_entry
from qjax.gradients.shift_rules import shift_rule
from qjax.statistics import Estimate, Moments


def sampled_metric(
    key: Key,
    state_fn: StateFn,
    params: PyTree,
    shots: int,
    *,
    spectra: Spectra = (1.0,),
    batch_size: int | None = None,
) -> Estimate:
    """Estimate the Fubini-Study metric by shots at shifted parameters; unbiased.

    G_ij = - (1/2) d_i d_j F with the fidelity F(x) = |<psi(params)|psi(x)>|^2 and both
    derivatives by the parameter-shift rule; for rotations with their own parameters
    - (F(++) - F(+-) - F(-+) + F(--)) / 8 at shifts of pi/2. A fidelity is measured as
    the share of zeros after the circuit and the inverse of the displaced one; shots are
    independent.

    Args:
        key: JAX random key.
        state_fn: As for `metric_tensor`.
        params: Pytree of p real floating numbers in all.
        shots: Shots of each fidelity, at least 2. Static.
        spectra: Frequencies of the parameters, as for
            `qjax.gradients.parameter_shift`.
        batch_size: Fidelities done at the same time; None does all.

    Returns:
        Symmetric matrix, shape (p, p), with the standard error of each entry; not
        positive in general. `shots` is the number in all: for two-term rules of 2 p^2
        circuits.

    Raises:
        ValueError: If `shots` < 2, or the spectra do not fit.
        TypeError: If `state_fn` returns something else than a `StateVector`.

    Source: Mari, Bromley and Killoran, Phys. Rev. A 103, 012405 (2021), section VI.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from qjax.circuits import Circuit, ry
        >>> from qjax.geometry import sampled_metric
        >>> from qjax.simulate import run
        >>> from qjax.states import StateVector
        >>> def state(angle):
        ...     return run(Circuit([ry(angle, 0)], 1), StateVector.zeros(1))
        >>> found = sampled_metric(jax.random.key(1), state, jnp.asarray(0.3), 100)
        >>> round(float(found.mean[0, 0]), 4), found.shots
        (0.25, 200)
    """
    check_shots(shots)
    require(shots >= 2, "shots", "be at least 2", shots)
    flat, unravel = flatten(params)
    amplitudes = amplitudes_of(state_fn, unravel)
    psi = amplitudes(flat)
    pairs, shifts, coefficients, known = _terms(each_entry(spectra, flat.size))
    first, second = pairs

    def term(term_key: Key, i: Array, j: Array, shift: Array) -> tuple[Array, Array]:
        moved = flat.at[i].add(shift[0]).at[j].add(shift[1])
        fidelity = jnp.abs(jnp.vdot(amplitudes(moved), psi)) ** 2
        return _measured(term_key, fidelity, shots)

    keys = jax.random.split(key, max(len(first), 1))[: len(first)]
    terms = (keys, jnp.asarray(first), jnp.asarray(second))
    shifted = jnp.asarray(shifts, flat.dtype)
    shares, variances = in_batches(term, (*terms, shifted), batch_size)
    size, scale = flat.size, jnp.asarray(coefficients, flat.dtype)

    def matrix(values: Float[Array, " m"]) -> Float[Array, "p p"]:
        upper = jnp.zeros((size, size), flat.dtype)
        upper = upper.at[first, second].add(values.astype(flat.dtype))
        return jnp.where(np.tri(size, dtype=bool), upper.T, upper)

    # F(params) itself is 1 and is not measured.
    mean = matrix(scale * shares) + jnp.diag(jnp.asarray(known, flat.dtype))
    errors = jnp.sqrt(matrix(scale**2 * variances))
    return Estimate(mean, errors, shots * len(first))


def random_metric(
    key: Key,
    state_fn: StateFn,
    params: PyTree,
    *,
    radius: ArrayLike,
    num_samples: int,
    shots: int | None = None,
    batch_size: int | None = None,
) -> Estimate:
    """Estimate the metric from four fidelities along pairs of random directions.

    With entries +1 or -1 in a and b, and F(x) = |<psi(params)|psi(params + x)>|^2,
    a^T G b = - (F(ra + rb) - F(ra) - F(rb - ra) + F(-ra)) / (4 r^2) + O(r^2), and
    G = E[(a^T G b) (a b^T + b a^T) / 2]. Four circuits for each pair, however many
    parameters; one pair says little, so that an optimizer averages over steps.

    Args:
        key: JAX random key.
        state_fn: As for `metric_tensor`.
        params: Pytree of p real floating numbers in all.
        radius: r > 0, in the unit of the parameters.
        num_samples: Pairs, at least 1; with one, the standard error is NaN. Static.
        shots: Shots of each fidelity, at least 1; None takes it exactly. Static.
        batch_size: Pairs done at the same time; None does all.

    Returns:
        Symmetric matrix, shape (p, p), with the standard error of each entry; not
        positive in general. `shots` is the number in all, 0 if exact.

    Raises:
        ValueError: If a number is out of range.
        TypeError: If `state_fn` returns something else than a `StateVector`.

    Source: Gacon, Zoufal, Carleo and Woerner, Quantum 5, 567 (2021) (QN-SPSA).

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from qjax.circuits import Circuit, ry
        >>> from qjax.geometry import random_metric
        >>> from qjax.simulate import run
        >>> from qjax.states import StateVector
        >>> def state(angle):
        ...     return run(Circuit([ry(angle, 0)], 1), StateVector.zeros(1))
        >>> found = random_metric(jax.random.key(1), state, jnp.asarray(0.3),
        ...                       radius=0.1, num_samples=2)
        >>> round(float(found.mean[0, 0]), 2)
        0.25
    """
    check_shots(num_samples, "num_samples")
    if shots is not None:
        check_shots(shots)
    flat, unravel = flatten(params)
    amplitudes = amplitudes_of(state_fn, unravel)
    psi = amplitudes(flat)
    radius = checked(radius, lambda r: r > 0, "radius", "be positive")
    step = jnp.asarray(radius).astype(flat.dtype)

    def fidelity(shot_key: Key, shift: Float[Array, " p"]) -> Float[Array, ""]:
        exact = jnp.abs(jnp.vdot(amplitudes(flat + step * shift), psi)) ** 2
        return exact if shots is None else _measured(shot_key, exact, shots)[0]

    def one(pair_key: Key) -> Float[Array, "p p"]:
        first_key, second_key, shot_key = jax.random.split(pair_key, 3)
        first = jax.random.rademacher(first_key, flat.shape, flat.dtype)
        second = jax.random.rademacher(second_key, flat.shape, flat.dtype)
        shifts = jnp.stack([first + second, first, second - first, -first])
        values = jax.vmap(fidelity)(jax.random.split(shot_key, 4), shifts)
        signs = jnp.asarray([1, -1, -1, 1], values.dtype)
        along = -(jnp.sum(signs * values) / 4).astype(flat.dtype) / step**2
        outer = first[:, None] * second[None]
        return along * (outer + outer.T) / 2

    keys = jax.random.split(key, num_samples)
    moments = Moments.of(in_batches(one, (keys,), batch_size))
    spent = 0 if shots is None else 4 * num_samples * shots
    return Estimate(moments.mean, moments.stderr(), spent)


def _measured(
    key: Key, chance: Float[Array, ""], shots: int
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """Return the share of `shots` that fall on it, and an unbiased variance of it."""
    chance = jnp.clip(chance, 0, 1)
    count = jax.random.binomial(key, float(shots), chance, dtype=chance.dtype)
    share = count / shots
    return share, share * (1 - share) / max(shots - 1, 1)


def _terms(spectra: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return pairs i <= j, their shifts, their coefficients, and what needs no shots.

    Terms of one pair with the same shifts are one fidelity.
    """
    rules = [shift_rule(entry) for entry in spectra]
    pairs, shifts, factors = [], [], []
    constant = np.zeros(len(rules))
    for i, one in enumerate(rules):
        for j, other in enumerate(rules[i:], start=i):
            found: dict[tuple[float, float], float] = {}
            for s, c in zip(one.shifts, one.coefficients, strict=True):
                for t, d in zip(other.shifts, other.coefficients, strict=True):
                    at = (s, t) if i < j else (round(s + t, 9), 0.0)
                    found[at] = found.get(at, 0.0) - c * d / 2
            for at, factor in found.items():
                if at == (0.0, 0.0):
                    constant[i] += factor
                else:
                    pairs.append((i, j))
                    shifts.append(at)
                    factors.append(factor)
    rows = np.asarray(pairs, int).reshape(-1, 2).T
    return rows, np.asarray(shifts).reshape(-1, 2), np.asarray(factors), constant
