"""Bonds as large as an error asks for."""

from qjax._checks import require
from qjax._types import is_traced
from qjax.circuits.circuit import Circuit
from qjax.simulate.run import run
from qjax.states.mps import MPS


def run_to_error(
    circuit: Circuit, state: MPS, *, max_error: float, largest_bond: int = 1024
) -> MPS:
    """Run a circuit on a matrix product state, its bond doubled until an error is met.

    |psi - psi_exact| <= truncation_error is asked to be at most `max_error`. Each bond
    is a run, and a compilation, of its own: this decides outside jit. Jit it with the
    `max_bond` found.

    Args:
        circuit: Unitary circuit of n wires, with concrete numbers.
        state: State to start from; its `max_bond` is tried first.
        max_error: Error asked for, at least 0.
        largest_bond: Bond beyond which nothing is tried. The state of that bond is
            returned as it is: look at its `truncation_error`.

    Returns:
        The state with the first bond that meets the error, or with the largest.

    Raises:
        ValueError: If a number is out of range.
        TypeError: If the numbers of the circuit are traced.

    Example:
        >>> import jax.numpy as jnp
        >>> from qjax.circuits import hardware_efficient
        >>> from qjax.simulate import run_to_error
        >>> from qjax.states import MPS
        >>> circuit = hardware_efficient(jnp.ones((3, 8, 2)))
        >>> state = run_to_error(circuit, MPS.zeros(8, 2), max_error=1e-3)
        >>> state.max_bond, bool(state.truncation_error <= 1e-3)
        (8, True)
    """
    require(max_error >= 0, "max_error", "be at least 0", max_error)
    rule = f"be at least the bond {state.max_bond} to start with"
    require(largest_bond >= state.max_bond, "largest_bond", rule, largest_bond)
    while True:
        found = run(circuit, state)
        if is_traced(found.truncation_error):
            raise TypeError(
                "Argument `circuit` must have concrete numbers for `run_to_error`, but "
                "has traced ones; jit `run` with a `max_bond` that is large enough."
            )
        # A run cuts no more than bonds of half of the wires' dimensions ask for.
        widest = min(largest_bond, 2 ** (state.num_wires // 2))
        if float(found.truncation_error) <= max_error or state.max_bond >= widest:
            return found
        bond = min(2 * state.max_bond, largest_bond)
        state = MPS(state.tensors, state.truncation_error, bond)
