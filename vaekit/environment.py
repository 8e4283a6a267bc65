"""The environment of a run: command, versions, hardware and revision, for environment.json."""

import contextlib
import importlib.metadata
import os
import platform
import re
import shlex
import subprocess
import sys
from pathlib import Path

ENVIRONMENT = "environment.json"
LIBRARIES = ("keras", "tensorflow", "tensorflow-cpu", "jax", "torch", "numpy", "scipy", "pillow")
# Options that name folders of one machine; the last one accepts several.
PLACES, SOURCES = ("--data-dir", "--runs", "--report"), "--continue-from"


def environment():
    """Everything on which a result depends besides the configuration, as a dict for JSON."""
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
    """A command as another person would type it, without the folders of this machine."""
    program = rf"^\S*(__main__\.py|{re.escape(package)})(?= |$)"
    command = re.sub(program, f"python -m {package}", command)
    places, value = "|".join(PLACES), r"('[^']*'|[^\s-]\S*)"
    command = re.sub(rf" (?:{places})(?:=| ){value}", "", command)
    return re.sub(rf" {SOURCES}(?:(?:=| ){value})+", "", command)


def hardware():
    """The processor, its available cores, and the GPUs, in words."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    model = platform.processor() or platform.machine()
    with contextlib.suppress(OSError, StopIteration):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        model = next(x.split(":", 1)[1].strip() for x in lines if x.startswith("model name"))
    return f"{model}, {cores} core{'s' if cores > 1 else ''}" + _gpu_names()


def _gpu_names():
    # Libraries that are not imported yet are not needed for this run.
    jax, torch = sys.modules.get("jax"), sys.modules.get("torch")
    tf, names = sys.modules.get("tensorflow"), []
    if jax is not None and jax.default_backend() == "gpu":
        names = [device.device_kind for device in jax.devices()]
    elif torch is not None and torch.cuda.is_available():
        names = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    elif tf is not None:
        details = tf.config.experimental.get_device_details
        gpus = tf.config.list_physical_devices("GPU")
        names = [details(gpu).get("device_name", "GPU") for gpu in gpus]
    return "".join(f", {name}" for name in names)


def _git_revision():
    root = Path(__file__).resolve().parent.parent
    if not (root / ".git").exists():
        return None
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12"]
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        return subprocess.run(command, capture_output=True, text=True, timeout=10).stdout.strip()
    return None
