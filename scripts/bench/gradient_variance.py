"""Variance of gradient estimators at equal cost: trajectories, and shots.

Trajectories: on random noisy circuits, the variance of one sample of the gradient (the
sum over parameters) times its cost, for the estimators that qjax has and for others
from the literature, each divided by the least of the row. A value costs one pass over
the trajectory, a value with its reverse-mode gradient `--cost` passes; parameter shift
takes 2 P values. Error bars are standard errors over ten groups of samples.

Shots: variance of the gradient times the number of all shots, exact by enumeration of
the outcomes (for SPSA over random directions).

    python scripts/bench/gradient_variance.py [--circuits 20] [--samples 4000]

writes both tables into docs/benchmarks.md; needs the environment of `make bench`.
"""

import argparse
import pathlib
import sys
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import rich.progress

from qjax.circuits import (
    Channel,
    Circuit,
    PauliSum,
    Repeat,
    cx,
    ising,
    rx,
    ry,
    rz,
    rzz,
)
from qjax.experiments.files import write_bytes
from qjax.gradients.guided import GuidedState
from qjax.gradients.score import as_kraus
from qjax.noise import amplitude_damping, depolarizing
from qjax.simulate import expectation, run, trajectory
from qjax.states import StateVector
from scripts.bench.report import PAGE, between, markdown

BEGIN, END = "<!-- variance: begin -->", "<!-- variance: end -->"
NOISES = ("depolarizing", "amplitude damping", "both")
STRENGTHS = (0.01, 0.03, 0.1, 0.3)
GROUPS = 10
BATCH = 250
TRAJECTORY_NAMES = (
    "plain score",
    "leave-one-out (average_trajectories)",
    "best constant for each parameter",
    "mixed Kraus operators, leave-one-out",
    "likeliest apart (trajectory_gradient)",
    "likeliest apart, best constants",
    "parameter shift, independent",
    "parameter shift, common numbers",
)
SHOT_NAMES = ("plain score", "leave-one-out", "parameter shift", "SPSA, radius 0.1")

Builder = Callable[[Any], Circuit]


