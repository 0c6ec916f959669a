"""Errors correlated in space: what a gate does to wires that are not its own."""

from collections.abc import Sequence

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from qjax._checks import (
    as_float,
    check_probability,
    check_wires,
    checked,
    require,
)
from qjax._types import ArrayLike
from qjax.circuits import Channel, Circuit, Conditional, rzz
from qjax.circuits.operation import AbstractOperation, AbstractUnitary
from qjax.noise._kraus import pauli_mixture, with_remainder
from qjax.noise._rewrite import (
    Inserted,
    Names,
    as_names,
    is_gate,
    marked,
    rewrite_gates,
    rewrite_moments,
)

Errors = tuple[AbstractUnitary | Channel, ...]


def correlated_pauli(
    probabilities: Sequence[ArrayLike],
    words: Sequence[str],
    wires: Sequence[int],
    name: str = "CorrelatedPauli",
) -> Channel:
    """Apply one of some Pauli words at random, on all of its wires at once.

    rho -> (1 - sum_j p_j) rho + sum_j p_j P_j rho P_j.

    Args:
        probabilities: p_j in [0, 1], at most 1 in sum.
        words: Words P_j such as "ZZ", one letter for each wire, each word once and
            none of them the identity, which takes the rest.
        wires: Wires, in the order of the letters.
        name: Name in drawings.

    Returns:
        A channel of one more Kraus operator than there are words.

    Raises:
        ValueError: If the words do not fit the wires or repeat, their number is not
            that of the probabilities, or these leave their range (traced: at run time).

    Source: Flammia and Wallman, ACM Trans. Quantum Comput. 1, 3 (2020).

    Example:
        >>> from qjax.noise import correlated_pauli
        >>> correlated_pauli([0.1, 0.02], ["ZZ", "XI"], (0, 1)).paulis
        ('II', 'ZZ', 'XI')
    """
    wires, words = check_wires(wires), tuple(words)
    rule = f"hold different words of {len(wires)} letters I, X, Y, Z, not all I"
    fits = len(set(words)) == len(words) > 0 and set("".join(words)) <= set("IXYZ")
    fits = fits and all(
        len(word) == len(wires) and set(word) != {"I"} for word in words
    )
    require(fits, "words", rule, words)
    fits, rule = len(probabilities) == len(words), f"have {len(words)} entries"
    require(fits, "probabilities", rule, len(probabilities))
    values = [check_probability(p, "probabilities") for p in probabilities]
    weights = with_remainder(*values, name="probabilities")
    return pauli_mixture(weights, ("I" * len(wires), *words), wires, name)


class Crosstalk(eqx.Module):
    """Errors on coupled wires while gates are done on some of them: Circuit -> Circuit.

    Each error names by its own wires what is coupled; a unitary one is coherent
    crosstalk, a channel correlated noise. With `when="spectator"` it follows each gate
    on some but not all of its wires; with "simultaneous" it follows each moment in
    which two or more gates are done on its wires. Numbers are leaves, so strengths may
    be batched and differentiated; `Repeat` stays one repeated layer.

    A moment has the gates that are done at the same time, each as early as its wires
    allow; measurements, resets, conditional and repeated operations are moments of
    their own. Unitary errors come as `CoherentError`, which other errors do not take
    for a gate, in whatever order they are put on.

    Attributes:
        errors: Unitaries and channels, each on two wires or more.
        when: "spectator" or "simultaneous". Static.
        gates: Names of the gates that cause them, None for all. Static.

    Raises:
        ValueError: If there is no error, one acts on a single wire, `when` is unknown,
            or the circuit has not all the wires.
        TypeError: If an error is neither unitary nor a channel.

    Source: Sarovar et al., Quantum 4, 321 (2020) (what crosstalk is); always
    of ZZ form between fixed-frequency transmons: Sheldon et al., Phys. Rev. A 93,
    060302 (2016).

    Example:
        >>> from qjax.circuits import Circuit, cx, h, rzz
        >>> from qjax.noise import Crosstalk
        >>> crosstalk = Crosstalk((rzz(0.05, 1, 2),))
        >>> noisy = crosstalk(Circuit([h(0), cx(0, 1), cx(1, 2)], 3))
        >>> [operation.name for operation in noisy.operations]
        ['H', 'CX', 'error RZZ', 'CX']
    """

    errors: Errors = eqx.field(converter=tuple)
    when: str = eqx.field(static=True, default="spectator")
    gates: Names = eqx.field(static=True, converter=as_names, default=None)

    def __check_init__(self):
        known = ("spectator", "simultaneous")
        require(self.when in known, "when", f"be one of {known}", repr(self.when))
        _check(self.errors, least_wires=2)

    def __call__(self, circuit: Circuit) -> Circuit:
        """Return the circuit with crosstalk."""
        _check_fit(self.errors, circuit)
        if self.when == "spectator":
            return rewrite_gates(circuit, self._after_gate)
        return rewrite_moments(circuit, self._after_moment)

    def _after_gate(self, gate: AbstractUnitary) -> list[Inserted]:
        result: list[Inserted] = [gate]
        if is_gate(gate, self.gates):
            for error in self.errors:
                inside = set(error.wires) & set(gate.wires)
                if inside and inside != set(error.wires):
                    result.append(marked(error))
        return result

    def _after_moment(self, moment: Sequence[AbstractOperation]) -> list[Inserted]:
        gates = [set(one.wires) for one in moment if is_gate(one, self.gates)]
        return [
            marked(error)
            for error in self.errors
            if sum(bool(wires & set(error.wires)) for wires in gates) >= 2
        ]


