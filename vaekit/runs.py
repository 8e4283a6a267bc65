"""A run is one directory: config.json, environment.json, metrics, last/, weights, figures/."""

import contextlib
import dataclasses
import json
from pathlib import Path

from vaekit import files
from vaekit.configs import CONFIG
from vaekit.environment import ENVIRONMENT, environment
from vaekit.errors import UserError

METRICS = "metrics.jsonl"


def run_name(preset, overrides):
    """The folder name of a preset with changed options: "cifar10+epochs=1+base_dim=8".

    Each configuration has a directory of its own, so that none is continued by mistake.
    """
    changes = [f"{key}={value}" for key, value in sorted(overrides.items())]
    return "+".join([preset.replace("/", "_").replace(":", "_"), *changes])


class Run:
    """The directory of one training; opening it again continues that training.

    Args:
        directory: the folder; it is created if it is missing.
        config: dict for JSON that determines the result (options, seed, data fingerprint).
        checkpoint_seconds: shortest time between two checkpoints of a phase.
        tensorboard: whether training also writes curves into `tensorboard/`.
        defaults: values of settings that a run of an earlier version may lack, because a setting
            that was added later had the effect of its default.
    Raises:
        UserError: the folder is not writable, in use by another process, or contains a run of
            another configuration.
    """

    def __init__(
        self, directory, config, checkpoint_seconds=20.0, tensorboard=False, defaults=None
    ):
        self.directory = Path(directory)
        self.config = _plain(config)  # as JSON returns it: tuples become lists
        self.checkpoint_seconds, self.tensorboard = checkpoint_seconds, tensorboard
        self.defaults = defaults or {}
        self._lock = _lock(self.directory)
        self._write_or_compare_config()

    @property
    def figures(self):
        """Folder of the figures."""
        return self.directory / "figures"

    def checkpoint_path(self, phase):
        """File with everything needed to resume a phase."""
        return self.directory / "last" / f"{phase}.npz"

    def log(self, record):
        """Append one record (a dict) to metrics.jsonl."""
        line = json.dumps(record, default=float) + "\n"
        try:
            with open(self._metrics, "a", encoding="utf-8") as file:
                file.write(line)
        except OSError as error:
            raise UserError(
                f"Cannot write {self._metrics}: {error.strerror}. Free disk space; the same "
                "command then resumes from the last checkpoint."
            ) from error

    def records(self, phase=None):
        """The records of metrics.jsonl, of one phase or of all, without incomplete lines."""
        return read_records(self.directory, phase)

    def forget_after(self, phase, epoch):
        """Delete a phase's records from `epoch` on, before these epochs are repeated."""
        keep = [r for r in self.records() if r.get("phase") != phase or r["epoch"] < epoch]
        files.write_text(self._metrics, "".join(json.dumps(r) + "\n" for r in keep))

    @property
    def hardware(self):
        """The hardware on which the run was started, in words."""
        return files.read_json(self.directory / ENVIRONMENT)["hardware"]

    @property
    def seconds(self):
        """Wall time of training in seconds, summed over the epochs of the run."""
        return sum(record.get("seconds", 0.0) for record in self.records())

    def close(self):
        """Allow other processes to open the directory."""
        self._lock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    @property
    def _metrics(self):
        return self.directory / METRICS

    def _write_or_compare_config(self):
        path = self.directory / CONFIG
        if not path.exists():
            files.write_json(path, self.config)
            files.write_json(self.directory / ENVIRONMENT, environment())
            return
        changes = differences(files.read_json(path), self.config, self.defaults)
        if changes:
            raise UserError(
                f"{self.directory} contains a run of another configuration ({', '.join(changes)}). "
                "Choose another folder with --runs, or delete that one."
            )


def read_records(directory, phase=None):
    """The records of a run's metrics.jsonl, like `Run.records`."""
    path, records = Path(directory) / METRICS, []
    if not path.exists():
        return records
    for line in path.read_text(encoding="utf-8").splitlines():
        with contextlib.suppress(ValueError):
            records.append(json.loads(line))
    return [r for r in records if phase is None or r.get("phase") == phase]


def open_run(directory, described, settings, options):
    """The `Run` of a configuration, with the options of a command line.

    Args:
        directory: the run's folder.
        described: the content of its config.json.
        settings: dataclass of the configuration, whose defaults apply to runs of earlier versions.
        options: object with `checkpoint_seconds` and `tensorboard`.
    """
    defaults = {
        field.name: field.default
        for field in dataclasses.fields(settings)
        if field.default is not dataclasses.MISSING
    }
    return Run(directory, described, options.checkpoint_seconds, options.tensorboard, defaults)


def cost(trainings):
    """The time that trainings needed, in words.

    Args:
        trainings: list of (hardware, seconds), see `Run.hardware` and `Run.seconds`.
    """
    machines, seconds = zip(*trainings, strict=True)
    count = f"{len(machines)} training{'s' if len(machines) > 1 else ''}"
    return (
        f"{count} on {', '.join(dict.fromkeys(machines))}: {sum(seconds) / 60:.0f} minutes in all, "
        "without evaluation."
    )


def differences(found, wanted, defaults):
    """The differences of two configurations, as texts "epochs: 3 instead of 4".

    Args:
        found, wanted: contents of config.json, with nested dicts.
        defaults: values of settings that `found` may lack.
    """
    texts = []
    for key in sorted(found.keys() | wanted.keys()):
        there, here = found.get(key, _plain(defaults.get(key))), wanted.get(key)
        if isinstance(there, dict) and isinstance(here, dict):
            texts += differences(there, here, defaults)
        elif there != here:
            texts.append(f"{key}: {there!r} instead of {here!r}")
    return texts


def _plain(value):
    return json.loads(json.dumps(value))


def _lock(directory):
    try:
        directory.mkdir(parents=True, exist_ok=True)
        lock = open(directory / ".lock", "w")  # noqa: SIM115 (open as long as the run)
    except OSError as error:
        raise UserError(
            f"Cannot write to {directory}: {error.strerror}. Choose another folder with --runs."
        ) from error
    with contextlib.suppress(ImportError):  # no fcntl on Windows: no lock there
        import fcntl

        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.close()
            raise UserError(
                f"Another process is using {directory}. Wait until it ends, or choose another "
                "folder with --runs."
            ) from error
    return lock
