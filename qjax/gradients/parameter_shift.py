"""Gradients from values at shifted parameters, exact or by shots."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PyTree

from qjax._checks import require
from qjax._types import Key
from qjax.gradients.estimate import GradientEstimate, flatten, in_batches
from qjax.gradients.shift_rules import shift_rule
from qjax.gradients.spectra import Angles, CircuitFn, find_angles
from qjax.statistics import Estimate

Spectra = Sequence[float] | Sequence[Sequence[float]]


def parameter_shift(
    value_fn: Callable[[Any], Array],
    params: PyTree,
    *,
    circuit_fn: CircuitFn | None = None,
    spectra: Spectra | None = None,
    batch_size: int | None = None,
) -> PyTree:
    """Return the gradient of an expectation from its values at shifted parameters.

    df/dx = sum_m c_m f(x + s_m), exact for the frequencies of f: see `shift_rule`.
    Either the circuit is given, and every gate that depends on the parameters is
    shifted by itself (any differentiable builder, any number of gates that share a
    parameter); or the frequencies are, and the parameters are shifted.

    Args:
        value_fn: With `circuit_fn`, maps a `Circuit` to a real scalar; with `spectra`,
            the parameters. It must be an expectation: affine in the final state.
        params: Pytree of p real floating numbers in all.
        circuit_fn: Maps the parameters to a `Circuit`: a function or a `Template`.
            Frequencies are those of the gate table.
        spectra: Frequencies of every parameter, or one sequence for each entry of
            `jax.flatten_util.ravel_pytree(params)`, as `frequencies` returns them;
            (1.0,) is the two-term rule for angles of rotations.
        batch_size: Values computed at the same time; None takes all.

    Returns:
        Gradient with the structure of `params`.

    Raises:
        ValueError: If not just one of `circuit_fn` and `spectra` is given, a parameter
            reaches an operation without a rule, or the spectra do not fit.

    Source: Mitarai et al., Phys. Rev. A 98, 032309 (2018); Wierichs et al., Quantum 6,
    677 (2022).

    Example:
        >>> import jax.numpy as jnp
        >>> from qjax.circuits import Circuit, crx, pauli, ry
        >>> from qjax.gradients import parameter_shift
        >>> from qjax.simulate import expectation, run
        >>> from qjax.states import StateVector
        >>> def build(x):
        ...     return Circuit([ry(x, 0), crx(2 * x, 0, 1)], 2)
        >>> def value(circuit):
        ...     return expectation(run(circuit, StateVector.zeros(2)), pauli("Z", 0))
        >>> slope = parameter_shift(value, jnp.asarray(0.5), circuit_fn=build)
        >>> round(float(slope), 4)  # - sin(0.5)
        -0.4794
    """
    plan = _Plan(value_fn, params, circuit_fn, spectra)
    index, shift = plan.points()
    values = jnp.zeros((0,))
    if index.size:
        values = in_batches(plan.value, (index, shift), batch_size)
    return plan.pull_back(plan.weighted(values, 1))


def sampled_parameter_shift(
    key: Key,
    value_fn: Callable[[Key, Any], Estimate],
    params: PyTree,
    *,
    circuit_fn: CircuitFn | None = None,
    spectra: Spectra | None = None,
    batch_size: int | None = None,
) -> GradientEstimate:
    """Estimate the gradient of an expectation by shots at shifted parameters.

    As `parameter_shift`, with independent shots for each term; the variance of an entry
    is sum_m c_m^2 e_m^2 over its terms, where e_m is the standard error of term m.

    Args:
        key: JAX random key.
        value_fn: Maps a key and a `Circuit` (with `circuit_fn`) or the parameters (with
            `spectra`) to an `Estimate` of a scalar, such as `qjax.simulate.estimate`
            gives.
        params: Pytree of p real floating numbers in all.
        circuit_fn: As in `parameter_shift`.
        spectra: As in `parameter_shift`.
        batch_size: Terms evaluated at the same time; None takes all.

    Returns:
        Gradient with standard errors; `samples` is the number of shots in all.

    Raises:
        ValueError: As `parameter_shift`.
        TypeError: If `value_fn` returns something else than an `Estimate`.

    Source: Wierichs et al., Quantum 6, 677 (2022), section 3.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from qjax.circuits import Circuit, pauli, ry
        >>> from qjax.gradients import sampled_parameter_shift
        >>> from qjax.simulate import estimate, run
        >>> from qjax.states import StateVector
        >>> def value(key, circuit):
        ...     state = run(circuit, StateVector.zeros(1))
        ...     return estimate(key, state, pauli("Z", 0), shots=100)
        >>> found = sampled_parameter_shift(jax.random.key(1), value,
        ...     jnp.asarray(0.5 * jnp.pi), circuit_fn=lambda x: Circuit([ry(x, 0)], 1))
        >>> float(found.mean), float(found.stderr), found.samples
        (-1.0, 0.0, 200)
    """
    plan = _Plan(value_fn, params, circuit_fn, spectra)
    index, shift = plan.points()
    keys = jax.random.split(key, index.size) if index.size else jnp.zeros((0,))
    shots = 0

    def term(term_key: Key, i: Array, s: Array) -> tuple[Array, Array]:
        nonlocal shots
        result = plan.value(i, s, term_key)
        if not isinstance(result, Estimate):
            raise TypeError(
                "Argument `value_fn` must return an Estimate, "
                f"but returns {type(result).__name__}."
            )
        shots = result.shots
        return result.mean, result.stderr

    if not index.size:
        zero = plan.pull_back(plan.weighted(jnp.zeros((0,)), 1))
        return GradientEstimate(zero, zero, 0)
    means, errors = in_batches(term, (keys, index, shift), batch_size)
    gradient = plan.pull_back(plan.weighted(means, 1))
    variance = plan.pull_back_squares(plan.weighted(errors**2, 2))
    return GradientEstimate(
        gradient, jax.tree.map(jnp.sqrt, variance), shots * index.size
    )


class _Plan:
    """Terms of all rules, and the way from entries that are shifted to parameters."""

    def __init__(
        self,
        value_fn: Callable[..., Any],
        params: PyTree,
        circuit_fn: CircuitFn | None,
        spectra: Spectra | None,
    ):
        one = (circuit_fn is None) != (spectra is None)
        rule = "be given or else `spectra`, not both"
        require(one, "circuit_fn", rule, "both" if circuit_fn else "neither")
        self.value_fn, self.params = value_fn, params
        flat, self.unravel = flatten(params)
        self.circuit_fn, self.dtype = circuit_fn, flat.dtype
        self.angles = Angles((), ())
        if circuit_fn is not None:
            self.circuit, self.angles = find_angles(circuit_fn, params)
            self.start = self.angles.values(self.circuit)
            found: Sequence[Sequence[float]] = self.angles.frequencies
        else:
            assert spectra is not None
            self.start = flat
            found = each_entry(spectra, flat.size)
        rules = [shift_rule(entry) for entry in found]
        counts = [rule.shifts.size for rule in rules]
        self.index = np.repeat(np.arange(len(rules)), counts)
        blank = [np.zeros(0)]
        self.shifts = np.concatenate(blank + [rule.shifts for rule in rules])
        self.coefficients = np.concatenate(
            blank + [rule.coefficients for rule in rules]
        )

    def points(self) -> tuple[Array, Array]:
        """Return which entry each term shifts, and by how much."""
        shifts = jnp.asarray(self.shifts, self.start.dtype)
        return jnp.asarray(self.index), shifts

    def value(self, index: Array, shift: Array, *key: Key) -> Any:
        """Return the value at one entry's shift."""
        moved = self.start.at[index].add(shift)
        if self.circuit_fn is None:
            return self.value_fn(*key, self.unravel(moved))
        return self.value_fn(*key, self.angles.replaced(self.circuit, moved))

    def weighted(self, values: Array, power: int) -> Float[Array, " a"]:
        """Sum values times coefficients to some power, entry by entry."""
        weights = jnp.asarray(self.coefficients**power, self.start.dtype)
        terms = weights * values.astype(self.start.dtype)
        return jnp.zeros_like(self.start).at[self.index].add(terms)

    def pull_back(self, slopes: Float[Array, " a"]) -> PyTree:
        """Return the derivatives by parameters from those by shifted entries."""
        if self.circuit_fn is None:
            return self.unravel(slopes)
        _, pull = jax.vjp(self._angles_of, self.params)
        return pull(slopes)[0]

    def pull_back_squares(self, variances: Float[Array, " a"]) -> PyTree:
        """Return variances by parameters from those of independent entries."""
        if self.circuit_fn is None:
            return self.unravel(variances)
        jacobian = jax.jacrev(self._angles_of)(self.params)
        return jax.tree.map(
            lambda leaf: jnp.tensordot(variances.astype(leaf.dtype), leaf**2, 1),
            jacobian,
        )

    def _angles_of(self, params: PyTree) -> Float[Array, " a"]:
        assert self.circuit_fn is not None
        return self.angles.values(self.circuit_fn(params))


def each_entry(spectra: Spectra, size: int) -> Sequence[Sequence[float]]:
    """Return one set of frequencies for each entry."""
    if all(np.ndim(entry) == 0 for entry in spectra):
        return [tuple(spectra)] * size  # type: ignore[list-item]
    rule = f"hold numbers, or {size} sequences of numbers"
    fits = len(spectra) == size and all(np.ndim(entry) == 1 for entry in spectra)
    require(fits, "spectra", rule, f"of length {len(spectra)}")
    return spectra  # type: ignore[return-value]
