"""A model on disk: config.json and model.npz in one directory; loading runs no code."""

import dataclasses
from pathlib import Path

from vaekit import files
from vaekit.errors import UserError
from vampprior import configs
from vampprior.model import VAE

WEIGHTS = "model.npz"


def save(model, directory):
    """Write config.json (only where there is none) and model.npz, each whole."""
    directory = Path(directory)
    if not (directory / "config.json").exists():
        files.write_json(directory / "config.json", {"model": dataclasses.asdict(model.config)})
    files.save_npz(directory / WEIGHTS, model.weight_arrays())


def load(directory):
    """The VAE of a run directory or a released checkpoint.

    Raises:
        UserError: the directory holds no vampprior model, or a damaged one.
    """
    directory = Path(directory)
    if not (directory / "config.json").exists() or not (directory / WEIGHTS).exists():
        raise UserError(
            f"{directory} holds no finished vampprior model: config.json and {WEIGHTS} are looked "
            "for. Name the folder of a finished run (runs/vampprior/PRESET/seedK) or of a released "
            "checkpoint."
        )
    values = files.read_json(directory / "config.json")
    if not isinstance(values, dict) or not isinstance(values.get("model"), dict):
        raise UserError(
            f'{directory / "config.json"} describes no vampprior model: it has no entry "model".'
        )
    try:
        model = VAE(configs.from_dict(values["model"]))
    except TypeError as error:
        raise UserError(f"{directory / 'config.json'} is damaged: {error}.") from error
    model.assign_weight_arrays(files.load_npz(directory / WEIGHTS), directory / WEIGHTS)
    return model
