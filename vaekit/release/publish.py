"""Release a finished run: a copy without what resuming needs, and an entry in the manifest."""

import json
from pathlib import Path

from vaekit import files
from vaekit.configs import CONFIG
from vaekit.environment import ENVIRONMENT, portable_command
from vaekit.errors import UserError
from vaekit.release.shelf import CLONE, LARGEST, MANIFEST
from vaekit.runs import read_records

REPORTS = ("report.html", "report.md", "report.json")
SHAREABLE = ("digits",)  # datasets whose images this repository may contain
# A run whose weights contain training images has a second file of weights without them, which is
# released under the name of the first.
WEIGHTS, WITHOUT_IMAGES = "model.npz", "model_without_images.npz"
PER_IMAGE = ("log_likelihood.npz",)  # measurements; all other .npz files are weights


def release(run_directory, checkpoints=CLONE, weights=True):
    """Copy a finished run, without `last/`, and list it in the manifest.

    Pictures, reports and weights that contain training images are left out, unless the dataset may
    be redistributed with this repository. Files larger than `shelf.LARGEST` bytes are left out too,
    but the manifest lists them.

    Args:
        run_directory: `.../<package>/<preset>/seed<k>` of a finished run.
        checkpoints: folder of the released checkpoints.
        weights: False copies only the metrics, for further seeds; the weights are listed.
    Returns:
        The checkpoint's name, "<package>/<preset>/seed<k>".
    Raises:
        UserError: the run is not finished, or all its weights contain images that may not be
            redistributed.
    """
    source = Path(run_directory).resolve()
    described = files.read_json(source / CONFIG)
    config, package = described["config"], described["package"]
    evaluation = _evaluation(source)
    private = config["dataset"] not in SHAREABLE
    if private and _weights_hold_images(config) and not (source / WITHOUT_IMAGES).exists():
        raise UserError(
            f"The weights in {source} contain images of {config['dataset']} as pseudo-inputs, "
            f"which may not be redistributed, and {WITHOUT_IMAGES} is missing. Run the command of "
            "this run again: it keeps the training and writes that file."
        )
    name = f"{package}/{source.parent.name}/{source.name}"
    environment = files.read_json(source / ENVIRONMENT)
    environment["command"] = portable_command(environment["command"], package)
    target, listed = Path(checkpoints) / name, {}
    for file, path in _released_files(source, private):
        data = path.read_bytes()
        if file == ENVIRONMENT:
            data = (json.dumps(environment, indent=1) + "\n").encode()
        is_weights = path.suffix == ".npz" and path.name not in PER_IMAGE
        committed = len(data) <= LARGEST and (weights or not is_weights)
        if committed:
            files.atomic_write(target / file, lambda out, data=data: out.write(data))
        listed[file] = {
            "sha256": files.sha256(target / file if committed else path),
            "bytes": len(data),
            "committed": committed,
        }
    entry = {
        "dataset": config["dataset"],
        "figure": evaluation["headline"],
        "command": environment["command"],
        "hardware": environment["hardware"],
        "training_seconds": round(_training_seconds(source), 1),
        "files": listed,
    }
    _list(Path(checkpoints) / MANIFEST, name, entry)
    return name


def _evaluation(source):
    path = source / "evaluation.json"
    if not path.exists():
        raise UserError(
            f"{source} is not a finished run: evaluation.json is missing. Complete the run first."
        )
    return files.read_json(path)


def _weights_hold_images(config):
    """Whether the pseudo-inputs of a VampPrior are, or were initialised with, training images."""
    prior, start = config.get("prior"), config.get("pseudo_input_start")
    return prior == "vampprior_data" or (prior == "vampprior" and start == "data")


def _released_files(source, private):
    """Yield (name of the released file, file of the run)."""
    for path in sorted(source.rglob("*")):
        file = path.relative_to(source)
        hidden = any(part.startswith(".") for part in file.parts)
        pictures = file.parts[0] == "figures" or path.name in REPORTS
        if not path.is_file() or hidden or file.parts[0] in ("last", "tensorboard"):
            continue
        if path.name == WITHOUT_IMAGES or (private and pictures):
            continue
        if private and path.name == WEIGHTS and (source / WITHOUT_IMAGES).exists():
            path = source / WITHOUT_IMAGES
        yield file.as_posix(), path


def _training_seconds(source):
    return sum(record.get("seconds", 0.0) for record in read_records(source))


def _list(path, name, entry):
    manifest = files.read_json(path) if path.exists() else {"checkpoints": {}}
    manifest["checkpoints"][name] = entry
    manifest["checkpoints"] = dict(sorted(manifest["checkpoints"].items()))
    files.write_json(path, manifest)
