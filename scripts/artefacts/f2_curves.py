"""F2: training curves of the variational classifier."""

import matplotlib.figure
import numpy as np

from qjax.experiments import Figure, Frames

COLOURS = {"qng": "#0072B2", "adam": "#D55E00"}
LABELS = {"qng": "natural gradient", "adam": "Adam"}


def draw(figure: matplotlib.figure.Figure, frames: Frames) -> None:
    """Loss against epochs and against time: every seed thin, their mean thick."""
    by_epoch, by_time = figure.subplots(1, 2, sharey=True)
    for name, group in frames["classifier"].groupby("optimizer", sort=False):
        curves = np.asarray(group["curve"].tolist())
        epochs = float(group["epochs"].iloc[0])
        progress = epochs * (np.arange(curves.shape[1]) + 1) / curves.shape[1]
        colour, label = COLOURS[str(name)], LABELS[str(name)]
        for curve, seconds in zip(curves, group["seconds"], strict=True):
            by_epoch.plot(progress, curve, color=colour, alpha=0.35, linewidth=0.7)
            by_time.plot(
                progress / epochs * seconds, curve, color=colour, alpha=0.35, lw=0.7
            )
        mean = curves.mean(axis=0)
        by_epoch.plot(progress, mean, color=colour, linewidth=1.6)
        times = progress / epochs * group["seconds"].mean()
        by_time.plot(times, mean, color=colour, linewidth=1.6)
        # Each label stands where its curve is apart from the other: early in the run.
        by_time.annotate(
            label,
            (times[len(times) // 3], mean[len(times) // 3]),
            xytext=(2, 10),
            textcoords="offset points",
            color=colour,
            fontsize=8,
        )
    by_epoch.set(xlabel="epochs", ylabel="training loss (nats)", yscale="log")
    by_time.set(xlabel="training time (s, measured)")
    for axes in (by_epoch, by_time):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25, linewidth=0.5, which="both")


EXPERIMENTS = ()
ARTEFACTS = (
    Figure(
        name="f2_curves",
        title="F2. Training of the variational classifier",
        experiments=("classifier",),
        draw=draw,
        caption="Cross-entropy on the training images, averaged over a tenth of an "
        "epoch; thin lines are seeds, thick lines their mean. Time includes "
        "compilation.",
        width=6.4,
        height=3.0,
    ),
)
