"""Colours and axes that the figures share."""

from collections.abc import Iterable
from typing import Any

import matplotlib.axes
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


def short_log_axis(axes: matplotlib.axes.Axes) -> None:
    """A logarithmic y axis of few decades, with ticks at 1, 2 and 5 of each."""
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_locator(NullLocator())


def marked_sizes(axes: matplotlib.axes.Axes, sizes: Iterable[int]) -> None:
    """A logarithmic x axis of sizes, with a tick at each."""
    axes.set_xscale("log")
    places = sorted(set(sizes))
    axes.set_xticks(places, [str(place) for place in places])
    axes.set_xticks([], minor=True)


def curve_label(
    axes: matplotlib.axes.Axes,
    text: str,
    place: tuple[float, float],
    colour: str,
    **options: Any,
) -> None:
    """Text beside a curve, in the curve's colour."""
    axes.annotate(text, place, color=colour, fontsize=LABEL_SIZE, **options)
