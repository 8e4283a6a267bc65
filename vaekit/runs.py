"""A run is one directory: config, environment, metrics.jsonl, last/, weights, figures/."""

import contextlib
import dataclasses
import importlib.metadata
import json
import os
import platform
import re
import shlex
import subprocess
import sys
from pathlib import Path

from vaekit import files
from vaekit.errors import UserError

# Options that name folders of one machine; the last one takes several.
PLACES, SOURCES = ("--data-dir", "--runs", "--report"), "--continue-from"
METRICS, ENVIRONMENT = "metrics.jsonl", "environment.json"
LIBRARIES = ("keras", "tensorflow", "tensorflow-cpu", "jax", "torch", "numpy", "scipy", "pillow")


def run_name(preset, overrides):
    """The folder name of a preset with changed options: "cifar10+epochs=1+base_dim=8".

    Every distinct configuration gets a directory of its own, so none is continued by mistake.
    """
    changes = [f"{key}={value}" for key, value in sorted(overrides.items())]
    return "+".join([preset.replace("/", "_").replace(":", "_"), *changes])


class Run:
    """One training's directory; opening it again continues what is there.

    Args:
        directory: the folder; made when missing.
        config: JSON-able dict that determines the result (options, seed, data fingerprint).
        checkpoint_seconds: least time between two checkpoints inside a phase.
        tensorboard: whether training also writes curves into `tensorboard/`.
        defaults: values of settings that a run of an earlier version may lack: a setting that came
            later had the effect of its default.
    Raises:
        UserError: the folder is not writable, in use by another process, or holds a run of
            another configuration.
    """

    def __init__(
        self, directory, config, checkpoint_seconds=20.0, tensorboard=False, defaults=None
    ):
        self.directory = Path(directory)
        self.config = _plain(config)  # as it reads back: tuples become lists
        self.checkpoint_seconds, self.tensorboard = checkpoint_seconds, tensorboard
        self.defaults = defaults or {}
        self._lock = _lock(self.directory)
        self._write_or_compare_config()

    @property
    def figures(self):
        """Folder of the pictures."""
        return self.directory / "figures"

    def checkpoint_path(self, phase):
        """File that all of a phase's resuming needs is in."""
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
                "command then goes on from the last checkpoint."
            ) from error

    def records(self, phase=None):
        """The records of metrics.jsonl, of one phase or of all; a line cut by a kill is dropped."""
        return read_records(self.directory, phase)

    def forget_after(self, phase, epoch):
        """Drop a phase's records from `epoch` on: they are about to be made again."""
        keep = [r for r in self.records() if r.get("phase") != phase or r["epoch"] < epoch]
        files.write_text(self._metrics, "".join(json.dumps(r) + "\n" for r in keep))

    @property
    def hardware(self):
        """What the run was started on, in words."""
        return files.read_json(self.directory / ENVIRONMENT)["hardware"]

    @property
    def seconds(self):
        """Wall time of training, over the epochs that the run kept."""
        return sum(record.get("seconds", 0.0) for record in self.records())

    def close(self):
        """Let other processes open the directory."""
        self._lock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    @property
    def _metrics(self):
        return self.directory / METRICS

    def _write_or_compare_config(self):
        path = self.directory / "config.json"
        if not path.exists():
            files.write_json(path, self.config)
            files.write_json(self.directory / ENVIRONMENT, environment())
            return
        changes = differences(files.read_json(path), self.config, self.defaults)
        if changes:
            raise UserError(
                f"{self.directory} holds a run of another configuration ({', '.join(changes)}). "
                "Choose another --runs folder, or delete that one."
            )


def read_records(directory, phase=None):
    """The records of a run's metrics.jsonl, as `Run.records`."""
    path, records = Path(directory) / METRICS, []
    if not path.exists():
        return records
    for line in path.read_text(encoding="utf-8").splitlines():
        with contextlib.suppress(ValueError):
            records.append(json.loads(line))
    return [r for r in records if phase is None or r.get("phase") == phase]


