"""Colours and axes that the figures share."""

from collections.abc import Iterable
from typing import Any

import matplotlib.axes
import matplotlib.axis
from matplotlib.ticker import LogLocator, NullLocator

# Okabe and Ito's palette: distinct for every common kind of colour vision.
BLUE, ORANGE, GREEN, RED, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#666666"
SKY, PINK, BLACK = "#56B4E9", "#CC79A7", "#000000"

LABEL_SIZE = 7.5


def plain_axes(axes: matplotlib.axes.Axes, letter: str = "") -> None:
    """No box, small ticks, a faint grid, and the panel's letter."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=LABEL_SIZE)
    labels: list[Any] = [axes.xaxis.label, axes.yaxis.label]
    for label in labels:
        label.set_size(8.5)
    axes.grid(alpha=0.25, linewidth=0.5)
    if letter:
        axes.set_title(letter, loc="left", fontsize=9, fontweight="bold")


def log_axis(axis: matplotlib.axis.Axis) -> None:
    """A logarithmic axis of few decades, with ticks at 1, 2 and 5 of each."""
    axis.axes.set(**{f"{axis.axis_name}scale": "log"})  # pyright: ignore
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.set_major_formatter("{x:g}")
    axis.set_minor_locator(NullLocator())


def marked_sizes(axis: matplotlib.axis.Axis, sizes: Iterable[int]) -> None:
    """A logarithmic axis of sizes, with a tick at each."""
    log_axis(axis)
    places = sorted(set(sizes))
    axis.set_ticks(places, labels=[str(place) for place in places])


def curve_label(
    axes: matplotlib.axes.Axes,
    text: str,
    place: tuple[float, float],
    colour: str,
    **options: Any,
) -> None:
    """Text beside a curve, in the curve's colour."""
    axes.annotate(text, place, color=colour, fontsize=LABEL_SIZE, **options)
