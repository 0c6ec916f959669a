"""What an adaptor hands to the harness."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

Arrays = dict[str, np.ndarray]


class Unsupported(Exception):
    """This side has no way to do this case; the message says why."""


@dataclasses.dataclass
class Prepared:
    """A case made ready on one side.

    `call` does the whole work once and returns when it is finished. `result` turns what
    it returned into arrays for the check, outside the clock:

    state: `state` (2^n,), wire 0 the most significant bit;
    gradient: `gradient` (angles,), and `value` where the side computes it too;
    batch_values: `values` (batch, n); batch_gradient: `gradient`, maybe `value`;
    sample, batch_sample: `ones` ([batch,] n), the share of ones of each wire;
    density: `state` (2^n, 2^n); trajectories: `values` (n,) and `count` of histories;
    metric: `metric` (p, p);
    chain_values, chain_compile: `values` (3,) of the normalised state, and `fidelity`,
    the squared norm before, where the side knows it;
    chain_gradient: as gradient, of sum_i <Z_i>.
    """

    call: Callable[[], Any]
    result: Callable[[Any], Arrays]
    dtype: str
    note: str = ""
    # A call that does 1/scale of the work: its times are multiplied by it.
    scale: float = 1.0
    # Of a compiled program: bytes of temporaries, if the side knows them.
    temporaries: int | None = None
    # The compiled program itself, of sides that have one.
    program: Any = None


def ones_of_counts(counts: np.ndarray, num_wires: int) -> np.ndarray:
    """Share of ones of each wire from counts over the 2^n outcomes."""
    tensor = np.asarray(counts, float).reshape((2,) * num_wires)
    total = tensor.sum()
    return np.asarray([np.take(tensor, 1, wire).sum() for wire in range(num_wires)]) / (
        total
    )


def ones_of_indices(indices: np.ndarray, num_wires: int) -> np.ndarray:
    """Share of ones of each wire from drawn indices, over the last axis."""
    indices = np.asarray(indices, np.int64)
    return np.stack(
        [(indices >> (num_wires - 1 - w) & 1).mean(-1) for w in range(num_wires)], -1
    )


def reverse_wires(state: np.ndarray, num_wires: int) -> np.ndarray:
    """A vector of a little-endian simulator in the order used here."""
    return np.asarray(state).reshape((2,) * num_wires).T.reshape(-1)
