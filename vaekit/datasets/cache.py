"""Prepared arrays: `train.npy`, `validation.npy`, `test.npy` and their `prepared.json`."""

import hashlib
import os
import stat
from pathlib import Path

import numpy as np

from vaekit import files
from vaekit.datasets.splits import PARTS
from vaekit.errors import UserError

DESCRIPTION = "prepared.json"
ARRAY_KEYS = ("shape", "bytes", "sha256")
FULL_CHECK_BYTES = 1 << 30  # up to this size every load verifies the sha256 (about a second per GB)


def fingerprint(parts):
    """Hex sha256 over shapes and pixels of the three parts, in a fixed order."""
    digest = hashlib.sha256()
    for name in PARTS:
        array = parts[name]
        digest.update(f"{name} {array.shape} {array.dtype} ".encode())
        digest.update(np.ascontiguousarray(array))
    return digest.hexdigest()


def is_writable(folder):
    """Whether files can be created in a folder, existing or not, that is not marked read-only."""
    folder = Path(folder).absolute()
    while not folder.exists():
        folder = folder.parent
    # Root may write anywhere, so the mode bits decide: they tell what the owner intended.
    marked_writable = folder.stat().st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH)
    return folder.is_dir() and bool(marked_writable) and os.access(folder, os.W_OK)


def write(folder, parts, source, protocol, made_from):
    """Write the three arrays atomically, and then the description that makes them valid.

    Args:
        folder: of this dataset under this protocol.
        parts: dict of uint8 arrays `(n, height, width, channels)`.
        source: text for `Dataset.source`.
        protocol: dict of the options that these arrays depend on.
        made_from: dict from file name to size, to notice replaced files.
    """
    arrays = {}
    for name in PARTS:
        path = Path(folder) / f"{name}.npy"
        files.atomic_write(path, lambda file, name=name: np.save(file, parts[name]))
        arrays[name] = {
            "shape": parts[name].shape,
            "bytes": path.stat().st_size,
            "sha256": files.sha256(path),
        }
    description = {
        "source": source,
        "protocol": protocol,
        "made_from": made_from,
        "fingerprint": fingerprint(parts),
        "arrays": arrays,
    }
    files.write_json(Path(folder) / DESCRIPTION, description)


def describe(folder):
    """The description of prepared arrays, or None if there are none."""
    path = Path(folder) / DESCRIPTION
    if not path.is_file():
        return None
    description = files.read_json(path)
    wanted = ("source", "made_from", "fingerprint", "arrays")
    missing = [key for key in wanted if not isinstance(description, dict) or key not in description]
    if missing or not all(set(ARRAY_KEYS) <= set(_entry(description, name)) for name in PARTS):
        raise _damaged(path, "it is not a complete description of three arrays")
    return description


def read(folder, description, check_all=False):
    """The three arrays, memory-mapped and read-only.

    Sizes and shapes are always checked; sha256 digests too, up to FULL_CHECK_BYTES in total or with
    `check_all`.

    Raises:
        UserError: an array is missing, truncated or altered; the message names it.
    """
    arrays = description["arrays"]
    total = sum(arrays[name]["bytes"] for name in PARTS)
    check_all = check_all or total <= FULL_CHECK_BYTES
    return {
        name: _read_array(Path(folder) / f"{name}.npy", arrays[name], check_all) for name in PARTS
    }


def _entry(description, name):
    entry = description["arrays"].get(name) if isinstance(description["arrays"], dict) else None
    return entry if isinstance(entry, dict) else {}


def _read_array(path, expected, check_digest):
    if not path.is_file():
        raise _damaged(path, "it is missing")
    size = path.stat().st_size
    if size != expected["bytes"]:
        raise _damaged(path, f"expected {expected['bytes']} bytes, got {size}")
    if check_digest and files.sha256(path) != expected["sha256"]:
        raise _damaged(path, "its sha256 differs from the recorded one")
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise _damaged(path, str(error)) from error
    if array.dtype != np.uint8 or list(array.shape) != list(expected["shape"]):
        raise _damaged(
            path,
            f"expected uint8 of shape {expected['shape']}, got {array.dtype} of {[*array.shape]}",
        )
    return np.asarray(array)


def _damaged(path, what):
    return UserError(
        f"The prepared array {path} is damaged: {what}. "
        f"Delete the folder {path.parent} and run again; it is recreated from its source."
    )
