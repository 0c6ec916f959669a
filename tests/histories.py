"""Many independent histories of one circuit, in one compiled program."""

import jax
from jaxtyping import PRNGKeyArray

from qjax.circuits import Circuit
from qjax.simulate import Record, trajectory
from qjax.states import AbstractState

MANY = 4000


def many_trajectories(
    key: PRNGKeyArray, circuit: Circuit, state: AbstractState, count: int = MANY
) -> tuple[AbstractState, Record]:
    """Final states and records of `count` histories, stacked along a leading axis."""
    keys = jax.random.split(key, count)
    return jax.jit(jax.vmap(trajectory, in_axes=(0, None, None)))(keys, circuit, state)
