"""Which angles of a circuit its parameters reach, and with which frequencies."""

import dataclasses
import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PyTree

from qjax._checks import require
from qjax.circuits.circuit import Circuit, Repeat
from qjax.circuits.operation import AbstractOperation, Conditional, Controlled, Gate
from qjax.gradients.shift_rules import gate_frequencies, merge

CircuitFn = Callable[[Any], Circuit]

_MOST_FREQUENCIES = 2000


@dataclasses.dataclass(frozen=True)
class Angles:
    """The gate parameters of a circuit that depend on its parameters.

    Attributes:
        leaves: Positions of their arrays among the circuit's leaves.
        frequencies: Frequencies of each angle, in the order of `values`.
    """

    leaves: tuple[int, ...]
    frequencies: tuple[tuple[float, ...], ...]

    def values(self, circuit: Circuit) -> Float[Array, " a"]:
        """Return the angles as one vector."""
        leaves = jax.tree.leaves(circuit)
        parts = [jnp.ravel(jnp.asarray(leaves[i])) for i in self.leaves]
        if not parts:
            return jnp.zeros((0,))
        dtype = jnp.result_type(*(part.dtype for part in parts))
        return jnp.concatenate([part.astype(dtype) for part in parts])

    def replaced(self, circuit: Circuit, values: Float[Array, " a"]) -> Circuit:
        """Return the circuit with other angles."""
        leaves, structure = jax.tree.flatten(circuit)
        start = 0
        for i in self.leaves:
            stop = start + leaves[i].size
            leaves[i] = values[start:stop].reshape(leaves[i].shape)
            start = stop
        return jax.tree.unflatten(structure, leaves)


