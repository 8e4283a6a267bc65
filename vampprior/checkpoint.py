"""A model on disk: config.json and model.npz in one directory; loading executes no code.

If pseudo-inputs are training images or started as such, `save` also writes a second file of weights
without them, for redistribution; `read` accepts either of them as model.npz.
"""

import dataclasses
from pathlib import Path

import keras

from vaekit import configs, files
from vaekit.errors import UserError
from vaekit.release import shelf
from vaekit.release.publish import WEIGHTS, WITHOUT_IMAGES
from vaekit.training import checkpoints
from vampprior.config import Config

PACKAGE = "vampprior"


@dataclasses.dataclass(frozen=True)
class Found:
    """The contents of a directory.

    Attributes:
        config: the `config.Config`.
        arrays: dict of the weights.
        path: file of the weights, for messages.
    """

    config: Config
    arrays: dict
    path: Path

    @property
    def without_images(self):
        """Whether posteriors replace the pseudo-inputs that were training images."""
        holds_images = any(name.endswith(".matrix") for name in self.arrays)
        return self.config.takes_images and not holds_images


def save(model, directory, config):
    """Write config.json (if there is none yet) and the weights; no file is ever incomplete.

    Args:
        model: a `VAE`.
        directory: a run directory, or a new folder.
        config: the `config.Config` that the model was built from.
    """
    directory = Path(directory)
    if not (directory / "config.json").exists():
        files.write_json(directory / "config.json", describe(config))
    variables = model.density_variables()
    files.save_npz(directory / WEIGHTS, checkpoints.to_arrays(variables))
    if config.takes_images and model.pseudo_inputs is not None:
        prior = len(model.prior.variables)
        names = ("means", "log_vars")
        parts = zip(names, model.prior.components(), strict=True)
        posteriors = [keras.Variable(part, name=name) for name, part in parts]
        arrays = checkpoints.to_arrays([*variables[:-prior], *posteriors])
        files.save_npz(directory / WITHOUT_IMAGES, arrays)


def describe(config, **more):
    """The contents of config.json: package, configuration, and whatever else defines a run."""
    return configs.describe(PACKAGE, config, **more)


def read_config(directory):
    """The `config.Config` of a run directory."""
    return configs.read_config(directory, PACKAGE, Config)


def read(directory):
    """The contents of a run directory or a released checkpoint, as a `Found`.

    Args:
        directory: the folder, or a released checkpoint's name ("digits_vampprior").
    Raises:
        UserError: the directory contains no vampprior model, or a damaged one.
    """
    directory = shelf.resolve(directory, PACKAGE)
    if not (directory / "config.json").exists() or not (directory / WEIGHTS).exists():
        raise UserError(
            f"{directory} contains no finished vampprior model: config.json or {WEIGHTS} is "
            "missing. Pass the folder of a finished run (runs/vampprior/PRESET/seedK) or a "
            "released checkpoint."
        )
    config = read_config(directory)
    return Found(config, files.load_npz(directory / WEIGHTS), directory / WEIGHTS)
