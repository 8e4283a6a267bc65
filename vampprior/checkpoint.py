"""A model on disk: config.json and model.npz in one directory; loading runs no code.

Where pseudo-inputs are training images or started as such, a second file of weights without them
stands beside model.npz, for passing on: `load` takes either as model.npz.
"""

import dataclasses
from pathlib import Path

from vaekit import files
from vaekit.errors import UserError
from vaekit.release import shelf
from vaekit.release.publish import WEIGHTS, WITHOUT_IMAGES
from vampprior import presets
from vampprior.model import VAE

PACKAGE = "vampprior"


def save(model, directory):
    """Write config.json (only where there is none) and the weights, each file whole."""
    directory = Path(directory)
    if not (directory / "config.json").exists():
        files.write_json(directory / "config.json", describe(model.config))
    files.save_npz(directory / WEIGHTS, model.weight_arrays())
    if model.config.takes_images and model.pseudo is not None:
        files.save_npz(directory / WITHOUT_IMAGES, model.without_images().weight_arrays())


def describe(config, **more):
    """The dict that config.json holds: package, configuration, and what else defines a run."""
    return {"package": PACKAGE, "config": dataclasses.asdict(config), **more}


def load(directory):
    """The VAE of a run directory or a released checkpoint.

    Args:
        directory: the folder, or a released checkpoint's name ("digits_vampprior").
    Raises:
        UserError: the directory holds no vampprior model, or a damaged one.
    """
    directory = shelf.resolve(directory, PACKAGE)
    if not (directory / "config.json").exists() or not (directory / WEIGHTS).exists():
        raise UserError(
            f"{directory} holds no finished vampprior model: config.json and {WEIGHTS} are looked "
            "for. Name the folder of a finished run (runs/vampprior/PRESET/seedK) or of a released "
            "checkpoint."
        )
    values = files.read_json(directory / "config.json")
    package = values.get("package") if isinstance(values, dict) else None
    if package != PACKAGE or not isinstance(values.get("config"), dict):
        raise UserError(
            f"{directory} holds a model of {package or 'no known package'}, not of {PACKAGE}."
        )
    arrays = files.load_npz(directory / WEIGHTS)
    keep_images = not any(name.endswith(".means") for name in arrays)
    try:
        model = VAE(presets.from_dict(values["config"]), keep_images)
    except TypeError as error:
        raise UserError(f"{directory / 'config.json'} is damaged: {error}.") from error
    model.assign_weight_arrays(arrays, directory / WEIGHTS)
    return model