def zz_crosstalk(
    rates: ArrayLike,
    pairs: Sequence[tuple[int, int]],
    time: ArrayLike,
    when: str = "spectator",
    gates: str | Sequence[str] | None = None,
) -> Crosstalk:
    """Couple pairs of wires by exp(-i zeta t Z (x) Z / 2) while gates are done.

    Args:
        rates: Coupling zeta in radians per unit of time: one, or one for each pair.
        pairs: The coupling map: pairs of different wires, each once.
        time: Duration t >= 0 of a gate, in the same unit. Where gates take different
            times, put one crosstalk after the other, each with its `gates`.
        when: As in `Crosstalk`.
        gates: As in `Crosstalk`.

    Raises:
        ValueError: If a pair is no pair or repeats, the rates do not fit the pairs, or
            the time is negative (traced: at run time).

    Source: Sheldon et al., Phys. Rev. A 93, 060302 (2016).

    Example:
        >>> from qjax.circuits import Circuit, x
        >>> from qjax.noise import zz_crosstalk
        >>> chain = zz_crosstalk(2e-4, [(0, 1), (1, 2)], time=35.0)
        >>> [error.wires for error in chain(Circuit([x(0)], 3)).operations]
        [(0,), (0, 1)]
    """
    edges = [check_wires(pair, argument="pairs") for pair in pairs]
    fits = all(len(edge) == 2 for edge in edges)
    fits = fits and len({frozenset(edge) for edge in edges}) == len(edges) > 0
    require(fits, "pairs", "hold pairs of two wires, each once", edges)
    time = checked(time, lambda t: t >= 0, "time", "be at least 0")
    duration = as_float(time, "time")
    require(duration.ndim == 0, "time", "be a scalar", f"of shape {duration.shape}")
    zeta = as_float(rates, "rates")
    fits, shape = zeta.shape in ((), (len(edges),)), (len(edges),)
    rule = f"be a scalar or have shape {shape}"
    require(fits, "rates", rule, f"of shape {zeta.shape}")
    dtype = np.result_type(zeta.dtype, duration.dtype)
    angles = zeta.astype(dtype) * jnp.broadcast_to(duration.astype(dtype), zeta.shape)
    angles = jnp.broadcast_to(angles, shape)
    errors = [rzz(angle, *edge) for angle, edge in zip(angles, edges, strict=True)]
    return Crosstalk(errors, when, gates)


class Background(eqx.Module):
    """Errors that happen all the time, after every moment: Circuit -> Circuit.

    For detuned wires (`rz`), always-on couplings (`rzz`), fields that many wires feel
    together, and the relaxation of idle wires. Every moment of the circuit counts as
    one unit of time, also that of a conditional gate, done or not; measurements and
    resets take none. Moments are those of `Crosstalk`.

    Attributes:
        errors: Unitaries and channels on their own wires.

    Raises:
        ValueError: If there is no error or the circuit has not all the wires.
        TypeError: If an error is neither unitary nor a channel.

    Example:
        >>> from qjax.circuits import Circuit, cx, h, rz
        >>> from qjax.noise import Background
        >>> noisy = Background((rz(0.01, 1),))(Circuit([h(0), h(1), cx(0, 1)], 2))
        >>> [operation.name for operation in noisy.operations]
        ['H', 'H', 'error RZ', 'CX', 'error RZ']
    """

    errors: Errors = eqx.field(converter=tuple)

    def __check_init__(self):
        _check(self.errors, least_wires=1)

    def __call__(self, circuit: Circuit) -> Circuit:
        """Return the circuit with the errors behind every moment."""
        _check_fit(self.errors, circuit)
        return rewrite_moments(circuit, self._after_moment)

    def _after_moment(self, moment: Sequence[AbstractOperation]) -> list[Inserted]:
        takes_time = any(
            is_gate(one) or (isinstance(one, Conditional) and is_gate(one.operation))
            for one in moment
        )
        return [marked(error) for error in self.errors] if takes_time else []


def _check(errors: Sequence[AbstractOperation], least_wires: int) -> None:
    """Raise unless there are unitaries or channels on enough wires."""
    require(len(errors) > 0, "errors", "hold at least one error", errors)
    for error in errors:
        if not isinstance(error, AbstractUnitary | Channel):
            raise TypeError(
                "Argument `errors` must hold unitaries and channels, "
                f"but has {type(error).__name__}."
            )
        rule = f"act on at least {least_wires} wires each"
        require(len(error.wires) >= least_wires, "errors", rule, error.wires)


def _check_fit(errors: Errors, circuit: Circuit) -> None:
    """Raise unless the circuit has the wires of all errors."""
    for error in errors:
        rule = f"act on wires below {circuit.num_wires}"
        require(max(error.wires) < circuit.num_wires, "errors", rule, error.wires)
