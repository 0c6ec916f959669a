"""A variational classifier: amplitudes in, Pauli expectations and logits out."""

import flax.nnx as nnx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from qjax._checks import require
from qjax.circuits import hardware_efficient, pauli
from qjax.geometry import metric_tensor
from qjax.simulate import expectation, run, unitary_matrix
from qjax.states import StateVector


class QuantumClassifier(nnx.Module):
    """logits = W <O>(U(angles) |x>) + b: the circuit is shared by all inputs.

    U is `hardware_efficient` of the given depth; O are all Z_i and Z_i Z_j of wires at
    most `reach` apart. Because the angles are shared, U is built once as a matrix and
    applied to the batch: the same numbers as gate by gate, far faster.

    Args:
        rngs: nnx random streams; `params` draws angles and readout.
        num_wires: n; inputs have 2^n features.
        depth: Number of layers.
        rotations: Rotations of each layer, letters of X, Y, Z.
        reach: Largest distance of two wires whose Z_i Z_j is read; 0 reads none.
        num_classes: Number of logits.

    Attributes:
        angles: Shape (depth, n, rotations), radians.
        readout: Linear layer from expectation values to logits.

    Raises:
        ValueError: If a size is out of range.

    Source: Farhi and Neven 2018; Schuld et al., Phys. Rev. A 101, 032308 (2020).

    Example:
        >>> import flax.nnx as nnx, jax.numpy as jnp
        >>> from qjax.models import QuantumClassifier
        >>> model = QuantumClassifier(nnx.Rngs(0), num_wires=2, depth=1)
        >>> model(jnp.eye(4)).shape
        (4, 10)
    """

    def __init__(
        self,
        rngs: nnx.Rngs,
        *,
        num_wires: int = 6,
        depth: int = 4,
        rotations: str = "YZY",
        reach: int = 1,
        num_classes: int = 10,
    ):
        require(num_wires >= 2, "num_wires", "be at least 2", num_wires)
        require(depth >= 1, "depth", "be at least 1", depth)
        in_range = 0 <= reach < num_wires
        require(in_range, "reach", f"lie in [0, {num_wires})", reach)
        shape = (depth, num_wires, len(rotations))
        angles = jax.random.uniform(
            rngs.params(), shape, jnp.float32, -jnp.pi / 4, jnp.pi / 4
        )
        self.angles = nnx.Param(angles)
        self.rotations = rotations
        self.observables = _observables(num_wires, reach)
        self.readout = nnx.Linear(len(self.observables), num_classes, rngs=rngs)

    def __call__(self, features: Float[Array, "batch d"]) -> Float[Array, "batch c"]:
        """Return logits of unit-norm features."""
        return self.readout(self.features(features))

    def features(self, inputs: Float[Array, "batch d"]) -> Float[Array, "batch f"]:
        """Return the expectation values of unit-norm inputs."""
        circuit = hardware_efficient(self.angles[...], self.rotations)
        unitary = unitary_matrix(circuit)
        # Real inputs: two real products are half the work of a complex one.
        real, imag = inputs @ unitary.real.T, inputs @ unitary.imag.T
        amplitudes = jax.lax.complex(real, imag)
        shape = (2,) * circuit.num_wires
        observables = [pauli(*word) for word in self.observables]

        def read(vector: Array) -> Array:
            return expectation(StateVector(vector.reshape(shape)), observables)

        return jax.vmap(read)(amplitudes)


def angle_metric(
    angles: Float[Array, "depth n r"], inputs: Float[Array, "batch d"], rotations: str
) -> Float[Array, "p p"]:
    """Average the Fubini-Study metric of the angles over a batch of inputs.

    Args:
        angles: Angles of the circuit.
        inputs: Unit-norm amplitudes.
        rotations: Rotations of each layer.

    Returns:
        Metric over the raveled angles.

    Source: Stokes et al., Quantum 4, 269 (2020), with the expectation over data.

    Example:
        >>> import jax.numpy as jnp
        >>> from qjax.models import angle_metric
        >>> angle_metric(jnp.zeros((1, 2, 1)), jnp.eye(4), "Y").shape
        (2, 2)
    """
    shape = (2,) * angles.shape[1]

    def one(vector: Float[Array, " d"]) -> Float[Array, "p p"]:
        start = StateVector(
            jax.lax.complex(vector, jnp.zeros_like(vector)).reshape(shape)
        )
        return metric_tensor(
            lambda a: run(hardware_efficient(a, rotations), start), angles
        )

    return jnp.mean(jax.vmap(one)(inputs), axis=0)


def _observables(num_wires: int, reach: int) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Words as static data: nnx refuses arrays that are no parameters."""
    single = [("Z", (wire,)) for wire in range(num_wires)]
    pairs = [
        ("ZZ", (wire, wire + gap))
        for gap in range(1, reach + 1)
        for wire in range(num_wires - gap)
    ]
    return tuple(single + pairs)
