"""The operations a circuit is made of: data only, no knowledge of states."""

import abc
import dataclasses
import functools
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from qjax._checks import check_wires, checked, require
from qjax._linalg import dagger, is_unitary, keeps_trace, real_to_complex
from qjax._types import ArrayLike, Wires

Params = Float[Array, " p"] | Float[np.ndarray, " p"]
Matrix = Complex[Array, "d d"] | Complex[np.ndarray, "d d"]
Weights = Float[Array, " m"] | Float[np.ndarray, " m"]
KrausStack = Complex[Array, "k d d"] | Complex[np.ndarray, "k d d"]


class AbstractOperation(eqx.Module):
    """Anything that acts on wires: numbers are leaves, wires and identity static."""

    # A type checker would take an AbstractVar for an argument of the constructor.
    if TYPE_CHECKING:

        @property
        def wires(self) -> Wires: ...

        @property
        def name(self) -> str: ...
    else:
        wires: eqx.AbstractVar[Wires]
        name: eqx.AbstractVar[str]


class AbstractUnitary(AbstractOperation):
    """An operation with a unitary matrix; the first of `wires` is the leading bit."""

    @abc.abstractmethod
    def matrix(self) -> Matrix:
        """Return the unitary on `wires`, shape (2^k, 2^k)."""

    @abc.abstractmethod
    def inverse(self) -> "AbstractUnitary":
        """Return the operation that undoes this one."""


class AbstractComposite(AbstractOperation):
    """An operation made of others, done `repetitions` times."""

    @property
    @abc.abstractmethod
    def repetitions(self) -> int:
        """Number of repetitions."""

    @property
    @abc.abstractmethod
    def operations(self) -> tuple[AbstractOperation, ...]:
        """Operations of one repetition, in time order."""


@dataclasses.dataclass(frozen=True)
class GateSpec:
    """One row of the gate table: everything static that is known about a gate.

    Attributes:
        name: Name of the gate, unique in the table.
        num_wires: Number of wires k.
        num_params: Number of real parameters p.
        matrix: Maps p scalars to the (2^k, 2^k) matrix.
        inverse: Maps the parameters to the inverse gate's row and parameters.
        generator: For p = 1: the Hermitian G with U(t) = exp(-i t G), else None.
    """

    name: str
    num_wires: int
    num_params: int
    matrix: Callable[..., Array | np.ndarray]
    inverse: Callable[[Any], tuple["GateSpec", Any]] = dataclasses.field(compare=False)
    generator: np.ndarray | None = dataclasses.field(default=None, compare=False)


class Gate(AbstractUnitary):
    """A gate of the table on given wires.

    Attributes:
        params: Parameters, shape (p,), floating. Leaf.
        wires: Wires acted on. Static.
        spec: Row of the gate table. Static.

    Raises:
        ValueError: If the number of parameters or wires is not the table's.

    Example:
        >>> import numpy as np
        >>> from qjax.circuits import GATES, Gate
        >>> Gate(np.asarray([0.3]), (0,), GATES["RX"]).matrix().shape
        (2, 2)
    """

    params: Params
    wires: Wires = eqx.field(static=True, converter=check_wires)
    spec: GateSpec = eqx.field(static=True)

    def __check_init__(self):
        spec = self.spec
        if np.shape(self.params) != (spec.num_params,):
            rule = f"have shape ({spec.num_params},) for {spec.name}"
            require(False, "params", rule, f"of shape {np.shape(self.params)}")
        if len(self.wires) != spec.num_wires:
            rule = f"have {spec.num_wires} entries for {spec.name}"
            require(False, "wires", rule, self.wires)

    @property
    def name(self) -> str:
        return self.spec.name

    def matrix(self) -> Matrix:
        params = (self.params[i] for i in range(self.spec.num_params))
        return jnp.asarray(self.spec.matrix(*params))

    def inverse(self) -> "Gate":
        spec, params = self.spec.inverse(self.params)
        return Gate(params, self.wires, spec)


class Unitary(AbstractUnitary):
    """An arbitrary unitary matrix on given wires; `unitary` builds a checked one.

    Attributes:
        array: The matrix, shape (2^k, 2^k). Leaf.
        wires: Wires acted on, k of them. Static.
    """

    array: Matrix
    wires: Wires = eqx.field(static=True, converter=check_wires)

    def __check_init__(self):
        check_square(self.array, self.wires, "array", self.array.ndim == 2)

    @property
    def name(self) -> str:
        return "U"

    def matrix(self) -> Matrix:
        return jnp.asarray(self.array)

    def inverse(self) -> "Unitary":
        return Unitary(dagger(self.matrix()), self.wires)


