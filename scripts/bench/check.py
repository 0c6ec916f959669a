"""Do the sides agree? A side is right if most of those that ran agree with it."""

import numpy as np

from scripts.bench.sides.base import Arrays
from scripts.bench.workloads import Case

# Rounding of the worse dtype of a pair, accumulated over hundreds of gates.
TOLERANCE = {"complex64": 2e-4, "complex128": 1e-9, "float64": 1e-9}
# Cuts in another order leave another state: sides differ by up to 7e-5 in W6, where
# values that are not divided by the norm are off by most of a percent.
TRUNCATED = 2e-4
# Standard errors that two sampled results may differ by; below 1e-6 for one number.
SIGMAS = 6.0


def distance(case: Case, one: Arrays, other: Arrays) -> float:
    """Largest difference, in units in which the tolerance applies."""
    if case.task == "state":
        overlap = np.vdot(one["state"], other["state"])
        # The angle between two rays, without the cancellation of 1 - fidelity.
        phase = overlap / max(abs(overlap), 1e-300)
        return float(np.linalg.norm(other["state"] - phase * one["state"]))
    if case.task == "density":
        return float(np.linalg.norm(one["state"] - other["state"]))
    scale = 0.0
    for key in set(one) & set(other):
        size = max(1.0, float(np.max(np.abs(one[key]))))
        scale = max(scale, float(np.max(np.abs(one[key] - other[key]))) / size)
    return scale


def statistical(case: Case, one: Arrays, other: Arrays) -> float:
    """Largest difference in standard errors."""
    if case.task == "trajectories":
        # Histories of one qubit's <Z> lie in [-1, 1]: their spread is at most 1.
        spread = np.sqrt(1 / one["count"] + 1 / other["count"])
        return float(np.max(np.abs(one["values"] - other["values"])) / spread)
    share = (one["ones"] + other["ones"]) / 2
    # An exact share has no spread of its own.
    sampled = sum("exact" not in arrays for arrays in (one, other))
    spread = np.sqrt(share * (1 - share) / case.shots * sampled)
    return float(np.max(np.abs(one["ones"] - other["ones"]) / spread))


def exact_ones(case: Case) -> Arrays:
    """Share of ones of each wire of the states that W4 draws from."""
    probabilities = np.abs(case.amplitudes()) ** 2
    places = np.arange(2**case.num_wires)
    wires = range(case.num_wires)
    columns = [
        probabilities @ (places >> (case.num_wires - 1 - wire) & 1) for wire in wires
    ]
    return {"ones": np.stack(columns, -1), "exact": np.asarray(True)}


def agree(
    case: Case, one: Arrays, other: Arrays, dtypes: tuple[str, str]
) -> tuple[bool, float]:
    if case.task in ("trajectories", "sample", "batch_sample"):
        found = statistical(case, one, other)
        # 256 states of 8 wires are 2048 comparisons.
        return found <= SIGMAS, found
    found = distance(case, one, other)
    tolerance = max(TOLERANCE[dtype] for dtype in dtypes)
    if case.truncates:
        tolerance = max(tolerance, TRUNCATED)
    return found <= tolerance, found


def verdicts(
    case: Case, results: dict[str, Arrays], dtypes: dict[str, str], oracle: str
) -> dict[str, dict]:
    """For each side: is it right, with whom it agrees, and the largest distance.

    With the oracle among the results, agreeing with it decides; otherwise more than
    half of the sides have to agree.
    """
    found = {}
    for name, arrays in results.items():
        pairs = {
            other: agree(case, arrays, theirs, (dtypes[name], dtypes[other]))
            for other, theirs in results.items()
            if other != name
        }
        friends = [other for other, (same, _) in pairs.items() if same]
        if oracle in results:
            right = name == oracle or oracle in friends
        else:
            right = 2 * (1 + len(friends)) > len(results)
        distances = [pairs[other][1] for other in friends]
        found[name] = {
            "right": bool(right),
            "agrees_with": sorted(friends),
            "differs_from": sorted(set(pairs) - set(friends)),
            "distance": max(distances, default=None),
        }
    return found
