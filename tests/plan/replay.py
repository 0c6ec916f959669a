"""An independent reader of plans: it replays one on axes and operations, no numbers.

It shares only the data classes with the planner. A plan is right if every operation is
done exactly once, no two operations that may not commute change places, every window
finds its wires (and the carry) next to each other, and a wire outside a window is one
that the window declares, that lies to its left, and that the operation only reads.
"""

from collections.abc import Sequence

from qjax.plan.sweeps import CARRY, Layout, Single, Step, Sweep, Window
from qjax.plan.wiring import Wiring


class WrongPlan(Exception):
    """What the checker raises, with the reason."""


def check_plan(
    steps: Sequence[Step], wirings: Sequence[Wiring], layout: Layout
) -> list[tuple[int, ...]]:
    """Raise WrongPlan, or return the axes that every sweep leaves behind."""
    done: list[int] = []
    left_behind = []
    for step in steps:
        if isinstance(step, Single):
            _check_single(step, wirings)
            done.append(step.operation)
        else:
            left_behind.append(_replay_sweep(step, wirings, layout))
            done += [index for window in step.windows for index in window.operations]
    _check_order(done, wirings)
    return left_behind


def _demand(condition: bool, reason: str) -> None:
    if not condition:
        raise WrongPlan(reason)


def _check_single(step: Single, wirings: Sequence[Wiring]) -> None:
    wiring = wirings[step.operation]
    _demand(step.controls + step.wires == wiring.wires, f"wires of {step}")
    _demand(set(step.controls) <= set(wiring.diagonal), f"controls of {step}")
    _demand((step.controls, step.values) == wiring.controls, f"values of {step}")


def _replay_sweep(
    sweep: Sweep, wirings: Sequence[Wiring], layout: Layout
) -> tuple[int, ...]:
    order = list(sweep.order)
    _demand(sorted(order) == list(range(layout.num_wires)), f"order {order}")
    axes = ([CARRY] if layout.carry else []) + order
    for window in sweep.windows:
        _demand(0 <= window.start < window.stop <= len(order), f"bounds of {window}")
        inside = order[window.start : window.stop]
        _check_operations(window, order, wirings)
        if not layout.carry:
            continue
        acted = axes[window.start : window.stop + 1]
        _demand(set(acted) == {*inside, CARRY}, f"{window} misses the carry in {axes}")
        axes.remove(CARRY)
        last = window.stop == len(order) and layout.log_batch == 0
        axes.insert(0 if last else window.stop, CARRY)
    return tuple(axes)


def _check_operations(
    window: Window, order: list[int], wirings: Sequence[Wiring]
) -> None:
    inside = order[window.start : window.stop]
    _demand(len(window.mux) <= 1, f"{window} has more choosing wires than it can")
    before = order[: window.start]
    _demand(set(window.mux) <= set(before), f"choosing wires of {window}")
    for index in window.operations:
        wiring = wirings[index]
        outside = [wire for wire in wiring.wires if wire not in inside]
        _demand(len(outside) < len(wiring.wires), f"{index} is not in {window}")
        _demand(set(outside) <= set(window.mux), f"{index} reaches out of {window}")
        _demand(set(outside) <= set(wiring.diagonal), f"{index} changes {outside}")


def _check_order(done: Sequence[int], wirings: Sequence[Wiring]) -> None:
    _demand(sorted(done) == list(range(len(wirings))), "once each")
    place = {index: position for position, index in enumerate(done)}
    for later in range(len(wirings)):
        for earlier in range(later):
            if place[earlier] > place[later]:
                first, second = wirings[earlier], wirings[later]
                shared = set(first.wires) & set(second.wires)
                both = set(first.diagonal) & set(second.diagonal)
                _demand(shared <= both, f"{later} before {earlier}")
