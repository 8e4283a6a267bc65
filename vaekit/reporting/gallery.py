"""Pictures of a loaded model: samples, reconstructions, interpolations, latent traversals.

A model here is anything with `encode(images) -> (mean, log_var)` and `decode(z) -> images`. Each
function returns images row by row, ready for `vaekit.reporting.plots.image_grid`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vaekit import cli, files
from vaekit.errors import UserError
from vaekit.images import to_uint8
from vaekit.release import shelf
from vaekit.reporting import plots


def beside(originals, reconstructions, columns=10):
    """Rows of originals, each followed by the row of their reconstructions.

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
    """One latent at a time, from -reach to reach, all others held at the first image's mean.

    Args:
        images: `(n, height, width, channels)`; the most active latents, those with the smallest
            mean of sigma^2 over these images, come first.
        rows: latents shown.
        steps: images per row.
    Returns:
        `(rows * steps, height, width, channels)`, and the latents' numbers `(rows,)`.
    """
    mean, log_var = model.encode(images)
    latents = np.argsort(np.exp(log_var).mean(axis=0), kind="stable")[:rows]
    z = np.tile(mean[0], (len(latents), steps, 1))
    for row, latent in enumerate(latents):
        z[row, :, latent] = np.linspace(-reach, reach, steps)
    return model.decode(z.reshape(-1, mean.shape[1])), latents


def write(path, grid, **arrays):
    """Write a PNG grid of ten columns, or uint8 arrays into an .npz file, as the name says.

    Args:
        path: of a .png or .npz file.
        grid: images of the PNG, row by row.
        **arrays: images of the .npz; by default the grid's, under the name `images`.
    Raises:
        UserError: the name ends neither in .png nor in .npz.
    """
    path = Path(path)
    if path.suffix == ".png":
        plots.image_grid(path, grid)
    elif path.suffix == ".npz":
        arrays = arrays or {"images": grid}
        files.save_npz(path, {name: to_uint8(images) for name, images in arrays.items()})
    else:
        raise UserError(f"{path} came; the name of a .png or .npz file is taken.")


@dataclass(frozen=True)
class Package:
    """What the command line needs of a package.

    Attributes:
        name: of the package.
        load: function of a folder or released name to a model.
        sample: function `(model, n, seed, arguments)` to images.
        test_images: function `(model, data_dir)` to the test images of the model's dataset.
        sample_options: function that adds options to the parser of `sample`, or None.
    """

    name: str
    load: Any
    sample: Any
    test_images: Any
    sample_options: Any = None


COMMANDS = ("list", "sample", "reconstruct", "interpolate", "traverse")


def add_commands(commands, package):
    """Add `COMMANDS` to a command line.

    Args:
        commands: what `add_subparsers` returned; `function` of the parsed arguments is to be
            called with them.
        package: a `Package`.
    """
    listing = commands.add_parser("list", help="released checkpoints")
    listing.set_defaults(function=lambda arguments: shelf.print_list(package.name))
    sample = _parser(commands, "sample", "generate images", 100, "images")
    if package.sample_options:
        package.sample_options(sample)
    sample.set_defaults(function=lambda arguments: _sample(package, arguments))
    for name, help_text, default, unit, function in (
        ("reconstruct", "test images, below each its reconstruction", 50, "images", _reconstruct),
        ("interpolate", "straight lines in latent space between test images", 10, "rows", _lines),
        ("traverse", "one latent at a time, the most active first", 10, "latents", _traverse),
    ):
        parser = _parser(commands, name, help_text, default, unit)
        parser.add_argument("--data-dir", help="datasets (default: $VAE_DATA_DIR, else ./data)")
        parser.set_defaults(function=lambda arguments, call=function: call(package, arguments))


def _parser(commands, name, help_text, default, unit):
    parser = commands.add_parser(name, help=help_text)
    parser.add_argument("checkpoint", help="run directory or released name")
    parser.add_argument(
        "--n", type=cli.positive_integer, default=default, help=f"{unit} (default {default})"
    )
    parser.add_argument("--seed", type=cli.seed, default=0, help="random seed (default 0)")
    parser.add_argument("--out", default=f"{name}.png", help=f".png or .npz (default {name}.png)")
    return parser


def _sample(package, arguments):
    model = package.load(arguments.checkpoint)
    write(arguments.out, package.sample(model, arguments.n, arguments.seed, arguments))
    print(arguments.out)


def _reconstruct(package, arguments):
    model, images = _model_and_images(package, arguments, arguments.n)
    reconstructions = model.reconstruct(images)
    originals = images / np.float32(255 if images.max() > 1 else 1)
    grid = beside(originals, reconstructions)
    write(arguments.out, grid, originals=originals, reconstructions=reconstructions)
    print(arguments.out)


def _lines(package, arguments):
    model, images = _model_and_images(package, arguments, 2 * arguments.n)
    write(arguments.out, interpolate(model, images))
    print(arguments.out)


def _traverse(package, arguments):
    model, images = _model_and_images(package, arguments, 500)
    grid, latents = traverse(model, images, arguments.n)
    write(arguments.out, grid)
    print(f"{arguments.out}: latents from the top {', '.join(map(str, latents))}")


def _model_and_images(package, arguments, n):
    """The model and `n` test images, drawn by the seed."""
    model = package.load(arguments.checkpoint)
    images = package.test_images(model, arguments.data_dir)
    order = np.random.default_rng(arguments.seed).permutation(len(images))
    return model, images[order[:n]]
