"""One dimension: a moving average loses variance as its error grows.

After Asperti, "Variance Loss in Variational Autoencoders", LOD 2020, Figure 3.
"""

import numpy as np

from balancingvae import measures
from vaekit import datasets
from vaekit.reporting import plots
from vaekit.reporting.reports import Figure, Section, Table

WIDTHS = (1, 3, 5, 9, 17, 33, 65)
DRAWN_WIDTHS, DRAWN_POINTS = (5, 17), 128


def smoothed(signal, width):
    """Moving average of a periodic signal `(n,)` over `width` neighbours, an odd number."""
    half = width // 2
    shifted = [np.roll(signal, shift) for shift in range(-half, half + 1)]
    return np.mean(shifted, axis=0)


def smoothing_losses(signal, widths=WIDTHS):
    """mse and variance loss of moving averages of increasing width.

    Args:
        signal: array `(n,)`, periodic.
        widths: odd numbers.
    Returns:
        list of dicts `width`, `mse`, `variance_loss`, `variance` of the smoothed signal.
    """
    rows = []
    for width in widths:
        smooth = smoothed(signal, width)
        rows.append(
            {
                "width": width,
                "mse": measures.squared(signal, smooth),
                "variance_loss": float(np.var(signal) - np.var(smooth)),
                "variance": float(np.var(smooth)),
            }
        )
    return rows


def scan_line():
    """A real one-dimensional signal: the rows of some digits, one after the other, in [0, 1]."""
    return datasets.load("digits").test[:8].reshape(-1) / 255.0


def section(figures):
    """The section of the report; its picture is saved in the folder `figures`."""
    signal = scan_line()
    rows = smoothing_losses(signal)
    x = np.arange(DRAWN_POINTS)
    series = {"signal": (x, signal[:DRAWN_POINTS])}
    for width in DRAWN_WIDTHS:
        series[f"mean of {width} neighbours"] = (x, smoothed(signal, width)[:DRAWN_POINTS])
    plots.curves(figures / "smoothing.png", series, "position", "pixel value")
    body = [[row["width"], row["mse"], row["variance_loss"], row["variance"]] for row in rows]
    return Section(
        "One dimension: smoothing (after the paper's Figure 3)",
        text=[
            "We replace a scan line through handwritten digits by its moving averages. An average "
            "varies less than the values that it averages. The mse and the variance loss grow "
            "together, and they are equal once everything is averaged. A moving average is not a "
            "projection, so in between they are close but not equal."
        ],
        tables=[Table(["width", "mse", "variance loss", "variance left"], body)],
        figures=[Figure(f"{figures.name}/smoothing.png", "A signal and two moving averages")],
    )
