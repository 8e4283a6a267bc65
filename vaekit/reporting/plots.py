"""Pictures: grids of images drawn pixel by pixel, curves, histograms and scatter plots."""

import io

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from vaekit import files
from vaekit.images import to_uint8

GAP = 2  # pixels between the images of a grid
LEAST_SIDE = 56  # small images are enlarged to about this many pixels
MOST_INSIDE = 6  # a longer legend is drawn beside the axes, where it hides nothing


def image_grid(path, images, columns=10):
    """Write images as one PNG, row by row, enlarged by an integer factor without smoothing.

    Args:
        path: the PNG file.
        images: `(n, height, width, channels)`, uint8 or floats in [0, 1], 1 or 3 channels.
        columns: images per row.
    """
    images = np.asarray(images)
    if images.dtype != np.uint8:
        images = to_uint8(images)
    n, height, width, channels = images.shape
    scale = max(1, round(LEAST_SIDE / height))
    images = images.repeat(scale, axis=1).repeat(scale, axis=2)
    height, width = height * scale + GAP, width * scale + GAP
    columns = min(columns, n)
    rows = -(-n // columns)
    canvas = np.full((rows * height + GAP, columns * width + GAP, channels), 255, np.uint8)
    for index, image in enumerate(images):
        top, left = index // columns * height + GAP, index % columns * width + GAP
        canvas[top : top + height - GAP, left : left + width - GAP] = image
    picture = Image.fromarray(canvas[..., 0] if channels == 1 else canvas)
    files.atomic_write(path, lambda file: picture.save(file, format="PNG"))


def curves(path, series, xlabel, ylabel, log_y=False, dashed=None):
    """Write a line plot.

    Args:
        series: dict of label to `(x, y)`.
        log_y: whether the y axis is logarithmic.
        dashed: dict of a label in `series` to `(label, x, y)`: further series, as dashed lines in
            the same colour.
    """
    figure, axes = _axes(xlabel, ylabel)
    for label, (x, y) in series.items():
        (line,) = axes.plot(x, y, label=label, marker="o" if len(x) < 15 else None)
        if dashed and label in dashed:
            other, x, y = dashed[label]
            axes.plot(x, y, "--", label=other, color=line.get_color())
    if log_y:
        axes.set_yscale("log")
    _save(figure, axes, path, len(series) > 1)


def histogram(path, series, xlabel, bins=40):
    """Write overlaid histograms with common bins; `series` is a dict of label to values."""
    figure, axes = _axes(xlabel, "images")
    edges = np.histogram_bin_edges(np.concatenate([np.ravel(v) for v in series.values()]), bins)
    for label, values in series.items():
        axes.hist(np.ravel(values), bins=edges, histtype="step", label=label, linewidth=1.5)
    _save(figure, axes, path, len(series) > 1)


def scatter(path, series, xlabel, ylabel, line=None):
    """Write a scatter plot; `series` is a dict of label to `(x, y)`, `line` a (slope, offset)."""
    figure, axes = _axes(xlabel, ylabel)
    for label, (x, y) in series.items():
        axes.scatter(x, y, label=label, s=18)
    if line is not None:
        x = np.array(axes.get_xlim())
        axes.plot(
            x, line[0] * x + line[1], color="grey", linewidth=1, label=f"fit: slope {line[0]:.3f}"
        )
    _save(figure, axes, path, len(series) > 1 or line is not None)


def _axes(xlabel, ylabel):
    figure = Figure(figsize=(6, 3.6), layout="constrained")
    axes = figure.add_subplot()
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    axes.grid(alpha=0.3)
    return figure, axes


def _save(figure, axes, path, with_legend):
    if with_legend and len(axes.get_legend_handles_labels()[1]) > MOST_INSIDE:
        figure.set_size_inches(8.5, 3.6)
        figure.legend(loc="outside right upper", fontsize=8)
    elif with_legend:
        axes.legend(fontsize=8)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    files.atomic_write(path, lambda file: file.write(buffer.getvalue()))