class Controlled(AbstractUnitary):
    """A unitary that acts where every control wire has its value; cost has no 2^c.

    Attributes:
        operation: The unitary on the target wires.
        controls: Control wires. Static.
        values: Bit of each control that switches the operation on. Static.

    Raises:
        ValueError: If controls and targets overlap, or a value is not a bit.

    Example:
        >>> from qjax.circuits import controlled, x
        >>> controlled(x(2), (0, 1)).wires
        (0, 1, 2)
    """

    operation: AbstractUnitary
    controls: Wires = eqx.field(static=True, converter=check_wires)
    values: tuple[int, ...] = eqx.field(static=True, converter=tuple)

    def __check_init__(self):
        check_wires(self.controls + self.operation.wires)
        rule = f"have {len(self.controls)} entries"
        require(len(self.values) == len(self.controls), "values", rule, self.values)
        bits = all(value in (0, 1) for value in self.values)
        require(bits, "values", "hold bits", self.values)

    @property
    def wires(self) -> Wires:
        return self.controls + self.operation.wires

    @property
    def name(self) -> str:
        return f"C{len(self.controls)}-{self.operation.name}"

    def matrix(self) -> Matrix:
        block = self.operation.matrix()
        size = block.shape[0]
        start = size * int("".join(map(str, self.values)), 2)
        identity = jnp.eye(size * 2 ** len(self.controls), dtype=block.dtype)
        return identity.at[start : start + size, start : start + size].set(block)

    def inverse(self) -> "Controlled":
        return Controlled(self.operation.inverse(), self.controls, self.values)


class Channel(AbstractOperation):
    """A quantum channel by its Kraus operators: rho -> sum_k K_k rho K_k^dagger.

    With weights w it is a mixture of unitaries, K_k = sqrt(w_k) U_k: what happens does
    not depend on the state, so trajectories draw k before the circuit runs.

    Attributes:
        operators: The K_k, or the U_k if there are weights; shape (k, 2^w, 2^w). Leaf.
        wires: Wires acted on, w of them. Static.
        name: Name in drawings. Static.
        weights: None, or the probabilities w_k, shape (k,). Leaf.
        paulis: None, or the words P_k if the U_k are known to be Pauli matrices, such
            as ("I", "X"), up to phases: trajectories then need no matrix. Static.

    Raises:
        ValueError: If the shapes or words do not fit each other or the wires.

    Example:
        >>> import numpy as np
        >>> from qjax.circuits import Channel
        >>> Channel(np.eye(2, dtype=complex)[None], (0,)).checked().wires
        (0,)
    """

    operators: KrausStack
    wires: Wires = eqx.field(static=True, converter=check_wires)
    name: str = eqx.field(static=True, default="Channel")
    weights: Weights | None = None
    paulis: tuple[str, ...] | None = eqx.field(static=True, default=None)

    def __check_init__(self):
        stacked = self.operators.ndim == 3
        check_square(self.operators, self.wires, "operators", stacked)
        if self.weights is not None:
            fits = np.shape(self.weights) == self.operators.shape[:1]
            rule = f"have shape ({self.operators.shape[0]},) as there are operators"
            require(fits, "weights", rule, f"of shape {np.shape(self.weights)}")
        if self.paulis is not None:
            count, width = self.operators.shape[0], len(self.wires)
            fits = [len(word) for word in self.paulis] == [width] * count
            fits = fits and set("".join(self.paulis)) <= set("IXYZ")
            rule = f"hold {count} words of {width} letters I, X, Y, Z"
            require(fits, "paulis", rule, self.paulis)
            require(self.weights is not None, "weights", "go with `paulis`", None)

    @property
    def kraus(self) -> Complex[Array, "*depth k d d"] | Complex[np.ndarray, "k d d"]:
        """The K_k, shape (k, 2^w, 2^w), after the depth axis of a repeated channel."""
        if self.weights is None:
            return self.operators
        roots = real_to_complex(safe_root(jnp.asarray(self.weights)))
        unitaries = jnp.asarray(self.operators).astype(roots.dtype)
        return roots[..., None, None] * unitaries

    def on(self, wires: Wires) -> "Channel":
        """Return the same channel on other wires."""
        return Channel(self.operators, wires, self.name, self.weights, self.paulis)

    def checked(self) -> "Channel":
        """Return the channel, or report that sum_k K_k^dagger K_k is not I.

        With weights: that an operator is not unitary, or the weights are negative or do
        not sum to 1. Concrete numbers raise ValueError; traced ones raise at run time
        under jit, as long as the returned channel is the one used.
        """
        if self.weights is None:
            rule = "satisfy sum_k K_k^dagger K_k = I"
            operators = checked(self.operators, keeps_trace, "kraus", rule)
            return Channel(operators, self.wires, self.name)
        operators = checked(self.operators, _all_unitary, "unitaries", "be unitary")
        rule = "be at least 0 and 1 in sum"
        weights = checked(self.weights, _is_distribution, "weights", rule)
        return Channel(operators, self.wires, self.name, weights, self.paulis)