def find_angles(circuit_fn: CircuitFn, params: PyTree) -> tuple[Circuit, Angles]:
    """Return the circuit, and its angles that depend on the parameters.

    Raises:
        ValueError: If something without a shift rule depends on them.
    """
    circuit = circuit_fn(params)
    if not isinstance(circuit, Circuit):
        raise TypeError(
            "Argument `circuit_fn` must return a Circuit, "
            f"but returns {type(circuit).__name__}."
        )
    traced = jax.make_jaxpr(lambda p: jax.tree.leaves(circuit_fn(p)))(params)
    depends = _depends(traced.jaxpr, [True] * len(traced.jaxpr.invars))
    owners = [owner for op in circuit.operations for owner in _owners(op, False)]
    leaves = jax.tree.leaves(circuit)
    moved, found = [], []
    for i, (operation, rule) in enumerate(owners):
        if not depends[i]:
            continue
        if rule is None:
            raise ValueError(
                "Argument `circuit_fn` must put parameters into gates of the table only"
                f" for parameter shift, but puts one into {operation.name}; `jax.grad`,"
                " `forward_gradient`, `spsa` and `trajectory_gradient` work for it."
            )
        moved.append(i)
        found += list(rule) * (np.size(leaves[i]) // len(rule))
    return circuit, Angles(tuple(moved), tuple(found))


def _depends(jaxpr: Any, given: Sequence[bool]) -> list[bool]:
    """Say which outputs of a program depend on the inputs that are `given`."""
    known = {v for v, moves in zip(jaxpr.invars, given, strict=True) if moves}

    def moves(atom: Any) -> bool:
        return not hasattr(atom, "val") and atom in known  # a literal has a value

    for equation in jaxpr.eqns:
        inputs = [moves(atom) for atom in equation.invars]
        outputs = [any(inputs)] * len(equation.outvars)
        inner = getattr(equation.params.get("jaxpr"), "jaxpr", None)
        if inner is not None and equation.primitive.name in ("jit", "pjit"):
            outputs = _depends(inner, inputs)
        pairs = zip(equation.outvars, outputs, strict=True)
        known |= {variable for variable, moved in pairs if moved}
    return [moves(atom) for atom in jaxpr.outvars]


def frequencies(circuit_fn: CircuitFn, params: PyTree) -> tuple[tuple[float, ...], ...]:
    """Return the frequencies in each parameter of every expectation of a circuit.

    A parameter x that reaches gates g as angles a_g x + b_g has the frequencies
    {|sum_g a_g d_g| > 0}, where d_g is 0 or a difference of eigenvalues of g's
    generator, of either sign.

    Args:
        circuit_fn: Maps the parameters to a `Circuit`: a function or a `Template`.
        params: Example parameters; only structure, shapes and dtypes are used.

    Returns:
        One tuple of rising frequencies for each entry, in the order of
        `jax.flatten_util.ravel_pytree(params)`; empty if nothing depends on it.

    Raises:
        ValueError: If an operation without a shift rule depends on the parameters, an
            angle is not affine in them, or the frequencies are more than 2000.

    Source: Wierichs et al., Quantum 6, 677 (2022), section 2.

    Example:
        >>> import numpy as np
        >>> from qjax.circuits import Circuit, crx, ry
        >>> from qjax.gradients import frequencies
        >>> def build(x):
        ...     return Circuit([ry(x[0], 0), ry(2 * x[0], 1), crx(x[1], 0, 1)], 2)
        >>> frequencies(build, np.zeros(2))
        ((1.0, 2.0, 3.0), (0.5, 1.0))
    """
    _, angles = find_angles(circuit_fn, params)
    slopes = _slopes(circuit_fn, params, angles)
    return tuple(
        _combined([(a, angles.frequencies[g]) for g, a in enumerate(column) if a != 0])
        for column in slopes.T
    )


def _combined(parts: Sequence[tuple[float, tuple[float, ...]]]) -> tuple[float, ...]:
    """Add sets of frequencies of either sign: the spectrum of a shared parameter."""
    sums = np.zeros(1)
    for slope, gaps in parts:
        steps = abs(slope) * np.asarray([0.0, *gaps])
        steps = np.concatenate([-steps, steps])
        # Symmetric about 0, so that one half says all; slopes are known to 1e-6.
        sums = merge(np.abs(np.add.outer(sums, steps)).reshape(-1), 1e-6)
        rule = f"have at most {_MOST_FREQUENCIES} frequencies in one parameter"
        rule += " (otherwise pass `circuit_fn` to `parameter_shift`)"
        require(sums.size <= _MOST_FREQUENCIES, "circuit_fn", rule, sums.size)
    return tuple(float(s) for s in sums if s > 1e-6)


def _owners(
    operation: AbstractOperation, controlled: bool
) -> Iterator[tuple[AbstractOperation, tuple[tuple[float, ...], ...] | None]]:
    """Yield, for each leaf in order, the operation and the rule of its last axis."""
    if isinstance(operation, Gate):
        yield operation, gate_frequencies(operation.spec, controlled=controlled)
    elif isinstance(operation, Controlled):
        yield from _owners(operation.operation, True)
    elif isinstance(operation, Conditional):
        yield from _owners(operation.operation, controlled)
    elif isinstance(operation, Repeat):
        for inner in operation.operations:
            yield from _owners(inner, controlled)
    else:
        for _ in jax.tree.leaves(operation):
            yield operation, None


def _slopes(circuit_fn: CircuitFn, params: PyTree, angles: Angles) -> np.ndarray:
    """Return d angle / d parameter, shape (a, p), checked to be constant."""
    with jax.ensure_compile_time_eval():
        jacobian = jax.jacfwd(lambda p: angles.values(circuit_fn(p)))
        tables = []
        for seed in (0, 1):
            leaves = jax.tree.leaves(jacobian(_generic(params, seed)))
            count = len(angles.frequencies)
            flat = [np.asarray(leaf, float).reshape(count, -1) for leaf in leaves]
            tables.append(np.concatenate(flat, axis=1))
    affine = np.allclose(tables[0], tables[1], rtol=1e-5, atol=1e-6)
    rule = "make every angle an affine function of its parameters"
    rule += " (otherwise pass `circuit_fn` to `parameter_shift`)"
    require(affine, "circuit_fn", rule, "not affine")
    # Slopes are mostly small integers or halves, and float32 derivatives round.
    return np.round(tables[0], 6)


def _generic(params: PyTree, seed: int) -> PyTree:
    draw = functools.partial(np.random.default_rng(20261122 + seed).uniform, 0.1, 0.9)
    return jax.tree.map(
        lambda leaf: jnp.asarray(draw(np.shape(leaf)), jnp.result_type(leaf)), params
    )
