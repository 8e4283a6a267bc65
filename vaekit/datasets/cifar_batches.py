"""CIFAR-10's Python batches: pickles, read without executing anything in them."""

import io
import pickle
import tarfile
from pathlib import Path

import numpy as np

from vaekit.errors import UserError

BATCHES = (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch")
DOWNLOAD_AGAIN = "Download it again from the CIFAR page."


class _Dtype:
    """Replaces numpy.dtype: it remembers its name and ignores everything else."""

    def __init__(self, name, *_):
        self.name = name

    def __setstate__(self, state):
        pass


class _Array:
    """Replaces numpy.ndarray: it accepts unsigned bytes and their shape, and nothing else."""

    values = None

    def __setstate__(self, state):
        _, shape, dtype, fortran, raw = state
        if isinstance(raw, str):
            raw = raw.encode("latin1")
        if not isinstance(dtype, _Dtype) or dtype.name not in ("u1", b"u1"):
            raise pickle.UnpicklingError("an array that is not of unsigned bytes")
        self.values = np.frombuffer(raw, np.uint8).reshape(shape, order="F" if fortran else "C")


def _latin1(text, encoding):
    """Replaces _codecs.encode, with which Python 3 writes bytes in protocol 2."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"a text in {encoding}")
    return text.encode("latin1")


# Only replacements: even the constructors of numpy would trust the content of a pickle.
_ALLOWED = {
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Dtype,
    ("numpy.core.multiarray", "_reconstruct"): lambda *_: _Array(),
    ("numpy._core.multiarray", "_reconstruct"): lambda *_: _Array(),
    ("_codecs", "encode"): _latin1,
}


class _BatchUnpickler(pickle.Unpickler):
    def find_class(self, module, name):
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"it uses {module}.{name}, which no CIFAR batch needs")
        return _ALLOWED[module, name]


def batch_images(data, name):
    """Images of one pickled batch.

    Args:
        data: bytes of the pickle, written by Python 2 (as published) or 3.
        name: name of the batch for messages.
    Returns:
        uint8 array `(n, 32, 32, 3)`.
    Raises:
        UserError: the pickle holds anything but an array of bytes, or is damaged.
    """
    try:
        batch = _BatchUnpickler(io.BytesIO(data), encoding="latin1").load()
        pixels = batch.get("data", batch.get(b"data")).values
        return pixels.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    except Exception as error:  # a damaged pickle fails in many ways
        raise UserError(
            f"{name} is not a CIFAR-10 batch ({error}). Nothing in it was executed. "
            f"{DOWNLOAD_AGAIN}"
        ) from error


def batch_files(path):
    """Bytes of the six batches, from `cifar-10-python.tar.gz` or its unpacked folder.

    Returns:
        dict from batch name to bytes, in the order of BATCHES.
    """
    path = Path(path)
    found = _folder_files(path) if path.is_dir() else _tar_files(path)
    missing = [name for name in BATCHES if name not in found]
    if missing:
        raise UserError(f"{path} lacks {', '.join(missing)}. {DOWNLOAD_AGAIN}")
    return {name: found[name] for name in BATCHES}


def _folder_files(path):
    return {name: (path / name).read_bytes() for name in BATCHES if (path / name).is_file()}


def _tar_files(path):
    found = {}
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                name = member.name.rsplit("/", 1)[-1]
                if name in BATCHES and member.isreg():
                    found[name] = archive.extractfile(member).read()
    except (tarfile.TarError, EOFError, OSError, ValueError) as error:
        raise UserError(f"{path} is truncated or damaged ({error}). {DOWNLOAD_AGAIN}") from error
    return found
