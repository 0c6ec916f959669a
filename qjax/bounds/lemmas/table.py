"""The table of lemmas, and the steps that a proof needs of them."""

from qjax.bounds.bound import Step
from qjax.bounds.lemmas import (
    axioms,
    contraction,
    copies,
    damping_capacity,
    distance,
    erasure_capacity,
    independence,
    local_update,
    measurement,
    memory_size,
    one_qubit_contraction,
    relaxation_capacity,
    scalar_core,
    unital_capacity,
)

LEMMAS: dict[str, tuple[Step, ...]] = {
    "axioms": axioms.STEPS,
    "independence": independence.STEPS,
    "copies": copies.STEPS,
    "measurement": measurement.STEPS,
    "scalar_core": scalar_core.STEPS,
    "distance": distance.STEPS,
    "contraction": contraction.STEPS,
    "one_qubit_contraction": one_qubit_contraction.STEPS,
    "unital_capacity": unital_capacity.STEPS,
    "memory_size": memory_size.STEPS,
    "local_update": local_update.STEPS,
    "relaxation_capacity": relaxation_capacity.STEPS,
    "erasure_capacity": erasure_capacity.STEPS,
    "damping_capacity": damping_capacity.STEPS,
}
"""Steps by the name of their module and text, in an order in which each may cite."""

OWNER = {step.number: name for name, steps in LEMMAS.items() for step in steps}


def with_lemmas(own: tuple[Step, ...]) -> tuple[Step, ...]:
    """The steps of a proof after all steps of every lemma it cites.

    A lemma comes as a whole, with its second opinions; of the axioms only those that
    are cited come.

    Args:
        own: The bound's own steps; they may cite any step of `LEMMAS`.

    Returns:
        Cited lemmas in the table's order, then the own steps.

    Example:
        >>> from qjax.bounds import Step
        >>> from qjax.bounds.lemmas import with_lemmas
        >>> end = Step("Z1", "symbolic", "end", lambda: True, ("L2.1",), concludes=True)
        >>> [step.number for step in with_lemmas((end,))]
        ['X2', 'L2.1', 'Z1']
    """
    chosen: set[str] = set()
    wanted = [number for step in own for number in step.cites]
    while wanted:
        number = wanted.pop()
        owner = OWNER.get(number)
        if owner is None or number in chosen:
            continue
        group = LEMMAS[owner]
        new = [step for step in group if owner != "axioms" or step.number == number]
        chosen |= {step.number for step in new}
        wanted += [cited for step in new for cited in step.cites]
    table = [step for steps in LEMMAS.values() for step in steps]
    return tuple(step for step in table if step.number in chosen) + own
