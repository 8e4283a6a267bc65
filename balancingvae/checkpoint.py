"""A two-stage model in a run directory: config.json, stage_one.npz, stage_two.npz."""

import dataclasses
from pathlib import Path

import numpy as np

from balancingvae import presets
from balancingvae.model import STAGES
from vaekit import files
from vaekit.errors import UserError
from vaekit.release import shelf

PACKAGE = "balancingvae"
WEIGHTS = tuple(f"{stage}.npz" for stage in STAGES)


def save(model, directory, config=None):
    """Write the model's weights, and its configuration if the directory has none yet.

    Args:
        model: a `TwoStageVAE`.
        directory: a run directory, or a new folder.
        config: the `Config` that the model was built from.
    Raises:
        UserError: the folder is new and `config` is missing. `model.save("name.keras")` needs none.
    """
    directory = Path(directory)
    if not (directory / "config.json").exists():
        if config is None:
            raise UserError(
                f"A new run directory ({directory}) needs the configuration that the model was "
                'built from. Pass config=..., or save the model alone: model.save("name.keras").'
            )
        files.write_json(directory / "config.json", describe(config))
    for stage in STAGES:
        arrays = to_arrays(getattr(model, stage))
        if stage == "stage_two":
            arrays["latent_std"] = np.float32(
                np.nan if model.latent_std is None else model.latent_std
            )
        files.save_npz(directory / f"{stage}.npz", arrays)


def load(directory):
    """The `TwoStageVAE` of a run directory; loading executes no code from it.

    Args:
        directory: the folder, or the name of a released checkpoint ("digits", "digits/seed0").
    Raises:
        UserError: a file is missing or damaged, or does not fit; the message names the weight.
    """
    directory = shelf.resolve(directory, PACKAGE)
    if not directory.is_dir():
        raise UserError(f"Expected a balancingvae run directory, got {directory}: no such folder.")
    model = presets.model(read_config(directory))
    for stage in STAGES:
        path = directory / f"{stage}.npz"
        arrays = files.load_npz(path)
        if stage == "stage_two":
            latent_std = float(arrays.pop("latent_std", 1.0))
            model.latent_std = None if np.isnan(latent_std) else latent_std
        assign(getattr(model, stage), arrays, path)
    return model


def describe(config, **more):
    """The contents of config.json: package, configuration, and whatever else defines a run."""
    return {"package": PACKAGE, "config": dataclasses.asdict(config), **more}


def read_config(directory):
    """The `Config` of a run directory or of a released checkpoint's name."""
    path = Path(shelf.resolve(directory, PACKAGE)) / "config.json"
    content = files.read_json(path)
    if not isinstance(content, dict) or content.get("package") != PACKAGE:
        raise UserError(
            f"{path} does not describe a balancingvae run. Pass a run directory of balancingvae."
        )
    return presets.from_dict(content.get("config", {}))


def to_arrays(stage):
    """Every weight of a stage as a dict of numpy arrays."""
    return {name: np.asarray(weight.numpy()) for name, weight in stage.named_weights().items()}


def assign(stage, arrays, source):
    """Set all weights of a stage, or none if any of them does not fit.

    Args:
        stage: a `BalancedVAE` or `LatentVAE`.
        arrays: dict of name -> array with exactly the names of `stage.named_weights()`.
        source: where the arrays are from, for error messages.
    Raises:
        UserError: weights are missing, superfluous, of another shape or not finite; each is named.
    """
    weights = stage.named_weights()
    problems = [f"{name} is missing" for name in weights if name not in arrays]
    problems += [f"{name} is not in this model" for name in arrays if name not in weights]
    for name in weights.keys() & arrays.keys():
        found, wanted = arrays[name].shape, tuple(weights[name].shape)
        if found != wanted:
            problems.append(f"{name} has shape {found}, this model's is {wanted}")
        elif arrays[name].dtype.kind != "f" or not np.isfinite(arrays[name]).all():
            problems.append(f"{name} has values that are not finite numbers")
    if problems:
        raise UserError(
            f"{source} does not fit the configuration beside it: {'; '.join(sorted(problems))}. "
            "Use the files of one run together, or train a new one."
        )
    for name, weight in weights.items():
        weight.assign(arrays[name])