def random_circuit(seed: int, noisy: bool = True) -> tuple[Builder, np.ndarray, int]:
    """Two layers of rotations and links on 2 to 5 wires, noise after every gate."""
    rng = np.random.default_rng(seed)
    num_wires = int(rng.integers(2, 6))
    noise = NOISES[seed % len(NOISES)]
    strength = STRENGTHS[seed // len(NOISES) % len(STRENGTHS)]
    turns = [(rx, ry, rz)[i] for i in rng.integers(3, size=num_wires)]
    linked = rng.integers(2, size=num_wires - 1)
    count = num_wires + int(linked.sum())

    def after(*wires: int) -> list[Channel]:
        found = []
        for wire in wires if noisy else ():
            if noise != "amplitude damping":
                found.append(depolarizing(strength, wire))
            if noise != "depolarizing":
                found.append(amplitude_damping(strength, wire))
        return found

    def layer(angles: Any) -> Circuit:
        operations: list[Any] = []
        for wire, turn in enumerate(turns):
            operations += [turn(angles[wire], wire), *after(wire)]
        position = num_wires
        for wire, rotated in enumerate(linked):
            if rotated:
                operations.append(rzz(angles[position], wire, wire + 1))
                position += 1
            else:
                operations.append(cx(wire, wire + 1))
            operations += after(wire, wire + 1)
        # A fixed turn lets every kind of layer leave the computational basis.
        operations += [ry(0.7, wire) for wire in range(num_wires)]
        return Circuit(operations, num_wires)

    def build(params: Any) -> Circuit:
        layers = [layer(row) for row in params.reshape(2, count)]
        body = jax.tree.map(lambda *leaves: jnp.stack(leaves), *layers)
        return Circuit([Repeat(body, 2)], num_wires)

    params = rng.uniform(-np.pi, np.pi, 2 * count).astype(np.float32)
    return build, params, num_wires


def label(seed: int) -> str:
    return f"{NOISES[seed % 3]} {STRENGTHS[seed // 3 % 4]}"


def mixed(circuit: Circuit) -> Circuit:
    """Two Kraus operators A, B replaced by (A + B) / sqrt 2 and (A - B) / sqrt 2."""
    turn = np.asarray([[1, 1], [1, -1]], np.complex64) / np.float32(np.sqrt(2))

    def change(node: Any) -> Any:
        if not isinstance(node, Channel) or node.kraus.shape[-3] != 2:
            return node
        kraus = jnp.einsum("ij,...jab->...iab", turn, node.kraus)
        return jax.tree.unflatten(jax.tree.structure(node), [kraus])

    return jax.tree.map(change, circuit, is_leaf=lambda n: isinstance(n, Channel))


def groups(samples: np.ndarray) -> tuple[float, float]:
    """Sum over entries of the variance of the rows, and its standard error."""
    total = np.var(samples, axis=0, ddof=1).sum()
    parts = [np.var(part, axis=0, ddof=1).sum() for part in np.split(samples, GROUPS)]
    return float(total), float(np.std(parts, ddof=1) / np.sqrt(GROUPS))


class Sampler:
    """Values, ln probabilities and their gradients of single trajectories."""

    def __init__(self, build: Builder, num_wires: int, observable: PauliSum):
        zero = StateVector.zeros(num_wires)

        def path(key, params, level, other):
            circuit = as_kraus(build(params))
            circuit = mixed(circuit) if other else circuit
            final, record = trajectory(key, circuit, GuidedState.start(zero, level))
            return jnp.stack([expectation(final, observable), record.log_prob])

        def with_slopes(params, keys, levels, other):
            def one(pair):
                def value(p):
                    return path(pair[0], p, pair[1], other)

                return value(params), jax.jacrev(value)(params)

            return jax.lax.map(one, (keys, levels), batch_size=BATCH)

        def values(params, keys, levels):
            def one(pair):
                return path(pair[0], params, pair[1], False)[0]

            return jax.lax.map(one, (keys, levels), batch_size=BATCH)

        self.with_slopes = jax.jit(with_slopes, static_argnums=3)
        self.values = jax.jit(values)


def trajectory_row(seed: int, samples: int, cost: float) -> dict[str, Any]:
    """Variance times cost of every estimator on one circuit."""
    build, params, num_wires = random_circuit(seed)
    sampler = Sampler(build, num_wires, ising(num_wires))
    key, shift_key = jax.random.split(jax.random.key(seed))
    keys = jax.random.split(key, samples)
    spread = 1 - jax.random.uniform(jax.random.fold_in(key, 1), (samples,))

    def score(levels, other=False):
        pair = sampler.with_slopes(params, keys, levels, other)
        values, slopes = (np.asarray(part, float) for part in pair)
        value = values[:, 0]
        baseline = (value.sum() - value) / (samples - 1)
        centred = slopes[:, 0] + (value - baseline)[:, None] * slopes[:, 1]
        plain = slopes[:, 0] + value[:, None] * slopes[:, 1]
        return plain, centred, slopes[:, 1]

    def tuned(rows, scores):
        """Subtract the multiple of each entry's score that leaves least variance."""
        centred, score = rows - rows.mean(0), scores - scores.mean(0)
        square = np.maximum(np.mean(score**2, 0), 1e-9)
        return rows - score * (np.mean(centred * score, 0) / square)

    plain, centred, scores = score(spread)
    best = tuned(centred, scores)
    # As many as before, although all are the same: one program serves both.
    first, _ = sampler.with_slopes(params, keys, jnp.zeros(samples), False)
    chance = float(np.exp(first[0, 1]))
    _, apart, scores = score(chance + (1 - chance) * spread)
    apart = (1 - chance) * apart
    found: dict[str, tuple[float, float]] = {
        name: groups(rows)
        for name, rows in zip(TRAJECTORY_NAMES, (plain, centred, best), strict=False)
    }
    if NOISES[seed % len(NOISES)] == "amplitude damping":
        found[TRAJECTORY_NAMES[3]] = groups(score(spread, True)[1])
    found[TRAJECTORY_NAMES[4]] = groups(apart)
    found[TRAJECTORY_NAMES[5]] = groups(tuned(apart, scores))
    found = {name: (v * cost, e * cost) for name, (v, e) in found.items()}
    found |= shifts(sampler, params, shift_key, samples // 4)
    row = {"seed": seed, "noise": label(seed), "num_wires": num_wires}
    return row | {"params": params.size, "likeliest": chance, "products": found}


def shifts(sampler: Sampler, params: np.ndarray, key: Any, samples: int) -> dict:
    """Two-term rule with independent and with common random numbers, per 2 P values."""
    keys = jax.random.split(key, samples)
    others = jax.random.split(jax.random.fold_in(key, 1), samples)
    level = 1 - jax.random.uniform(jax.random.fold_in(key, 2), (samples,))
    free = 1 - jax.random.uniform(jax.random.fold_in(key, 3), (samples,))
    columns: dict[str, list[np.ndarray]] = {name: [] for name in TRAJECTORY_NAMES[6:]}
    for j in range(params.size):
        step = np.zeros_like(params)
        step[j] = np.pi / 2
        up = np.asarray(sampler.values(params + step, keys, level), float)
        down = np.asarray(sampler.values(params - step, keys, level), float)
        apart = np.asarray(sampler.values(params - step, others, free), float)
        columns[TRAJECTORY_NAMES[6]].append((up - apart) / 2)
        columns[TRAJECTORY_NAMES[7]].append((up - down) / 2)
    found = {name: groups(np.stack(rows, 1)) for name, rows in columns.items()}
    values = 2 * params.size
    return {name: (values * v, values * e) for name, (v, e) in found.items()}


def shot_row(seed: int, directions: int = 400) -> dict[str, Any]:
    """Variance times shots on the final state without noise, for sum ZZ + sum Z."""
    build, params, num_wires = random_circuit(seed, noisy=False)
    bits = 1 - 2 * (np.arange(2**num_wires)[:, None] >> np.arange(num_wires) & 1)
    energy = (bits[:, 1:] * bits[:, :-1]).sum(1) + bits.sum(1)

    def weights(p):
        return run(build(p), StateVector.zeros(num_wires)).probabilities().reshape(-1)

    chances = jax.jit(jax.vmap(weights))
    jacobian = np.asarray(jax.jit(jax.jacfwd(weights))(params), float)
    p = np.asarray(chances(params[None])[0], float)
    kept = p > 1e-12
    mean, gradient = p @ energy, energy @ jacobian
    fisher = (jacobian[kept] ** 2 / p[kept, None]).sum(1)

    def moments(points):
        rows = np.asarray(chances(jnp.asarray(points, jnp.float32)), float)
        means = rows @ energy
        return means, rows @ energy**2 - means**2

    step = np.eye(params.size) * np.pi / 2
    _, noise = moments(np.concatenate([params + step, params - step]))
    signs = np.random.default_rng(seed).choice([-1, 1], (directions, params.size))
    (up, up_noise), (down, down_noise) = (
        moments(params + sign * 0.1 * signs) for sign in (1, -1)
    )
    square = np.mean(((up - down) ** 2 + up_noise + down_noise) / (4 * 0.1**2))
    found = {
        SHOT_NAMES[0]: energy[kept] ** 2 @ fisher - (gradient**2).sum(),
        SHOT_NAMES[1]: (energy[kept] - mean) ** 2 @ fisher - (gradient**2).sum(),
        SHOT_NAMES[2]: 2 * params.size * noise.sum() / 4,
        SHOT_NAMES[3]: 2 * (params.size * square - (gradient**2).sum()),
    }
    row = {"seed": seed, "num_wires": num_wires, "params": params.size}
    return row | {"products": {name: (float(v), 0.0) for name, v in found.items()}}


def table(rows: list[dict], names: tuple[str, ...], head: tuple[str, ...]) -> str:
    """Markdown: products divided by the least of the row, and a line of the worst."""
    lines, worst = [], dict.fromkeys(names, 0.0)
    for row in rows:
        products = row["products"]
        least = max(min(v for v, _ in products.values()), 1e-12)
        line = {h: f"{row[h]:.2g}" if h == "likeliest" else str(row[h]) for h in head}
        for name, pair in products.items():
            value, error = (number / least for number in pair)
            worst[name] = max(worst[name], value)
            line[name] = f"{value:.2f} ± {error:.2f}" if error else f"{value:.2f}"
        lines.append(line)
    last = {head[0]: "worst"} | {name: f"{worst[name]:.2f}" for name in names}
    return markdown(pd.DataFrame([*lines, last], columns=[*head, *names]))


def main() -> int:
    parser = argparse.ArgumentParser(
        description="Measure the variance of gradient estimators at equal cost."
    )
    parser.add_argument("--circuits", type=int, default=20)
    parser.add_argument("--samples", type=int, default=4000)
    parser.add_argument("--cost", type=float, default=4.0)
    parser.add_argument("--page", type=pathlib.Path, default=PAGE)
    arguments = parser.parse_args()
    seeds = range(arguments.circuits)
    rows = []
    for seed in rich.progress.track(seeds):
        rows.append(trajectory_row(seed, arguments.samples, arguments.cost))
        jax.clear_caches()
    head = ("seed", "noise", "num_wires", "params", "likeliest")
    shots = [shot_row(seed) for seed in seeds]
    content = "\n\n".join(
        [
            f"Trajectories: {arguments.samples} samples of each circuit, "
            f"{arguments.cost:g} passes for a value with its gradient, complex64.",
            table(rows, TRAJECTORY_NAMES, head),
            "Shots: exact.",
            table(shots, SHOT_NAMES, ("seed", "num_wires", "params")),
        ]
    )
    page = between(arguments.page.read_text(), content, BEGIN, END)
    write_bytes(arguments.page, page.encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
