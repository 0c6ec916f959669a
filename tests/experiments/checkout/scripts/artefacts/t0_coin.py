"""A small real experiment for the tests of the harness: the mean of coin tosses."""

import dataclasses
import time

import jax
import matplotlib.figure
import pandas as pd

from qjax.experiments import Column, Experiment, Figure, Frames, Table


@dataclasses.dataclass(frozen=True)
class CoinConfig:
    """Grid of the experiment; `pause` in seconds gives a kill time to happen."""

    seed: int = 0
    tosses: tuple[int, ...] = (16, 64)
    biases: tuple[float, ...] = (0.25, 0.5, 0.75)
    pause: float = 0.0

    def __post_init__(self) -> None:
        if not all(0 <= bias <= 1 for bias in self.biases):
            raise ValueError(f"`biases` must lie in [0, 1], but is {self.biases}")


def grid(config: CoinConfig) -> list[dict]:
    """Every bias with every number of tosses."""
    return [
        {"bias": bias, "tosses": tosses, "pause": config.pause}
        for bias in config.biases
        for tosses in config.tosses
    ]


def run(key, *, bias: float, tosses: int, pause: float) -> dict:
    """Toss a coin."""
    start = time.perf_counter()
    time.sleep(pause)
    heads = jax.random.bernoulli(key, bias, (tosses,))
    mean = heads.mean()
    return {
        "side": "heads",
        "mean": mean,
        "mean_stderr": (mean * (1 - mean) / tosses) ** 0.5,
        "path": heads.cumsum(),
        "seconds": time.perf_counter() - start,
    }


COIN = Experiment(
    name="coin",
    version=1,
    config=CoinConfig,
    grid=grid,
    run=run,
    columns=(
        Column("side", "label"),
        Column("mean", "estimated", stderr="mean_stderr", description="share | heads"),
        Column("path", "exact", description="heads so far"),
        Column("seconds", "measured", unit="s", description="wall-clock time"),
    ),
    dtypes=("float32",),
)


def build(frames: Frames) -> pd.DataFrame:
    """The rows, and a column that is derived from a measured one."""
    frame = frames["coin"].sort_values(["tosses", "bias"])
    speed = frame["tosses"] / frame["seconds"]
    columns = ["side", "bias", "tosses", "mean", "mean_stderr", "seconds"]
    return frame[columns].assign(speed=speed)


def draw(figure: matplotlib.figure.Figure, frames: Frames) -> None:
    """The paths, and the time each cell took."""
    left, right = figure.subplots(1, 2)
    frame = frames["coin"]
    for path in frame["path"]:
        left.plot(path)
    right.plot(frame["tosses"], frame["seconds"], "o")


EXPERIMENTS = (COIN,)
ARTEFACTS = (
    Table(
        name="t0_coin",
        title="T0. Coins, p ≤ 0.75 & more",
        experiments=("coin",),
        build=build,
        columns=(
            Column("side", "label"),
            Column("bias", "label"),
            Column("tosses", "label"),
            Column("mean", "estimated", stderr="mean_stderr", heading="mean | share"),
            Column("seconds", "measured", unit="s", digits=2),
            Column("speed", "measured", unit="1/s", digits=2),
        ),
        notes=("A fair coin has 0.5.",),
    ),
    Figure("f0_coin", "F0. Coins", ("coin",), draw, caption="Heads so far; time."),
)
