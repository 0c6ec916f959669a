"""Planning problems for tests: wirings of all kinds, and all kinds of cost model."""

import dataclasses
from typing import Any

import hypothesis.strategies as st
import numpy as np

from qjax.plan import CostModel, Layout, default_cost_model
from qjax.plan.wiring import Wiring


def chain(num_wires: int) -> list[Wiring]:
    """A layer of the usual ansatz: two rotations a wire, then a chain of CNOTs."""
    single = [Wiring((w,)) for w in range(num_wires) for _ in range(2)]
    return single + [Wiring((w, w + 1), (w,)) for w in range(num_wires - 1)]


def scattered(rng: np.random.Generator, num_wires: int, count: int) -> list[Wiring]:
    """Operations on random wires, of every kind that the planner tells apart."""
    return [_random_wiring(rng, num_wires) for _ in range(count)]


def _random_wiring(rng: np.random.Generator, num_wires: int) -> Wiring:
    size = min(int(rng.choice([1, 2, 3, 5], p=[0.4, 0.45, 0.1, 0.05])), num_wires)
    wires = tuple(int(wire) for wire in rng.permutation(num_wires)[:size])
    if size > 1 and rng.random() < 0.25:
        num_controls = int(rng.integers(1, size))
        values = tuple(int(bit) for bit in rng.integers(0, 2, num_controls))
        controls = wires[:num_controls]
        return Wiring(wires, controls, (controls, values))
    diagonal = tuple(wire for wire in wires if rng.random() < 0.3)
    return Wiring(wires, diagonal)


def bare(wirings: list[Wiring]) -> list[Wiring]:
    """The same wires without anything diagonal, as for Pauli coefficients."""
    return [Wiring(wiring.wires) for wiring in wirings]


def random_cost(rng: np.random.Generator) -> CostModel:
    """A model with random rates, so that every kind of plan wins somewhere."""
    model = default_cost_model()

    def drawn(table: Any) -> Any:
        if isinstance(table, tuple):
            return tuple(drawn(entry) for entry in table)
        return float(np.exp(rng.normal(scale=2)))

    return dataclasses.replace(
        model,
        window=drawn(model.window),
        closing=drawn(model.closing),
        relayout=drawn(model.relayout),
        build=float(np.exp(rng.normal())),
    )


def small_cache(log_piece: int) -> CostModel:
    """A cost model as if a cache held no more than 2^log_piece numbers."""
    sizes = tuple(range(log_piece - 2, log_piece + 3))
    model = dataclasses.replace(default_cost_model(), log_sizes=sizes)
    assert model.log_piece == log_piece
    return model


QUESTIONS = st.tuples(
    st.integers(0, 2**16),  # seed
    st.integers(1, 9),  # wires
    st.integers(0, 40),  # operations
    st.sampled_from([0, 0, 1, 8]),  # log2 of the batch
    st.booleans(),  # Pauli coefficients instead of amplitudes
    st.booleans(),  # random rates
)
"""What `problem` makes a planning problem of."""


def problem(
    question: tuple[int, int, int, int, bool, bool],
) -> tuple[tuple[Wiring, ...], Layout, CostModel]:
    """Wirings, a layout and a cost model."""
    seed, num_wires, length, log_batch, mixed, random_rates = question
    rng = np.random.default_rng(seed)
    wirings = scattered(rng, num_wires, length)
    if mixed:
        wirings = bare(wirings)
    layout = Layout(num_wires, 2 if mixed else 1, not mixed, log_batch)
    cost = random_cost(rng) if random_rates else default_cost_model()
    return tuple(wirings), layout, cost
