"""A variational classifier: amplitudes in, Pauli expectations and logits out."""

from collections.abc import Callable
from typing import Any, Literal, TypeVar

import flax.nnx as nnx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, Int

from qjax._checks import require
from qjax.circuits import Circuit, Entanglement, Entangler, hardware_efficient
from qjax.geometry import metric_tensor
from qjax.optim import HybridLoss
from qjax.simulate import run, unitary_matrix
from qjax.states import StateVector

Model = TypeVar("Model", bound=nnx.Module)


class QuantumClassifier(nnx.Module):
    """logits = W z + b, with z expectation values of U(angles) |x>.

    U is `hardware_efficient` of the given depth. z are all <Z_i> and <Z_i Z_j> of wires
    at most `reach` apart; or, with readout "probabilities", the probabilities of the
    first outcomes of as few wires as have one for each class, all with one trained
    scale: logits = scale * p + b. Because the angles are shared by all inputs, U is
    built once as a matrix and applied to the batch: the same numbers as gate by gate,
    far faster. With RY as the only rotation it is real, which halves the work.

    Args:
        rngs: nnx random streams; `params` draws angles and readout.
        num_wires: n; inputs have 2^n features.
        depth: Number of layers.
        rotations: Rotations of each layer, letters of X, Y, Z.
        entanglement: As for `hardware_efficient`.
        entangler: As for `hardware_efficient`.
        reach: Largest distance of two wires whose Z_i Z_j is read; 0 reads none.
        readout: "linear" or "probabilities".
        num_classes: Number of logits.

    Attributes:
        angles: Shape (depth, n, rotations), radians.

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
        entanglement: Entanglement = "linear",
        entangler: Entangler = "CX",
        reach: int = 1,
        readout: Literal["linear", "probabilities"] = "linear",
        num_classes: int = 10,
    ):
        require(num_wires >= 2, "num_wires", "be at least 2", num_wires)
        require(depth >= 1, "depth", "be at least 1", depth)
        in_range = 0 <= reach < num_wires
        require(in_range, "reach", f"lie in [0, {num_wires})", reach)
        known = readout in ("linear", "probabilities")
        require(known, "readout", "be 'linear' or 'probabilities'", repr(readout))
        require(num_classes >= 2, "num_classes", "be at least 2", num_classes)
        shape = (depth, num_wires, len(rotations))
        angles = jax.random.uniform(
            rngs.params(), shape, jnp.float32, -jnp.pi / 4, jnp.pi / 4
        )
        self.angles = nnx.Param(angles)
        self.rotations = rotations
        self.entanglement: Entanglement = entanglement
        self.entangler: Entangler = entangler
        self.reach, self.readout, self.num_classes = reach, readout, num_classes
        if readout == "linear":
            width = readings(num_wires, reach).shape[-1]
            self.linear = nnx.Linear(width, num_classes, rngs=rngs)
        else:
            rule = f"be at most {2**num_wires}, the number of outcomes,"
            require(num_classes <= 2**num_wires, "num_classes", rule, num_classes)
            self.scale = nnx.Param(jnp.asarray(20.0))
            self.bias = nnx.Param(jnp.zeros(num_classes))

    def builder(self) -> Callable[[Float[Array, "depth n r"]], Circuit]:
        """Return the map from angles to the circuit."""
        pattern, entangler = self.entanglement, self.entangler
        return lambda own: hardware_efficient(own, self.rotations, pattern, entangler)

    def __call__(self, features: Float[Array, "batch d"]) -> Float[Array, "batch c"]:
        """Return logits of unit-norm features."""
        return self.head(self.features(features))

    def outcomes(self, inputs: Float[Array, "batch d"]) -> Float[Array, "batch d"]:
        """Return the probabilities of all bit strings for unit-norm inputs."""
        unitary = unitary_matrix(self.builder()(self.angles[...]))
        # Real inputs: two real products are half the work of a complex one.
        chances = (inputs @ unitary.real.T) ** 2
        if set(self.rotations) == {"Y"}:
            return chances
        return chances + (inputs @ unitary.imag.T) ** 2

    def readings(self) -> Float[np.ndarray, "d f"]:
        """Return what each bit string stands for in z."""
        num_wires = self.angles.shape[1]
        if self.readout == "linear":
            return readings(num_wires, self.reach)
        return groups(num_wires, self.num_classes)

    def features(self, inputs: Float[Array, "batch d"]) -> Float[Array, "batch f"]:
        """Return z of unit-norm inputs."""
        return self.outcomes(inputs) @ jnp.asarray(self.readings())

    def head(self, z: Float[Array, "batch f"]) -> Float[Array, "batch c"]:
        """Return logits of z."""
        if self.readout == "linear":
            return self.linear(z)
        return self.scale[...] * z + self.bias[...][None]


def angle_metric(
    model: QuantumClassifier,
    angles: Float[Array, "depth n r"],
    inputs: Float[Array, "batch d"],
) -> Float[Array, "p p"]:
    """Average the Fubini-Study metric of the angles over a batch of inputs.

    Args:
        model: Gives the circuit's structure; its own angles are not used.
        angles: Angles of the circuit.
        inputs: Unit-norm amplitudes.

    Returns:
        Metric over the raveled angles.

    Source: Stokes et al., Quantum 4, 269 (2020), with the expectation over data.

    Example:
        >>> import flax.nnx as nnx, jax.numpy as jnp
        >>> from qjax.models import QuantumClassifier, angle_metric
        >>> model = QuantumClassifier(nnx.Rngs(0), num_wires=2, depth=1, rotations="Y")
        >>> angle_metric(model, jnp.zeros((1, 2, 1)), jnp.eye(4)).shape
        (2, 2)
    """
    shape = (2,) * angles.shape[1]
    build = model.builder()

    def one(vector: Float[Array, " d"]) -> Float[Array, "p p"]:
        start = StateVector(
            jax.lax.complex(vector, jnp.zeros_like(vector)).reshape(shape)
        )
        return metric_tensor(lambda a: run(build(a), start), angles)

    return jnp.mean(jax.vmap(one)(inputs), axis=0)


def hybrid_loss(
    model: QuantumClassifier,
) -> tuple[HybridLoss, dict[str, Any], Callable[[Any], QuantumClassifier]]:
    """Return the cross-entropy of a model as a loss of expectation values.

    Args:
        model: A classifier; it is not changed.

    Returns:
        The loss of (inputs, integer labels), the model's parameters as nested dicts
        named as in the module, and the way back from them to a model.

    Source: `qjax.optim.HybridLoss`.

    Example:
        >>> import flax.nnx as nnx, jax.numpy as jnp
        >>> from qjax.models import QuantumClassifier, hybrid_loss
        >>> model = QuantumClassifier(nnx.Rngs(0), num_wires=2, depth=1)
        >>> loss, params, rebuild = hybrid_loss(model)
        >>> sorted(params), loss(params, (jnp.eye(4), jnp.zeros(4, int))).shape
        (['angles', 'linear'], (4,))
    """
    params, rebuild = split_model(model)
    structure = dict(params)

    def outcomes(own: Any, inputs: Float[Array, "b d"]) -> Float[Array, "b 1 d"]:
        return rebuild({**structure, **own}).outcomes(inputs)[:, None]

    def head(rest: Any, z: Float[Array, "b f"], labels: Int[Array, " b"]) -> Array:
        logits = rebuild({**structure, **rest}).head(z)
        return optax.softmax_cross_entropy_with_integer_labels(logits, labels)

    readings = jnp.asarray(model.readings())[None]
    return HybridLoss(outcomes, readings, head, ("angles",)), params, rebuild


def split_model(model: Model) -> tuple[dict[str, Any], Callable[[Any], Model]]:
    """Return a module's parameters as nested dicts of arrays, and the way back."""
    graph, state, rest = nnx.split(model, nnx.Param, ...)
    pure = nnx.to_pure_dict(state)
    names, leaves = jax.tree.structure(pure), jax.tree.structure(state)

    def rebuild(params: Any) -> Model:
        whole = jax.tree.unflatten(leaves, jax.tree.leaves(params))
        return nnx.merge(graph, whole, rest)

    return jax.tree.unflatten(names, jax.tree.leaves(state)), rebuild


def readings(num_wires: int, reach: int) -> Float[np.ndarray, "d f"]:
    """Return the values of all Z_i, and Z_i Z_j up to `reach` apart, by bit string."""
    bits = np.indices((2,) * num_wires).reshape(num_wires, -1)
    signs = (1 - 2 * bits).astype(np.float32)
    pairs = [
        signs[wire] * signs[wire + gap]
        for gap in range(1, reach + 1)
        for wire in range(num_wires - gap)
    ]
    return np.stack([*signs, *pairs], axis=1)


def groups(num_wires: int, num_classes: int) -> Float[np.ndarray, "d c"]:
    """Return which class each bit string counts for, by its leading bits."""
    measured = max(1, (num_classes - 1).bit_length())
    leading = np.arange(2**num_wires) >> (num_wires - measured)
    return (leading[:, None] == np.arange(num_classes)).astype(np.float32)
