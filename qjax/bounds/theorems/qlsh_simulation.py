"""Instances of the Q-LSH lemma: simulated sketches, named points and random batches.

The engine prepares every sign pattern; sums over all pairs of patterns give the numbers
that the statements compare with their closed forms.
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np
import scipy.special
import scipy.stats
from numpy.typing import NDArray

from qjax._types import Key
from qjax.bounds.bound import Instance, RandomBatch
from qjax.bounds.sketches.sign_sketches import MAX_LAYERS, SketchNoise
from qjax.bounds.sketches.sketch_profiles import (
    MAX_SHOTS,
    SketchProfile,
    hyperplane_mean,
    hyperplane_slope,
    sketch_profiles,
)
from qjax.bounds.theorems.qlsh_precise import replay_sketch

RANDOM_SHAPES = ((1, 3), (2, 2))
"""(m, g) of the random sketches: one qubit of three signs, two of two."""


@dataclasses.dataclass(frozen=True)
class Point:
    """One sketch: m qubits, g signs each, phase, cosine, trials and storage noise."""

    m: int
    g: int
    theta: float
    s: float
    c: int = 1
    lam: float = 1.0
    nu: float = 1.0
    eta: float = 1.0
    e: float = 0.0
    T: int = 0

    def label(self) -> str:
        """Name of an instance: what differs from the defaults."""
        fields = dataclasses.fields(self)
        shown = [
            f"{field.name}={getattr(self, field.name):.6g}"
            for field in fields
            if getattr(self, field.name) != field.default
        ]
        return " ".join(shown)


def _numbers(
    profile: SketchProfile, columns: Mapping[str, NDArray[Any]]
) -> dict[str, NDArray[np.float64]]:
    """Values by symbol name from profiles; slopes only where they are finite."""
    cosine, shots = columns["s"], columns["c"]
    delta = np.arccos(cosine) / np.pi
    fields = {"A": "amplitude", "E": "overlap", "E2": "squared", "L": "local",
              "L2": "local_square", "G": "quadrature", "G2": "quadrature_square",
              "Gf": "quadrature_fixed", "S": "shot_mean",
              "S2": "shot_square"}  # fmt: skip
    x = {
        name: hyperplane_mean(getattr(profile, field), delta)
        for name, field in fields.items()
    }
    found = {name: x[name] for name in ("A", "E", "E2", "L", "G")}
    found["VG"] = x["G2"] - x["G"] ** 2
    found["VGc"] = (x["G2"] - x["Gf"]) / shots + x["Gf"] - x["G"] ** 2
    found["VL"] = x["L2"] - x["L"] ** 2
    found["V"] = x["S2"] - x["S"] ** 2
    if np.all(np.abs(cosine) < 1):
        for name, field in (("A", "amplitude"), ("E", "overlap"), ("L", "local")):
            slope = hyperplane_slope(getattr(profile, field), cosine)
            found[f"d{name}"] = slope
    return found


def simulate_points(points: tuple[Point, ...]) -> dict[str, NDArray[Any]]:
    """Simulate sketches of one shape (m, g); values by symbol name, shape (n,)."""
    columns = {
        field.name: np.asarray([getattr(point, field.name) for point in points])
        for field in dataclasses.fields(Point)
    }
    return _simulate((points[0].m, points[0].g), columns)


def _simulate(
    shape: tuple[int, int], columns: Mapping[str, NDArray[Any]]
) -> dict[str, NDArray[Any]]:
    noise = SketchNoise(*(columns[name] for name in ("lam", "nu", "eta", "e", "T")))
    # Trials beyond the enumerated ones only rescale what `quadrature` needs.
    trials = np.minimum(columns["c"], MAX_SHOTS)
    profile = sketch_profiles(shape, columns["theta"], noise, trials)
    return {**columns, **_numbers(profile, columns)}


def simulated(point: Point) -> Mapping[str, Any]:
    """Values of one enumerated sketch."""
    values = simulate_points((point,))
    return {name: column[0].item() for name, column in values.items()}


def product_sketch(point: Point) -> Mapping[str, Any]:
    """Values of a sketch with one sign per qubit and any number of qubits.

    Qubits never interact, so that one pair is simulated for equal and one for different
    signs, f_0 and f_1; at Hamming distance h the overlap is f_0^(k-h) f_1^h, with
    C(k,h) pairs of patterns. Trials are summed over all c + 1 outcomes.
    """
    single = dataclasses.replace(point, m=1, c=1)
    columns = {
        field.name: np.asarray([getattr(single, field.name)])
        for field in dataclasses.fields(Point)
    }
    noise = SketchNoise(*(columns[name] for name in ("lam", "nu", "eta", "e", "T")))
    qubit = sketch_profiles((1, 1), columns["theta"], noise)
    k, c = point.m, point.c
    h = np.arange(k + 1)
    ways = scipy.special.comb(k, h)
    found: dict[str, Any] = dataclasses.asdict(point)
    for name, pair in (("A", qubit.amplitude[0]), ("E", qubit.overlap[0])):
        profile = ways * pair[0] ** (k - h) * pair[1] ** h
        slope = hyperplane_slope(profile[None], np.asarray([point.s]))
        delta = np.asarray(np.arccos(point.s) / np.pi)
        found[name] = float(hyperplane_mean(profile, delta))
        found[f"d{name}"] = float(slope[0])
    pair = np.asarray(qubit.overlap)[0]
    overlap = pair[0] ** (k - h) * pair[1] ** h
    found["E2"] = float(hyperplane_mean(ways * overlap**2, delta))
    found["V"] = _counted_variance(overlap, ways, delta, c)
    return found


def _counted_variance(
    overlap: NDArray[np.float64], ways: NDArray[np.float64], delta: Any, shots: int
) -> float:
    """Variance of the mean of c outcomes +-1 from the distribution of their count."""
    n = np.arange(shots + 1)[:, None]
    chances = scipy.stats.binom.pmf(n, shots, (1 + overlap[None]) / 2)
    law = hyperplane_mean(ways * chances, np.full(shots + 1, delta))
    average = 2 * n[:, 0] / shots - 1
    mean = float(np.sum(law * average))
    return float(np.sum(law * (average - mean) ** 2))


def sketch_instance(
    point: Point,
    tight: bool = True,
    simulate: Callable[[Point], Mapping[str, Any]] = simulated,
) -> Instance:
    """An instance that is simulated when it is asked for, named by its numbers."""
    return Instance(point.label(), lambda: simulate(point), tight, 1e-9)


def random_sketches(key: Key, count: int, noisy: bool = True) -> RandomBatch:
    """Random sketches: phases, cosines, trials and noise of every kind, edges included.

    A quarter has no noise, the others depolarizing, dephasing, or thermal damping with
    dephasing, in 1 to 3 layers. The phase is uniform on the circle or near an edge (0,
    pi/2, pi); the cosine uniform or within 1e-3 of -1, 0 or 1.

    Args:
        key: JAX random key.
        count: At least 2; half of each shape in `RANDOM_SHAPES`.
        noisy: Whether three quarters of them have noise.

    Returns:
        Values with a replay of each in mpmath.
    """
    parts = []
    for shape, part_key in zip(RANDOM_SHAPES, jax.random.split(key), strict=True):
        size = count // 2 if not parts else count - count // 2
        uniform = np.asarray(jax.random.uniform(part_key, (10, size)), np.float64)
        parts.append(_simulate(shape, random_columns(shape, uniform, noisy)))
    values = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    names = [field.name for field in dataclasses.fields(Point)]

    def serialise(index: int) -> Mapping[str, Any]:
        return {name: values[name][index].item() for name in names}

    return RandomBatch(values, lambda i: replay_sketch(serialise(i)), serialise)


def random_columns(
    shape: tuple[int, int], uniform: NDArray[np.float64], noisy: bool
) -> dict[str, NDArray[Any]]:
    size = uniform.shape[1]
    near = 1e-3 * (uniform[0] - 0.5)
    edge = np.asarray([0.0, np.pi / 2, -np.pi / 2, np.pi])
    edge = edge[(4 * uniform[1]).astype(int) % 4] + near
    theta = np.where(uniform[2] < 0.25, edge, np.pi * (2 * uniform[1] - 1))
    cosine = 1.998 * uniform[3] - 0.999
    end = np.asarray([-0.999, 0.0, 0.999])[(3 * uniform[3]).astype(int) % 3]
    cosine = np.where(uniform[4] < 0.25, end + 0.1 * np.abs(near) * -end, cosine)
    kind = (4 * uniform[5]).astype(int) % 4 * noisy
    strength = np.where(uniform[6] < 0.1, 0.0, uniform[6])
    one = np.ones(size)
    layers = 1 + (MAX_LAYERS * uniform[7]).astype(int) % MAX_LAYERS
    return {
        "m": np.full(size, shape[0]), "g": np.full(size, shape[1]),
        "theta": theta, "s": cosine,
        "c": 1 + (MAX_SHOTS * uniform[8]).astype(int) % MAX_SHOTS,
        "lam": np.where(kind == 1, strength, one),
        "nu": np.where(kind >= 2, np.sqrt(uniform[9]), one),
        "eta": np.where(kind == 3, strength, one),
        "e": np.where(kind == 3, uniform[8], 0.0),
        "T": np.where(kind == 0, 0, layers),
    }  # fmt: skip