class Measure(AbstractOperation):
    """Measure wires in the computational basis and record one bit for each.

    Attributes:
        wires: Wires measured, in the order of the recorded bits. Static.
    """

    wires: Wires = eqx.field(static=True, converter=check_wires)

    @property
    def name(self) -> str:
        return "M"


class Reset(AbstractOperation):
    """Return wires to |0> (measure, forget, flip): rho -> |0><0| (x) Tr_wires rho.

    Attributes:
        wires: Wires reset. Static.
    """

    wires: Wires = eqx.field(static=True, converter=check_wires)

    @property
    def name(self) -> str:
        return "|0>"


class Conditional(AbstractOperation):
    """Do `operation` only if earlier measured bits have the given values.

    Attributes:
        operation: A unitary, channel or reset.
        outcomes: Positions in the list of bits recorded so far, in time order; negative
            positions count from the latest. Inside `Repeat` the list holds the bits
            recorded before it, then those of the current repetition. Static.
        values: Required bit at each position. Static.

    Raises:
        TypeError: If `operation` itself measures, repeats or is conditional.
        ValueError: If `values` does not fit `outcomes`.

    Example:
        >>> from qjax.circuits import Conditional, x
        >>> Conditional(x(1), (-1,), (1,)).name
        'if[-1]=1: X'
    """

    operation: AbstractUnitary | Channel | Reset
    outcomes: tuple[int, ...] = eqx.field(static=True, converter=tuple)
    values: tuple[int, ...] = eqx.field(static=True, converter=tuple)

    def __check_init__(self):
        if not isinstance(self.operation, AbstractUnitary | Channel | Reset):
            raise TypeError(
                "Argument `operation` must be a unitary, channel or reset, "
                f"but is {type(self.operation).__name__}."
            )
        fits = len(self.values) == len(self.outcomes) > 0
        rule = f"have as many entries as `outcomes` {self.outcomes}, at least 1"
        require(fits, "values", rule, self.values)
        bits = all(value in (0, 1) for value in self.values)
        require(bits, "values", "hold bits", self.values)

    @property
    def wires(self) -> Wires:
        return self.operation.wires

    @property
    def name(self) -> str:
        shown = ",".join(map(str, self.outcomes))
        return f"if[{shown}]={''.join(map(str, self.values))}: {self.operation.name}"


def _all_unitary(stack: Any) -> Any:
    """Say where every matrix of a stack is unitary to rounding."""
    return functools.reduce(lambda a, b: a & b, [is_unitary(one) for one in stack])


def _is_distribution(weights: Any) -> Any:
    """Say where weights are at least 0, and whether they sum to 1 to rounding."""
    return (weights >= 0) & keeps_trace(abs(weights)[:, None, None] ** 0.5).all()


def safe_root(value: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Return sqrt(value) with the derivative that keeps the channel's right at 0.

    A Kraus operator enters as K K^dagger, so d/dp (sqrt(p)^2) = 2 sqrt(p) sqrt(p)' has
    to come out as 1 at p = 0 too, where it would be 0 * inf. A floor of eps^4, far
    below rounding, makes both factors finite; rounded values below 0 are raised to it.
    """
    floor = float(jnp.finfo(value.dtype).eps) ** 4
    raised = floor + (value - jax.lax.stop_gradient(value))
    return jnp.sqrt(jnp.where(value < floor, raised, value))


def walk(operations: Sequence[AbstractOperation]) -> Iterator[AbstractOperation]:
    """Yield elementary operations in time order, composites opened and repeated.

    Leaves of a repeated operation keep their leading depth axis: only what is static
    may be read.
    """
    for operation in operations:
        if isinstance(operation, AbstractComposite):
            for _ in range(operation.repetitions):
                yield from walk(operation.operations)
        else:
            yield operation


def count_outcomes(operations: Sequence[AbstractOperation]) -> int:
    """Count the bits that one execution records."""
    return sum(len(op.wires) for op in walk(operations) if isinstance(op, Measure))


def check_square(array: ArrayLike, wires: Wires, name: str, rank_fits: bool) -> None:
    """Raise unless the last two axes are those of a matrix on `wires`."""
    shape, size = np.shape(array), 2 ** len(wires)
    fits = rank_fits and shape[-2:] == (size, size)
    rule = f"end in shape ({size}, {size}) on {len(wires)} wires"
    require(fits, name, rule, f"of shape {shape}")
