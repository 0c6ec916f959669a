"""Plans as data: every operation once, in order, where its wires are."""

import dataclasses
import itertools
import time

import numpy as np
import pytest
from hypothesis import given, settings

from qjax.plan import Layout, cheapest_cover, default_cost_model
from qjax.plan.sweeps import Single, Sweep, Window, axes_after, plan_steps
from qjax.plan.wiring import Wiring
from tests.plan import problems
from tests.plan.replay import WrongPlan, check_plan

COST = default_cost_model()
uncached = plan_steps.__wrapped__


# --- right plans ----------------------------------------------------------------------


@settings(max_examples=80)
@given(problems.QUESTIONS)
def test_every_operation_is_done_once_and_in_order(question):
    wirings, layout, cost = problems.problem(question)
    steps = uncached(wirings, layout, cost)
    left_behind = check_plan(steps, wirings, layout)
    sweeps = [step for step in steps if isinstance(step, Sweep)]
    assert [axes_after(sweep, layout) for sweep in sweeps] == left_behind


@pytest.mark.parametrize("num_wires", [2, 3, 7, 12, 16])
def test_a_layer_of_the_ansatz_is_one_sweep(num_wires):
    """Folding a CNOT chain into disjoint windows is what the planner is for."""
    wirings, layout = tuple(problems.chain(num_wires)), Layout(num_wires)
    steps = plan_steps(wirings, layout, COST)
    check_plan(steps, wirings, layout)
    assert len(steps) == 1 and isinstance(steps[0], Sweep)
    assert steps[0].order == tuple(range(num_wires))  # nothing moves


def seen_features(steps, wirings, layout) -> set[str]:
    found = set()
    for step in steps:
        if isinstance(step, Single):
            found.add("controlled single" if step.controls else "single")
            continue
        found |= (
            {"regrouped"} if step.order != tuple(range(layout.num_wires)) else set()
        )
        for before, window in itertools.pairwise(step.windows):
            found |= {"overlap"} if window.start < before.stop else set()
        for window in step.windows:
            found |= {"choice"} if window.mux else set()
            found |= {"identity"} if not window.operations else set()
            found |= {"closing"} if window.stop == layout.num_wires else set()
            sizes = {len(wirings[index].wires) for index in window.operations}
            found |= {"wide in window"} if max(sizes, default=0) > 2 else set()
    return found


def test_random_problems_reach_every_kind_of_step():
    """Otherwise the property above would be empty of what is hard."""
    found = set()
    for seed in range(20):
        rng = np.random.default_rng(seed)
        num_wires = int(rng.integers(2, 9))
        wirings = tuple(problems.scattered(rng, num_wires, 30))
        layout = Layout(num_wires)
        steps = uncached(wirings, layout, problems.random_cost(rng))
        check_plan(steps, wirings, layout)
        found |= seen_features(steps, wirings, layout)
    assert found == {
        "single", "controlled single", "regrouped", "overlap", "choice", "identity",
        "closing", "wide in window",
    }  # fmt: skip


def test_no_operations_are_no_steps():
    assert plan_steps((), Layout(3), COST) == ()


def test_one_wire_has_no_window():
    wirings = tuple(Wiring((0,)) for _ in range(3))
    assert plan_steps(wirings, Layout(1), COST) == tuple(
        Single(index, (0,)) for index in range(3)
    )


# --- wrong plans that the checker must reject -----------------------------------------

LAYOUT = Layout(6)
WIRINGS = tuple(problems.chain(6)) + (Wiring((5, 0)), Wiring((1, 4)), Wiring((2,)))


def right_plan() -> list[Sweep]:
    steps = uncached(WIRINGS, LAYOUT, COST)
    check_plan(steps, WIRINGS, LAYOUT)
    sweeps = [step for step in steps if isinstance(step, Sweep)]
    assert len(sweeps) == len(steps)
    return sweeps


def with_window(steps, at, **changes):
    """The steps with one window changed; `at` is (step, window)."""
    sweep = steps[at[0]]
    windows = list(sweep.windows)
    windows[at[1]] = dataclasses.replace(windows[at[1]], **changes)
    changed = dataclasses.replace(sweep, windows=tuple(windows))
    return [*steps[: at[0]], changed, *steps[at[0] + 1 :]]


def rejected(steps) -> bool:
    try:
        check_plan(steps, WIRINGS, LAYOUT)
    except WrongPlan:
        return True
    return False


def windows_of(steps):
    for s, step in enumerate(steps):
        for w, window in enumerate(step.windows):
            yield (s, w), window


def test_the_checker_rejects_a_dropped_or_doubled_operation():
    steps = right_plan()
    for at, window in windows_of(steps):
        for position in range(len(window.operations)):
            some = list(window.operations)
            del some[position]
            assert rejected(with_window(steps, at, operations=tuple(some)))
        if window.operations:
            twice = window.operations + window.operations[:1]
            assert rejected(with_window(steps, at, operations=twice))


def test_the_checker_rejects_two_operations_swapped():
    steps, tried = right_plan(), 0
    for at, window in windows_of(steps):
        for i, j in itertools.combinations(range(len(window.operations)), 2):
            first, second = (WIRINGS[window.operations[k]] for k in (i, j))
            shared = set(first.wires) & set(second.wires)
            if shared <= set(first.diagonal) & set(second.diagonal):
                continue
            some = list(window.operations)
            some[i], some[j] = some[j], some[i]
            tried += 1
            assert rejected(with_window(steps, at, operations=tuple(some)))
    assert tried > 10


