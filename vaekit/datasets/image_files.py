"""Image files in a folder, zip or tar, read one by one without unpacking an archive."""

import io
import os
import tarfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath

import numpy as np
from tqdm import tqdm

from vaekit.errors import UserError

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm")
ARCHIVES = (".tar", ".tar.gz", ".tgz", ".zip")
# Pillow's other readers are not used; its EPS reader, for example, starts an interpreter.
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM")
LARGEST_FILE = 1 << 28  # bytes of one image file; a larger one is a decompression bomb


class ImageStore:
    """The image files of a folder (nested), zip or tar: `names` in listing order, and `read`.

    It is a context manager. Names are relative POSIX paths.

    Raises:
        UserError: unreadable or truncated, or a member that points outside or is not a plain file.
    """

    def __init__(self, path):
        self.path = Path(path)
        self._archive, self._members = None, {}
        with self._readable():
            if self.path.is_dir():
                names = _folder_names(self.path)
            elif self.path.suffix == ".zip":
                names = self._open_zip()
            else:
                names = self._open_tar()
        self.names = [name for name in names if _is_image(name)]

    def read(self, name):
        """Bytes of one image file."""
        with self._readable():
            if self._archive is None:
                return (self.path / name).read_bytes()
            if isinstance(self._archive, zipfile.ZipFile):
                return self._archive.read(name)
            return self._archive.extractfile(self._members[name]).read()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._archive is not None:
            self._archive.close()

    def _open_zip(self):
        self._archive = zipfile.ZipFile(self.path)
        infos = [info for info in self._archive.infolist() if not info.is_dir()]
        for info in infos:
            self._check(info.filename, (info.external_attr >> 28) in (0, 8), info.file_size)
        return [info.filename for info in infos]

    def _open_tar(self):
        if self.path.suffix == ".tar":
            _check_tar_end(self.path)
        self._archive = tarfile.open(self.path)  # noqa: SIM115 (closed by __exit__)
        for member in self._archive:
            if not member.isdir():
                self._check(member.name, member.isreg(), member.size)
                self._members[member.name] = member
        return list(self._members)

    def _check(self, name, plain, size):
        parts = PurePosixPath(name.replace("\\", "/"))
        if parts.is_absolute() or ".." in parts.parts or ":" in "".join(parts.parts[:1]):
            raise UserError(
                f"{self.path} is refused: its member {name!r} points outside the archive."
            )
        if not plain:
            raise UserError(f"{self.path} is refused: its member {name!r} is not a plain file.")
        if size > LARGEST_FILE:
            raise UserError(
                f"{self.path} is refused: its member {name!r} has {size:,} bytes, more than "
                f"{LARGEST_FILE:,}."
            )

    def _readable(self):
        return _Readable(self.path)


class _Readable:
    """Turns all errors of reading a folder or archive into one UserError."""

    def __init__(self, path):
        self.path = path

    def __enter__(self):
        return self

    def __exit__(self, _, error, traceback):
        damage = (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError)
        if isinstance(error, FileNotFoundError):
            raise UserError(f"{error.filename} does not exist.") from error
        malformed = isinstance(error, ValueError) and not isinstance(error, UserError)
        if malformed or isinstance(error, (*damage, OSError)):
            raise UserError(
                f"{self.path} cannot be read: it is truncated, altered or not an archive of images "
                f"({error}). Download or create it again."
            ) from error


def decode(data, name, mode=None, prepare=None):
    """Pixels of one image file.

    Args:
        data: bytes of the file.
        name: name of the image for messages.
        mode: "L" or "RGB", to convert; by default "L" for grey files and "RGB" for all others.
        prepare: function from a Pillow image to a Pillow image (crop, resize).
    Returns:
        uint8 array `(height, width, channels)`.
    """
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            if image.mode.startswith(("I", "F")):
                raise ValueError(f"pixels of more than 8 bits, mode {image.mode}")
            if mode is None:
                mode = "L" if image.mode in ("1", "L", "LA") else "RGB"
            if image.mode != mode:
                image = image.convert(mode)
            pixels = np.asarray(prepare(image) if prepare else image)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise UserError(
            f"The image {name} cannot be read ({error}). Replace or remove it."
        ) from error
    return pixels if pixels.ndim == 3 else pixels[..., None]


def decode_all(store, names, decode_one, label):
    """Decode images of a store, reading the archive once from start to end.

    Args:
        store: an ImageStore.
        names: names of the images, in the order of the result.
        decode_one: function `(bytes, name)` to a uint8 array `(height, width, channels)`.
        label: text beside the progress bar.
    Returns:
        list of arrays in the order of `names`.
    """
    place = {name: index for index, name in enumerate(names)}
    wanted = [name for name in store.names if name in place]
    decoded = [None] * len(names)
    for name in tqdm(wanted, desc=label, unit="image", disable=None):
        decoded[place[name]] = decode_one(store.read(name), f"{name} in {store.path}")
    return decoded


def stack(images, names, image_shape=None):
    """Images of one shape as one array `(n, height, width, channels)`.

    Raises:
        UserError: an image has another shape than `image_shape` (by default that of the first).
    """
    image_shape = tuple(image_shape or images[0].shape)
    for pixels, name in zip(images, names, strict=True):
        if pixels.shape != image_shape:
            raise UserError(
                f"Expected images of shape {image_shape} (height, width, channels), got "
                f"{pixels.shape}: {name}."
            )
    return np.stack(images) if images else np.empty((0, *image_shape), np.uint8)


def _is_image(name):
    path = PurePosixPath(name)
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def _folder_names(path):
    """Relative names of all files, each folder in the order in which the system lists it."""
    return [
        (Path(folder) / file).relative_to(path).as_posix()
        for folder, _, files in os.walk(path)
        for file in files
    ]


def _check_tar_end(path):
    """A complete tar ends with 1024 zero bytes; tarfile does not notice if they are missing."""
    with open(path, "rb") as file:
        file.seek(max(0, path.stat().st_size - 1024))
        if any(file.read()):
            raise UserError(f"{path} is truncated: its end mark is missing. Download it again.")
