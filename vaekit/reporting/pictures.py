"""Pictures of a loaded model: samples, reconstructions, interpolations, latent traversals.

A model is any object with `encode(images) -> (mean, log_var)` and `decode(z) -> images`. Each
function returns images row by row, as `vaekit.reporting.plots.image_grid` expects them.
"""

from pathlib import Path

import numpy as np

from vaekit import files
from vaekit.errors import UserError
from vaekit.images import to_uint8
from vaekit.reporting import plots


def beside(originals, reconstructions, columns=10):
    """Rows of originals, each followed by the row of its reconstructions.

    Args:
        originals, reconstructions: float `(n, height, width, channels)` in [0, 1].
        columns: images per row; an incomplete row is filled with white.
    """
    missing = -len(originals) % columns
    white = np.ones((missing, *originals.shape[1:]), originals.dtype)
    rows = [
        np.concatenate([images, white]).reshape(-1, columns, *images.shape[1:])
        for images in (originals, reconstructions)
    ]
    return np.stack(rows, axis=1).reshape(-1, *originals.shape[1:])


def interpolate(model, images, steps=10):
    """Straight lines in latent space between the posterior means of consecutive pairs of images.

    Args:
        images: `(2 * rows, height, width, channels)`.
        steps: images per row, both ends included.
    Returns:
        `(rows * steps, height, width, channels)`.
    """
    mean, _ = model.encode(images[: len(images) // 2 * 2])
    weight = np.linspace(0, 1, steps)[None, :, None]
    z = (1 - weight) * mean[0::2, None] + weight * mean[1::2, None]
    return model.decode(z.reshape(-1, mean.shape[1]))


def traverse(model, images, rows=10, steps=10, reach=3.0):
    """One latent at a time, from -reach to reach; all others keep the first image's mean.

    Args:
        images: `(n, height, width, channels)`; the most active latents, those with the smallest
            mean of sigma^2 over these images, come first.
        rows: number of latents.
        steps: images per row.
    Returns:
        `(rows * steps, height, width, channels)`, and the indices of the latents `(rows,)`.
    """
    mean, log_var = model.encode(images)
    latents = np.argsort(np.exp(log_var).mean(axis=0), kind="stable")[:rows]
    z = np.tile(mean[0], (len(latents), steps, 1))
    for row, latent in enumerate(latents):
        z[row, :, latent] = np.linspace(-reach, reach, steps)
    return model.decode(z.reshape(-1, mean.shape[1])), latents


def write(path, grid, **arrays):
    """Write a PNG grid of ten columns, or uint8 arrays into an .npz file.

    Args:
        path: name of a .png or .npz file, which decides the format.
        grid: images of the PNG, row by row.
        **arrays: images of the .npz; by default the grid under the name `images`.
    Raises:
        UserError: another ending.
    """
    path = Path(path)
    if path.suffix == ".png":
        plots.image_grid(path, grid)
    elif path.suffix == ".npz":
        arrays = arrays or {"images": grid}
        files.save_npz(path, {name: to_uint8(images) for name, images in arrays.items()})
    else:
        raise UserError(f"Expected a file name ending in .png or .npz, got {path}.")
