"""The workloads, once, as plain data: who runs them and how is not decided here.

A `Case` names one size of one workload. Its numbers (angles, inputs, targets) come from
a seed that depends on its name only, so every side and every run sees the same ones.
Wire 0 is the most significant bit of an index.
"""

import dataclasses
import zlib
from collections.abc import Iterator
from itertools import pairwise

import numpy as np

SEED = 2026
PAULI_ERROR = 0.01
"""Total probability of a Pauli error on each qubit after each CNOT (W5)."""

FIRST_CALLS = ("FC", "W6C")
"""Workloads whose first calls are timed, in fresh processes."""

BATCH = 256
DIMENSION = 64


@dataclasses.dataclass(frozen=True)
class Op:
    """A gate: `name` is rx, ry, rz, cx or cz; `angle` indexes the flat angles."""

    name: str
    wires: tuple[int, ...]
    angle: int | None = None


@dataclasses.dataclass(frozen=True)
class Case:
    """One size of one workload; `task` says what has to be computed."""

    name: str
    workload: str
    task: str
    num_wires: int
    depth: int = 10
    shots: int = 0
    reupload: bool = False
    pairs: int = 0
    # Largest bond of a matrix product state; W6 alone has one.
    bond: int = 0
    # Which of several sets of angles of the same size.
    draw: int = 0

    def generator(self, purpose: str = "") -> np.random.Generator:
        label = f"{self.workload}/{self.num_wires}/{self.depth}/{purpose}"
        label += f"/{self.draw}" if self.draw else ""
        return np.random.default_rng([SEED, zlib.crc32(label.encode())])

    def angles(self) -> np.ndarray:
        """Angles in float64: (depth, n, 2), or (2 * pairs,) of a random circuit."""
        shape = (2 * self.pairs,) if self.pairs else (self.depth, self.num_wires, 2)
        angles = self.generator("angles").uniform(-np.pi, np.pi, shape)
        # Rounded, so that single and double precision turn by the same angles.
        return angles.astype(np.float32).astype(np.float64)

    def operations(self) -> list[Op]:
        """Gates in time order."""
        if self.pairs:
            return list(self._random())
        build = alternating_ops if self.bond else layer_ops
        layers = range(self.depth)
        return [op for layer in layers for op in build(self.num_wires, layer)]

    def _random(self) -> Iterator[Op]:
        generator = self.generator("gates")
        for pair in range(self.pairs):
            first, second = (
                int(w) for w in generator.choice(self.num_wires, 2, replace=False)
            )
            for offset, wire in enumerate((first, second)):
                letter = "xyz"[generator.integers(3)]
                yield Op(f"r{letter}", (wire,), 2 * pair + offset)
            yield Op("cx", (first, second))

    @property
    def truncates(self) -> bool:
        """W6: whether the bonds would outgrow what is allowed: CZ doubles one."""
        halves = min((self.depth + 1) // 2, self.num_wires // 2)
        return 0 < self.bond < 2**halves

    @property
    def sites(self) -> tuple[int, ...]:
        """W6: wires whose <Z> is asked for."""
        return 0, self.num_wires // 2, self.num_wires - 1

    def inputs(self) -> np.ndarray:
        """W3: (BATCH, 2^n) real unit vectors whose first 64 entries are not zero."""
        raw = np.abs(self.generator("inputs").normal(size=(BATCH, DIMENSION)))
        padded = np.zeros((BATCH, 2**self.num_wires))
        padded[:, :DIMENSION] = raw / np.linalg.norm(raw, axis=1, keepdims=True)
        return padded

    def targets(self) -> np.ndarray:
        """W3: (BATCH,) numbers that the loss wants the model to give."""
        return self.generator("targets").uniform(-1, 1, BATCH)

    def weights(self) -> np.ndarray:
        """W3: (n,) weights of the <Z_i> in the model's value."""
        return np.linspace(1.0, 0.5, self.num_wires)

    def offsets(self) -> np.ndarray:
        """W3 with re-uploading: (BATCH, n) added to each layer's RY angles."""
        return np.pi * self.inputs()[:, : self.num_wires]

    def amplitudes(self) -> np.ndarray:
        """W4: unit vectors to draw from, (2^n,) or (BATCH, 2^n), complex128."""
        shape: tuple[int, ...] = (2**self.num_wires,)
        if self.task == "batch_sample":
            shape = (BATCH, *shape)
        parts = self.generator("amplitudes").normal(size=(2, *shape))
        raw = parts[0] + 1j * parts[1]
        # Tilted, so that each wire has a share of ones of its own.
        for wire in range(self.num_wires):
            bit = np.arange(shape[-1]) >> (self.num_wires - 1 - wire) & 1
            raw *= np.where(bit, 0.5 + wire / self.num_wires, 1.0)
        return raw / np.linalg.norm(raw, axis=-1, keepdims=True)


def rotations(num_wires: int, layer: int) -> list[Op]:
    """RY and RZ on every wire."""
    base = 2 * num_wires * layer
    ops = []
    for wire in range(num_wires):
        ops.append(Op("ry", (wire,), base + 2 * wire))
        ops.append(Op("rz", (wire,), base + 2 * wire + 1))
    return ops


def layer_ops(num_wires: int, layer: int = 0) -> list[Op]:
    """RY and RZ on every wire, then the chain of CNOTs."""
    chain = [Op("cx", pair) for pair in pairwise(range(num_wires))]
    return rotations(num_wires, layer) + chain


def alternating_ops(num_wires: int, layer: int) -> list[Op]:
    """RY and RZ on every wire, then CZ on every second link, in turns."""
    links = range(layer % 2, num_wires - 1, 2)
    pairs = [Op("cz", (left, left + 1)) for left in links]
    return rotations(num_wires, layer) + pairs


def ising_words(num_wires: int) -> list[str]:
    """sum_i Z_i Z_{i+1} + sum_i X_i as Pauli words, wire 0 first."""
    letters = [{i: "Z", i + 1: "Z"} for i in range(num_wires - 1)]
    letters += [{i: "X"} for i in range(num_wires)]
    return ["".join(word.get(i, "I") for i in range(num_wires)) for word in letters]


def z_words(num_wires: int) -> list[str]:
    """Z_i of every wire as Pauli words."""
    return ["I" * w + "Z" + "I" * (num_wires - 1 - w) for w in range(num_wires)]


def _cases() -> Iterator[Case]:
    for n in (10, 16, 20, 22, 24):
        yield Case(f"W1-n{n}", "W1", "state", n)
    for n in (16, 20):
        yield Case(f"WR-n{n}", "WR", "state", n, pairs=400)
    for n in (10, 16, 20):
        yield Case(f"W2-n{n}", "W2", "gradient", n)
    for n in (6, 8):
        yield Case(f"W3F-n{n}", "W3", "batch_values", n, 4)
        yield Case(f"W3G-n{n}", "W3", "batch_gradient", n, 4)
    for n in (6, 8):
        yield Case(f"W3PF-n{n}", "W3", "batch_values", n, 4, reupload=True)
        yield Case(f"W3PG-n{n}", "W3", "batch_gradient", n, 4, reupload=True)
    yield Case("W4-big", "W4", "sample", 20, shots=10**6)
    yield Case("W4-batch", "W4", "batch_sample", 8, shots=1000)
    yield Case("W5a", "W5", "density", 10)
    yield Case("W5b", "W5", "trajectories", 16, shots=1000)
    for draw, name in enumerate(("W6", "W6-s1", "W6-s2")):
        yield Case(name, "W6", "chain_values", 64, 20, bond=64, draw=draw)
    for n in (12, 64):
        yield Case(f"W6G-n{n}", "W6G", "chain_gradient", n, 10, bond=32)
    for depth in (10, 20, 100):
        yield Case(f"W6C-d{depth}", "W6C", "chain_compile", 64, depth, bond=32)
    for depth in (4, 8):
        yield Case(f"W7-d{depth}", "W7", "metric", 8, depth)
    for depth in (10, 50, 200):
        yield Case(f"FC-d{depth}", "FC", "gradient", 10, depth)


CASES = {case.name: case for case in _cases()}


def small(case: Case) -> Case:
    """The same workload at a size that a test or an exact oracle can afford."""
    wires = min(case.num_wires, 6 if case.workload == "W3" else 4)
    # Noise has to leave a mark on what is averaged; the layers of W6 come in pairs.
    depth = min(case.depth, 4 if case.bond else 3)
    depth = case.depth if case.task == "trajectories" else depth
    return dataclasses.replace(
        case,
        name=f"{case.name}-small",
        num_wires=wires,
        depth=depth,
        pairs=min(case.pairs, 20),
        # Enough histories to tell this noise from none.
        shots=20_000 if case.task == "trajectories" else case.shots,
    )


def find(name: str) -> Case:
    """The case of that name, or its small twin if the name ends so."""
    if name.endswith("-small"):
        return small(CASES[name.removesuffix("-small")])
    return CASES[name]


def select(words: list[str]) -> list[Case]:
    """Cases whose name or workload is one of the words; all without words."""
    known = set(CASES) | {case.workload for case in CASES.values()}
    for word in words:
        if word not in known:
            raise SystemExit(
                f"Argument `workloads` must be among {sorted(known)}, but is {word!r}."
            )
    chosen = CASES.values()
    return [c for c in chosen if not words or {c.name, c.workload} & set(words)]