def open_run(directory, described, settings, options):
    """The `Run` of a configuration, as a command line asks for it.

    Args:
        directory: the run's folder.
        described: the dict for its config.json.
        settings: the configuration's dataclass, whose defaults a run of an earlier version has.
        options: has `checkpoint_seconds` and `tensorboard`.
    """
    defaults = {
        field.name: field.default
        for field in dataclasses.fields(settings)
        if field.default is not dataclasses.MISSING
    }
    return Run(directory, described, options.checkpoint_seconds, options.tensorboard, defaults)


def cost(trainings):
    """What trainings took, in words.

    Args:
        trainings: list of (hardware, seconds), as of `Run.hardware` and `Run.seconds`.
    """
    machines, seconds = zip(*trainings, strict=True)
    count = f"{len(machines)} training{'s' if len(machines) > 1 else ''}"
    return (
        f"{count} on {', '.join(dict.fromkeys(machines))}: {sum(seconds) / 60:.0f} minutes in all, "
        "without evaluation."
    )


def differences(found, asked, defaults):
    """What two configurations differ in, as texts "epochs: 3 there, 4 asked".

    Args:
        found, asked: dicts as config.json holds them, dicts in dicts among them.
        defaults: values of settings that `found` may lack.
    """
    texts = []
    for key in sorted(found.keys() | asked.keys()):
        there, wanted = found.get(key, _plain(defaults.get(key))), asked.get(key)
        if isinstance(there, dict) and isinstance(wanted, dict):
            texts += differences(there, wanted, defaults)
        elif there != wanted:
            texts.append(f"{key}: {there!r} there, {wanted!r} asked")
    return texts


def _plain(value):
    return json.loads(json.dumps(value))


def environment():
    """What a figure depends on besides the configuration: versions, backend, hardware, revision."""
    import keras

    versions = {}
    for library in LIBRARIES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[library] = importlib.metadata.version(library)
    return {
        "command": _command(),
        "python": platform.python_version(),
        "libraries": versions,
        "backend": keras.backend.backend(),
        "hardware": hardware(),
        "platform": platform.system(),
        "git_revision": _git_revision(),
    }


def _command():
    program = Path(sys.argv[0])
    package = program.parent.name if program.name == "__main__.py" else program.name
    return portable_command(shlex.join([program.name, *sys.argv[1:]]), package)


def portable_command(command, package):
    """A command as another person would give it, without the places of this machine."""
    program = rf"^\S*(__main__\.py|{re.escape(package)})(?= |$)"
    command = re.sub(program, f"python -m {package}", command)
    places, value = "|".join(PLACES), r"('[^']*'|[^\s-]\S*)"
    command = re.sub(rf" (?:{places})(?:=| ){value}", "", command)
    return re.sub(rf" {SOURCES}(?:(?:=| ){value})+", "", command)


def hardware():
    """The processor (or GPU) and the cores at hand, in words."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    model = platform.processor() or platform.machine()
    with contextlib.suppress(OSError, StopIteration):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        model = next(x.split(":", 1)[1].strip() for x in lines if x.startswith("model name"))
    return f"{model}, {cores} core{'s' if cores > 1 else ''}" + _gpu_names()


def _gpu_names():
    jax = sys.modules.get("jax")
    if jax is not None and jax.default_backend() == "gpu":
        return ", " + ", ".join(device.device_kind for device in jax.devices())
    tf = sys.modules.get("tensorflow")
    if tf is not None:
        gpus = tf.config.list_physical_devices("GPU")
        return "".join(
            ", " + tf.config.experimental.get_device_details(gpu).get("device_name", "GPU")
            for gpu in gpus
        )
    return ""


def _git_revision():
    root = Path(__file__).resolve().parent.parent
    if not (root / ".git").exists():
        return None
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12"]
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        return subprocess.run(command, capture_output=True, text=True, timeout=10).stdout.strip()
    return None


def _lock(directory):
    try:
        directory.mkdir(parents=True, exist_ok=True)
        lock = open(directory / ".lock", "w")  # noqa: SIM115 (held open as long as the run)
    except OSError as error:
        raise UserError(
            f"Cannot write in {directory}: {error.strerror}. Choose another folder with --runs."
        ) from error
    with contextlib.suppress(ImportError):  # no fcntl on Windows: no lock there
        import fcntl

        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.close()
            raise UserError(
                f"Another process is working in {directory}. Wait for it, or choose another "
                "--runs folder."
            ) from error
    return lock
