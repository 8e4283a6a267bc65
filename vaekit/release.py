"""Put a finished run on the shelf of released checkpoints: a trimmed copy and a manifest entry."""

import json
from pathlib import Path

from vaekit import files
from vaekit.errors import UserError
from vaekit.runs import portable_command
from vaekit.shelf import CLONE, LARGEST, MANIFEST

ENVIRONMENT = "environment.json"
SHAREABLE = ("digits",)  # datasets whose images this repository may hold


def release(run_directory, checkpoints=CLONE):
    """Copy a finished run, without `last/`, and list it in the manifest.

    Pictures and reports are left out unless the data may be passed on with this repository: they
    show images of the dataset. So is everything above `shelf.LARGEST` bytes, which the manifest
    lists all the same.

    Args:
        run_directory: `.../<package>/<preset>/seed<k>` of a finished run.
        checkpoints: folder of the shelf.
    Returns:
        The checkpoint's name, "<package>/<preset>/seed<k>".
    Raises:
        UserError: the run is not finished, or its weights hold images that may not be passed on.
    """
    source = Path(run_directory).resolve()
    described = files.read_json(source / "config.json")
    config, package = described["config"], described["package"]
    evaluation = _evaluation(source)
    private = config["dataset"] not in SHAREABLE
    if private and config.get("prior") == "vampprior_data":
        raise UserError(
            f"{source.name} of {config['dataset']} keeps training images as pseudo-inputs in its "
            "weights; they may not be passed on. Release a run with another prior."
        )
    name = f"{package}/{source.parent.name}/{source.name}"
    environment = files.read_json(source / ENVIRONMENT)
    environment["command"] = portable_command(environment["command"], package)
    target, listed = Path(checkpoints) / name, {}
    for path in _released_files(source, private):
        file = path.relative_to(source).as_posix()
        data = path.read_bytes()
        if file == ENVIRONMENT:
            data = (json.dumps(environment, indent=1) + "\n").encode()
        committed = len(data) <= LARGEST
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
        raise UserError(f"{source} holds no finished run: evaluation.json is missing. Let it end.")
    return files.read_json(path)


def _released_files(source, private):
    for path in sorted(source.rglob("*")):
        parts = path.relative_to(source).parts
        hidden = any(part.startswith(".") for part in parts)
        pictures = parts[0] == "figures" or parts[-1] in ("report.html", "report.md", "report.json")
        if path.is_file() and not hidden and parts[0] not in ("last", "tensorboard"):
            if private and pictures:
                continue
            yield path


def _training_seconds(source):
    lines = (source / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    return sum(json.loads(line).get("seconds", 0.0) for line in lines)


def _list(path, name, entry):
    manifest = files.read_json(path) if path.exists() else {"checkpoints": {}}
    manifest["checkpoints"][name] = entry
    manifest["checkpoints"] = dict(sorted(manifest["checkpoints"].items()))
    files.write_json(path, manifest)
