"""Files that are written completely or not at all, and their digests."""

import contextlib
import hashlib
import json
import os
import zipfile
from pathlib import Path

import numpy as np

from vaekit.errors import UserError


def atomic_write(path, write):
    """Call `write(file)` on a temporary binary file beside `path`, then rename it to `path`.

    A reader sees the old file or the new one, never a part of it. The data are flushed to disk
    before the rename, so that a crash cannot leave an empty file under the final name.

    Raises:
        UserError: the folder cannot be written or the disk is full; `path` is not changed.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(temporary, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise UserError(
            f"Cannot write {path}: {error.strerror or error}. "
            "Free disk space or choose a folder that you may write to; nothing was changed."
        ) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def write_text(path, text):
    """Write `text` atomically, as UTF-8."""
    atomic_write(path, lambda file: file.write(text.encode()))


def write_json(path, value):
    """Write `value` atomically as indented JSON; numpy values become numbers and lists."""
    write_text(path, json.dumps(value, indent=1, default=_plain) + "\n")


def read_json(path):
    """The value in a JSON file.

    Raises:
        UserError: the file is missing, or is not JSON.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(
            f"Cannot read {path}: {error.strerror}. Check the name and the permissions."
        ) from error
    except ValueError as error:
        raise UserError(
            f"{path} is damaged: it is not JSON ({error}). Restore it, or delete it and run again."
        ) from error


def save_npz(path, arrays):
    """Write a dict of arrays atomically as an uncompressed .npz file."""
    atomic_write(path, lambda file: np.savez(file, **arrays))


def load_npz(path):
    """Read every array of an .npz file into a dict; pickled objects are refused.

    Raises:
        UserError: the file is missing, damaged, or contains anything but plain arrays.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            return {key: file[key] for key in file.files}
    except FileNotFoundError as error:
        raise UserError(f"{path} does not exist. Check the name of the folder.") from error
    except (OSError, ValueError, EOFError, KeyError, AttributeError, zipfile.BadZipFile) as error:
        raise UserError(
            f"{path} is damaged or not a plain .npz file ({error}). "
            "Restore it from its source, or delete it and run again."
        ) from error


def sha256(path):
    """Hex sha256 of a file's bytes."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def _plain(value):
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"JSON cannot hold a {type(value).__name__}")
