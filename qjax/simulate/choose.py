"""Which representation fits a circuit: predicted time, memory and error, and why."""

import dataclasses

import jax
import numpy as np
from jaxtyping import Array, Float

from qjax._checks import require
from qjax._memory import available_bytes
from qjax.circuits.circuit import Circuit
from qjax.circuits.observables import AbstractObservable, check_observable
from qjax.circuits.operation import walk
from qjax.simulate.representations import WAYS, Option, Problem, Rates


@dataclasses.dataclass(frozen=True)
class Recommendation:
    """All options, the one that answers first in front; printed as a table.

    Attributes:
        options: The options.
    """

    options: tuple[Option, ...]

    @property
    def best(self) -> Option:
        """The possible option whose first call is the fastest.

        Raises:
            ValueError: If none is.
        """
        best = self.options[0]
        if not best.possible:
            reasons = "; ".join(f"{o.name}: {o.reason}" for o in self.options)
            raise ValueError(
                "Argument `circuit` must fit one of the representations, but is too "
                f"large for all of them ({reasons}). Averages of noisy circuits can be "
                "sampled with `average_trajectories`, and `max_error` allows an MPS to "
                "cut its bonds."
            )
        return best

    def __str__(self) -> str:
        lines = [
            f"{'representation':<15}{'compile':>10}{'seconds':>10}{'MiB':>12}  why"
        ]
        for option in self.options:
            mark = "" if option.possible else "no: "
            size = option.num_bytes / 2**20
            lines.append(
                f"{option.name:<15}{option.compile_seconds:>10.2g}"
                f"{option.seconds:>10.2g}{size:>12.3g}  "
                f"{mark}{option.reason}"
            )
        return "\n".join(lines)


@dataclasses.dataclass(frozen=True)
class Answer:
    """An expectation and how it was computed.

    Attributes:
        value: The expectation.
        error: Bound on its error by what was cut off; 0 where nothing is.
        chosen: The option taken.
    """

    value: Float[Array, ""]
    error: float
    chosen: Option


def recommend(
    circuit: Circuit,
    observable: AbstractObservable,
    *,
    max_error: float = 0.0,
    largest_bond: int = 256,
    dtype: np.dtype | type | None = None,
    rates: Rates | None = None,
) -> Recommendation:
    """Compare the representations that can give <O> after a circuit on |0...0>.

    Predicted times are orders of magnitude: they order representations whose costs grow
    with different powers, not ones that are close.

    Args:
        circuit: Circuit of n wires; angles that are traced cannot be seen to be
            Clifford.
        observable: O.
        max_error: Bound on the error of <O> allowed, for representations that cut.
        largest_bond: Largest bond of a matrix product state.
        dtype: Complex dtype; by default JAX's at the time of the call.
        rates: Speeds to predict with.

    Returns:
        The options, possible ones first, by predicted time.

    Raises:
        ValueError: If `max_error` is negative or `largest_bond` < 1.

    Example:
        >>> from qjax.circuits import ghz, pauli
        >>> from qjax.simulate import recommend
        >>> recommend(ghz(500), pauli("ZZ", (0, 499))).best.name
        'propagation'
    """
    problem = _problem(circuit, observable, max_error, largest_bond, dtype, rates)
    return _compare(problem)


def auto(
    circuit: Circuit,
    observable: AbstractObservable,
    *,
    max_error: float = 0.0,
    largest_bond: int = 256,
    dtype: np.dtype | type | None = None,
    rates: Rates | None = None,
) -> Answer:
    """Compute <O> after a circuit on |0...0> in the representation that fits best.

    Args:
        circuit: As in `recommend`.
        observable: As in `recommend`.
        max_error: As in `recommend`: at 0 nothing is cut, and the value is exact to
            rounding.
        largest_bond: As in `recommend`.
        dtype: As in `recommend`.
        rates: As in `recommend`.

    Returns:
        The value, a bound on its error, and what was chosen.

    Raises:
        ValueError: If no representation fits; the message says why not, one by one.

    Example:
        >>> from qjax.circuits import ghz, pauli
        >>> from qjax.simulate import auto
        >>> answer = auto(ghz(500), pauli("ZZ", (0, 499)))
        >>> float(answer.value), answer.error
        (1.0, 0.0)
    """
    problem = _problem(circuit, observable, max_error, largest_bond, dtype, rates)
    chosen = _compare(problem).best
    _, compute = WAYS[chosen.name]
    value, error = compute(problem, chosen)
    return Answer(value, error, chosen)


def _problem(
    circuit: Circuit,
    observable: AbstractObservable,
    max_error: float,
    largest_bond: int,
    dtype: np.dtype | type | None,
    rates: Rates | None,
) -> Problem:
    require(max_error >= 0, "max_error", "be at least 0", max_error)
    require(largest_bond >= 1, "largest_bond", "be at least 1", largest_bond)
    kind = jax.dtypes.canonicalize_dtype(complex if dtype is None else dtype)
    return Problem(
        circuit,
        check_observable(observable, circuit.num_wires),
        kind,
        max_error,
        largest_bond,
        Rates() if rates is None else rates,
        tuple(walk(circuit.operations)),
    )


def _compare(problem: Problem) -> Recommendation:
    options = [_limited(find(problem)) for find, _ in WAYS.values()]
    order = sorted(options, key=_rank)
    return Recommendation(tuple(order))


def _rank(option: Option) -> tuple[bool, float, str]:
    """Possible ones first; the time is that of a first call."""
    seconds = option.seconds + option.compile_seconds
    return not option.possible, seconds if option.possible else 0.0, option.name


def _limited(option: Option) -> Option:
    """Refuse an option that does not fit into memory."""
    available = available_bytes()
    if not option.possible or available is None or option.num_bytes <= available:
        return option
    reason = "it does not fit into memory"
    return dataclasses.replace(option, possible=False, reason=reason)