def test_the_checker_lets_operations_change_places_that_share_only_what_they_read():
    reading = [Wiring((0, 1), (0,)), Wiring((0, 2), (0,))]
    steps = [Sweep((0, 1, 2), (Window(0, 3, (), (1, 0)),), 1)]
    check_plan(steps, reading, Layout(3))
    with pytest.raises(WrongPlan, match="1 before 0"):
        check_plan(steps, problems.bare(reading), Layout(3))


def test_the_checker_rejects_a_wrong_choosing_wire():
    steps, tried = right_plan(), 0
    for at, window in windows_of(steps):
        if not window.mux:
            continue
        for mux in [(), *((w,) for w in range(6) if (w,) != window.mux)]:
            tried += 1
            assert rejected(with_window(steps, at, mux=mux))
    assert tried >= 6


def test_the_checker_rejects_a_choice_by_a_wire_that_changes():
    steps = right_plan()
    index = next(
        i for _, w in windows_of(steps) if w.mux for i in w.operations
        if w.mux[0] in WIRINGS[i].wires
    )  # fmt: skip
    changing = list(WIRINGS)
    changing[index] = Wiring(WIRINGS[index].wires)
    with pytest.raises(WrongPlan, match="changes"):
        check_plan(steps, changing, LAYOUT)


def test_the_checker_rejects_windows_apart_from_the_carry():
    steps = right_plan()
    at = next(at for at, window in windows_of(steps) if at[1] > 0)
    sweep = steps[at[0]]
    without = dataclasses.replace(
        sweep, windows=sweep.windows[: at[1] - 1] + sweep.windows[at[1] :]
    )
    with pytest.raises(WrongPlan, match="carry"):
        check_plan([*steps[: at[0]], without, *steps[at[0] + 1 :]], WIRINGS, LAYOUT)


def test_the_checker_rejects_an_order_that_is_none():
    steps = right_plan()
    broken = dataclasses.replace(steps[0], order=(0, 0, 1, 2, 3, 4))
    assert rejected([broken, *steps[1:]])


def test_the_checker_rejects_a_single_operation_on_other_wires():
    wiring = Wiring((0, 1, 2), (0,), ((0,), (1,)))
    check_plan([Single(0, (1, 2), (0,), (1,))], [wiring], Layout(3))
    for wrong in (
        Single(0, (2, 1), (0,), (1,)),
        Single(0, (1, 2), (0,), (0,)),
        Single(0, (0, 1, 2)),
    ):
        with pytest.raises(WrongPlan):
            check_plan([wrong], [wiring], Layout(3))


# --- determinism and time -------------------------------------------------------------


@settings(max_examples=20)
@given(problems.QUESTIONS)
def test_plans_are_deterministic_and_cached(question):
    problem = problems.problem(question)
    assert uncached(*problem) == uncached(*problem)
    assert plan_steps(*problem) is plan_steps(*problem)


def planning_seconds(wirings, layout) -> float:
    start = time.process_time()
    uncached(tuple(wirings), layout, COST)
    return time.process_time() - start


def test_a_layer_on_24_wires_is_planned_within_two_seconds():
    assert planning_seconds(problems.chain(24), Layout(24)) < 2.0


def test_gates_on_random_pairs_are_planned_within_seconds():
    rng = np.random.default_rng(7)
    wirings = []
    for _ in range(100):
        a, b = (int(wire) for wire in rng.permutation(20)[:2])
        wirings += [Wiring((a,)), Wiring((b,)), Wiring((a, b))]
    assert planning_seconds(wirings, Layout(20)) < 10.0


# --- covers ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "layout", [Layout(7), Layout(5, 2, False), Layout(6, 1, True, 8)]
)
@pytest.mark.parametrize("size,overlap", [(2, 0), (3, 0), (3, 1), (4, 2), (5, 3)])
def test_the_cheapest_cover_is_the_best_of_all_covers(layout, size, overlap):
    """Against every list of windows that covers the wires with this overlap."""
    cover = cheapest_cover(layout, COST, size, overlap)
    options = list(all_covers(layout.num_wires, size, overlap, 0))
    if cover is None:
        assert not options
        return
    assert cover in options
    rows, rights = layout.bits, layout.bits

    def seconds(windows):
        total = 0.0
        for start, stop in windows:
            log_rows = rows * (stop - start) + layout.carry
            right = rights * (layout.num_wires - stop) + layout.log_batch
            total += COST.build_seconds(rows * (stop - start))
            if right:
                total += COST.window_seconds(layout.log_size, log_rows, right)
            else:
                total += COST.closing_seconds(layout.log_size, log_rows)
        return total

    best = min(seconds(option) for option in options)
    assert seconds(cover) == pytest.approx(best)


def all_covers(num_wires, size, overlap, done):
    if done == num_wires:
        yield ()
        return
    start = done - overlap if done else 0
    for stop in range(max(start + 2, done + 1), min(start + size, num_wires) + 1):
        if start < 0:
            return
        for rest in all_covers(num_wires, size, overlap, stop):
            yield ((start, stop), *rest)
