"""Networks of circuits: amplitudes, open vectors, and averages."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int

from qjax._checks import checked, require
from qjax.circuits import Circuit
from qjax.circuits.observables import (
    AbstractObservable,
    Hermitian,
    PauliSum,
    Projector,
    check_observable,
)
from qjax.circuits.operation import AbstractOperation, AbstractUnitary
from qjax.network.cone import cone_rows, plain_operations
from qjax.network.network import Network
from qjax.network.sketch import (
    Insertion,
    Leaf,
    Sketch,
    Steps,
    bind,
    sketch_average,
    sketch_vector,
)
from qjax.network.tensors import Part, Stacks, decompose

Bits = Sequence[int] | np.ndarray | Int[Array, "*batch n"]

_PAULIS = {"X": [[0, 1], [1, 0]], "Y": [[0, -1j], [1j, 0]]}
_Z = [1, -1]


def amplitude_network(
    circuit: Circuit,
    bits: Bits | None = None,
    *,
    start: Bits | None = None,
    dtype: np.dtype | type | None = None,
) -> Network:
    """Build the network of <bits| U |start>, or of the whole vector U |start>.

    A gate has the index of a wire on which it is diagonal once, a control through a
    bond of length 2; an exchange of wires has no tensor.

    Args:
        circuit: Unitary circuit of n wires; a `Repeat` is written out.
        bits: n bits, or None to leave the n output axes open, wire 0 first.
        start: n bits of the product state before the circuit; by default zeros.
        dtype: Complex dtype; by default JAX's at the time of the call.

    Returns:
        A `Network`, of no or of n output indices.

    Raises:
        ValueError: If there are not n bits, or one is neither 0 nor 1.
        TypeError: If an operation is not unitary.

    Example:
        >>> from qjax.circuits import Circuit, cz, h
        >>> from qjax.network import amplitude_network
        >>> network = amplitude_network(Circuit([h(0), h(1), cz(0, 1)], 2))
        >>> len(network.tensors), network.output
        (5, (2, 3))
    """
    pieces = Pieces(circuit, start, dtype)
    sketch = pieces.vector(bits is not None)
    if bits is not None:
        pieces.set_bits(bits)
    return pieces.network(sketch)


def average_network(
    circuit: Circuit,
    observable: PauliSum | Projector | Hermitian,
    *,
    start: Bits | None = None,
    dtype: np.dtype | type | None = None,
) -> Network:
    """Build the network of Tr(O rho), in the light cone of O.

    Circuit and conjugate circuit meet in O; channels join the two by the number of
    their Kraus operator.

    Args:
        circuit: Circuit of n wires of unitaries, channels and resets.
        observable: One Pauli word with its coefficient left out, a projector, or a
            Hermitian matrix on few wires.
        start: n bits of the product state before the circuit; by default zeros.
        dtype: Complex dtype; by default JAX's at the time of the call.

    Raises:
        ValueError: If the observable has several words or an unknown wire.
        TypeError: If the circuit has measurements or conditions.

    Example:
        >>> from qjax.circuits import hardware_efficient, pauli
        >>> from qjax.network import average_network, plan_contraction
        >>> import jax.numpy as jnp
        >>> circuit = hardware_efficient(jnp.zeros((1, 50, 2)))
        >>> network = average_network(circuit, pauli("Z", 0))
        >>> plan_contraction(network).largest
        2
    """
    pieces = Pieces(circuit, start, dtype)
    terms = pieces.terms(observable)
    rule = "have one word"
    require(len(terms) == 1, "observable", rule, f"a sum of {len(terms)}")
    return pieces.network(pieces.average(terms[0]))


class Pieces:
    """A circuit's operations with their tensors, from which networks are put together.

    Attributes:
        operations: In time order, written out.
        dtype: Complex dtype of all tensors.
        stacks: The tensors.
    """

    def __init__(
        self, circuit: Circuit, start: Bits | None, dtype: np.dtype | type | None
    ):
        given = complex if dtype is None else dtype
        self.dtype = np.dtype(jax.dtypes.canonicalize_dtype(given))
        kind = jnp.issubdtype(self.dtype, jnp.complexfloating)
        require(kind, "dtype", "be complex", self.dtype)
        self.num_wires = circuit.num_wires
        self.operations = plain_operations(circuit)
        bits = np.zeros(self.num_wires, np.int32) if start is None else start
        one = np.ones(1, self.dtype)
        self.stacks: Stacks = {"start": self._product(bits, "start"), "one": one}
        self._parts: dict[int, tuple[Part, ...]] = {}

    def vector(self, closed: bool) -> Sketch:
        """Sketch U |start>, or <bits| U |start>."""
        for operation in self.operations:
            if not isinstance(operation, AbstractUnitary):
                raise TypeError(
                    "Argument `circuit` must be unitary to have amplitudes, "
                    f"but has {operation.name}."
                )
        rows = range(len(self.operations))
        return sketch_vector(self._steps(rows), self.num_wires, closed)

    def set_bits(self, bits: Bits) -> None:
        """Close the network of amplitudes by these bits."""
        self.stacks["bits"] = self._product(bits, "bits")

    def average(self, insertions: Sequence[Insertion]) -> Sketch:
        """Sketch Tr(O rho) for O a product."""
        (sketch,) = self.averages([insertions])
        return sketch

    def averages(self, terms: Sequence[Sequence[Insertion]]) -> list[Sketch]:
        """Sketch Tr(O rho) for many O; each operation gets its tensors once."""
        cones = []
        for insertions in terms:
            support = {w: part.diagonal for part in insertions for w in part.wires}
            cones.append(cone_rows(self.operations, support))
        self._prepare(sorted(set().union(*cones)))
        return [
            sketch_average(self._steps(cone), insertions)
            for cone, insertions in zip(cones, terms, strict=True)
        ]

    def probabilities(self, wires: tuple[int, ...]) -> Sketch:
        """Sketch p(x) of measuring wires."""
        cone = cone_rows(self.operations, dict.fromkeys(wires, True))
        return sketch_average(self._steps(cone), (), probabilities_of=wires)

    def reduced(self, wires: tuple[int, ...]) -> Sketch:
        """Sketch the reduced density matrix of wires."""
        cone = cone_rows(self.operations, dict.fromkeys(wires, False))
        return sketch_average(self._steps(cone), (), reduced_to=wires)

    def network(self, sketch: Sketch) -> Network:
        """Fetch the tensors of a sketch."""
        tensors, _ = bind([sketch], self.stacks)
        return Network(tensors, sketch.indices, sketch.output)

    def terms(self, observable: AbstractObservable) -> list[list[Insertion]]:
        """Write an observable, coefficients aside, as products of insertions."""
        observable = check_observable(observable, self.num_wires)
        if isinstance(observable, Hermitian):
            name = "hermitian", len(self.stacks)
            width = len(observable.wires)
            matrix = jnp.asarray(observable.matrix).astype(self.dtype)
            self.stacks[name] = matrix.reshape(1, *(2,) * (2 * width))
            return [[Insertion(Leaf(name, 0), observable.wires, False)]]
        if isinstance(observable, Projector):
            self.stacks["basis"] = np.eye(2).astype(self.dtype)
            pairs = zip(observable.wires, observable.bits, strict=True)
            return [[Insertion(Leaf("basis", b), (w,), True) for w, b in pairs]]
        return [[self._letter(*pair) for pair in word] for word in observable.words]

    def _letter(self, wire: int, letter: str) -> Insertion:
        if letter == "Z":
            self.stacks["Z"] = np.asarray([_Z]).astype(self.dtype)
            return Insertion(Leaf("Z", 0), (wire,), True)
        self.stacks["XY"] = np.asarray(list(_PAULIS.values())).astype(self.dtype)
        return Insertion(Leaf("XY", "XY".index(letter)), (wire,), False)

    def _product(self, bits: Bits, argument: str) -> Array:
        """Vectors |b>, shape (n, 2)."""
        array = bits if isinstance(bits, jax.Array) else np.asarray(bits)
        shape = np.shape(array)
        rule = f"hold {self.num_wires} bits"
        require(shape == (self.num_wires,), argument, rule, f"of shape {shape}")
        array = checked(array, lambda b: (b == 0) | (b == 1), argument, "hold bits")
        one = jnp.asarray(array) == 1
        return jnp.stack([~one, one], axis=1).astype(self.dtype)

    def _steps(self, rows: Sequence[int]) -> Steps:
        self._prepare(rows)
        return [(self.operations[row], self._parts[row]) for row in rows]

    def _prepare(self, rows: Sequence[int]) -> None:
        """Make the tensors of operations that have none yet, those needed only."""
        if not self._parts:
            chosen: list[AbstractOperation] = [self.operations[row] for row in rows]
            stacks, parts = decompose(chosen, self.dtype)
            self.stacks |= stacks
            self._parts = dict(zip(rows, parts, strict=True))
