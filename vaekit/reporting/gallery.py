"""Commands that list released checkpoints and draw pictures of a loaded model."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from vaekit import cli
from vaekit.release import shelf
from vaekit.reporting import pictures

COMMANDS = ("list", "sample", "reconstruct", "interpolate", "traverse")
TRAVERSED = 500  # test images over which the activity of a latent is measured


@dataclass(frozen=True)
class Package:
    """Functions of a package that the commands call.

    Attributes:
        name: name of the package.
        load: function from a directory to a model.
        read_config: function from a directory to its configuration.
        sample: function `(model, n, seed, arguments)` to images.
        test_images: function `(config, data_dir)` to the test images of the model's dataset.
        sample_options: function that adds options to the parser of `sample`, or None.
    """

    name: str
    load: Callable
    read_config: Callable
    sample: Callable
    test_images: Callable
    sample_options: Callable | None = None


def add_commands(commands, package):
    """Add `COMMANDS` to a command line.

    Args:
        commands: result of `add_subparsers`. The parsed arguments have an attribute `function`,
            which is to be called with them.
        package: a `Package`.
    """
    listing = commands.add_parser("list", help="released checkpoints")
    listing.set_defaults(function=lambda arguments: shelf.print_list(package.name))
    sample = _parser(commands, "sample", "generate images", 100, "images")
    if package.sample_options:
        package.sample_options(sample)
    sample.set_defaults(function=lambda arguments: _sample(package, arguments))
    for name, help_text, default, unit, function in (
        ("reconstruct", "test images and their reconstructions below", 50, "images", _reconstruct),
        ("interpolate", "straight lines in latent space between test images", 10, "rows", _lines),
        ("traverse", "one latent at a time, the most active first", 10, "latents", _traverse),
    ):
        parser = _parser(commands, name, help_text, default, unit)
        parser.add_argument("--data-dir", help=cli.DATA_DIR_HELP)
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
    model = package.load(shelf.resolve(arguments.checkpoint, package.name))
    pictures.write(arguments.out, package.sample(model, arguments.n, arguments.seed, arguments))
    print(arguments.out)


def _reconstruct(package, arguments):
    model, images = _model_and_images(package, arguments, arguments.n)
    reconstructions = model.reconstruct(images)
    originals = images / np.float32(255 if images.max() > 1 else 1)
    grid = pictures.beside(originals, reconstructions)
    pictures.write(arguments.out, grid, originals=originals, reconstructions=reconstructions)
    print(arguments.out)


def _lines(package, arguments):
    model, images = _model_and_images(package, arguments, 2 * arguments.n)
    pictures.write(arguments.out, pictures.interpolate(model, images))
    print(arguments.out)


def _traverse(package, arguments):
    model, images = _model_and_images(package, arguments, TRAVERSED)
    grid, latents = pictures.traverse(model, images, arguments.n)
    pictures.write(arguments.out, grid)
    print(f"{arguments.out}: latents from the top {', '.join(map(str, latents))}")


def _model_and_images(package, arguments, n):
    """The model and `n` test images, chosen at random by the seed."""
    directory = shelf.resolve(arguments.checkpoint, package.name)
    model, config = package.load(directory), package.read_config(directory)
    images = package.test_images(config, arguments.data_dir)
    order = np.random.default_rng(arguments.seed).permutation(len(images))
    return model, images[order[:n]]
