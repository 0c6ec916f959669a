"""A second experiment: it needs 64-bit types and returns several rows per cell."""

import dataclasses

import jax.numpy as jnp
import pandas as pd

from qjax.experiments import Column, Experiment, Frames, Table


@dataclasses.dataclass(frozen=True)
class WidthConfig:
    """Powers of the unit in the last place."""

    seed: int = 7
    powers: tuple[int, ...] = (30, 40)


def grid(config: WidthConfig) -> list[dict]:
    """One cell per power."""
    return [{"power": power} for power in config.powers]


def run(key, *, power: int) -> list[dict]:
    """1 + 2**-power, which single precision rounds to 1."""
    del key
    total = jnp.asarray(1.0) + jnp.asarray(2.0) ** -power
    return [{"sign": sign, "gap": sign * (total - 1)} for sign in (1, -1)]


WIDTH = Experiment(
    name="width",
    version=2,
    config=WidthConfig,
    grid=grid,
    run=run,
    columns=(Column("sign", "label"), Column("gap", "exact")),
    dtypes=("complex128",),
)


def build(frames: Frames) -> pd.DataFrame:
    """All rows."""
    return frames["width"][["power", "sign", "gap"]]


EXPERIMENTS = (WIDTH,)
ARTEFACTS = (
    Table(
        name="t1_width",
        title="T1. Width",
        experiments=("width",),
        build=build,
        columns=(
            Column("power", "label"),
            Column("sign", "label"),
            Column("gap", "exact", digits=3),
        ),
    ),
)
