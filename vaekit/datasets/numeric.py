"""Arrays of images from the numeric formats of the publishers: idx, amat and mat."""

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np

from vaekit.errors import UserError

IDX_IMAGES = 2051  # idx magic: unsigned bytes, three dimensions
DOWNLOAD_AGAIN = "Download the file again from its publisher."


def content(path):
    """The uncompressed bytes of a file, gzipped (by its first bytes) or not.

    Raises:
        UserError: unreadable, or a gzip file that is truncated or altered.
    """
    try:
        data = Path(path).read_bytes()
        return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UserError(f"{path} is truncated or damaged ({error}). {DOWNLOAD_AGAIN}") from error
    except OSError as error:
        raise UserError(f"Cannot read {path}: {error.strerror or error}.") from error


def idx_images(data, path):
    """Images of an idx file, as MNIST and Fashion-MNIST are published.

    Args:
        data: uncompressed bytes: big-endian magic 2051, count, rows, columns, then pixels.
        path: path of the file for messages.
    Returns:
        uint8 array `(n, rows, columns, 1)`.
    """
    if len(data) < 16 or struct.unpack(">I", data[:4])[0] != IDX_IMAGES:
        raise UserError(
            f"Expected an idx file of images in {path}, which starts with 00000803 (labels: "
            f"00000801), got {data[:4].hex() or 'an empty file'}. {DOWNLOAD_AGAIN}"
        )
    shape = struct.unpack(">III", data[4:16])
    if len(data) - 16 != math.prod(shape):
        raise UserError(
            f"{path} is truncated or altered: expected {math.prod(shape)} bytes ({shape[0]} images "
            f"of {shape[1]} x {shape[2]}), got {len(data) - 16}. {DOWNLOAD_AGAIN}"
        )
    return np.frombuffer(data, np.uint8, offset=16).reshape(*shape, 1)


def amat_images(data, path, height=28, width=28):
    """Binary images of an amat file: one image per line, pixels 0 or 1 separated by spaces.

    Returns:
        uint8 array `(n, height, width, 1)` of 0 and 1.
    """
    pixels = np.frombuffer(data.translate(None, b" \t\r\n"), np.uint8) - ord("0")
    if pixels.size == 0 or pixels.max() > 1:
        raise UserError(f"Expected 0 and 1 separated by spaces in {path}. {DOWNLOAD_AGAIN}")
    lines = data.rstrip().count(b"\n") + 1
    if pixels.size != lines * height * width:
        raise UserError(
            f"{path} is truncated or altered: expected {height * width} pixels on each line, got "
            f"{pixels.size} pixels on {lines} lines. {DOWNLOAD_AGAIN}"
        )
    return pixels.reshape(-1, height, width, 1)


def mat_arrays(path, names):
    """Named uint8 arrays of a MATLAB file (version 5 to 7; nothing in it is executed).

    Returns:
        list of two-dimensional uint8 arrays, in the order of `names`.
    """
    from scipy.io import loadmat

    try:
        variables = loadmat(path, variable_names=list(names))
    except Exception as error:  # scipy's parser raises many kinds of exception
        raise UserError(
            f"{path} is truncated, altered or not a MATLAB file ({type(error).__name__}: {error}). "
            f"{DOWNLOAD_AGAIN}"
        ) from error
    arrays = [variables.get(name) for name in names]
    for name, array in zip(names, arrays, strict=True):
        if not isinstance(array, np.ndarray) or array.dtype != np.uint8 or array.ndim != 2:
            raise UserError(
                f"{path} contains no two-dimensional uint8 array named {name}. {DOWNLOAD_AGAIN}"
            )
    return arrays
