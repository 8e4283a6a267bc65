"""Sets of images by name: dataset splits, folders, archives, arrays, saved statistics."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from vaekit import files
from vaekit.datasets import load
from vaekit.datasets.image_files import ARCHIVES, SUFFIXES, ImageStore, decode, stack
from vaekit.datasets.splits import PARTS
from vaekit.errors import UserError
from vaekit.fid.evaluate import dataset_split
from vaekit.fid.statistics import Statistics

SAMPLES = ("samples.npz", "samples.npy")  # files of a run's directory


class ImageFolder:
    """The images of a folder, zip or tar, decoded on access to keep memory small.

    `folder[indices]` is a uint8 array `(n, height, width, channels)`; all images need one shape.
    """

    def __init__(self, path):
        self._store = ImageStore(path)
        self._names = sorted(self._store.names)
        if not self._names:
            raise UserError(
                f"{path} contains no images. Expected files ending in {', '.join(SUFFIXES)}."
            )
        self._shape = self._decode(0).shape

    def __len__(self):
        return len(self._names)

    def __getitem__(self, indices):
        with ThreadPoolExecutor(4) as pool:
            if self._store.path.is_dir():
                images = list(pool.map(self._decode, indices))
            else:  # one reader per archive
                images = [self._decode(i) for i in indices]
        return stack(images, [self._names[i] for i in indices], self._shape)

    def _decode(self, i):
        name = self._names[i]
        return decode(self._store.read(name), name)


def open_source(name, default_split, data_dir=None):
    """Images or statistics by name.

    Args:
        name: folder, zip or tar of images; `.npy` or `.npz` of images (`FILE.npz:KEY` if it holds
            several arrays); `.npz` of saved statistics; a run's directory with `samples.npz`; or a
            dataset, "cifar10" or "cifar10:test".
        default_split: split of a dataset that is named without one.
        data_dir: data folder.
    Returns:
        (images or `Statistics`, identity): the identity is "" unless they are a dataset's split.
    Raises:
        UserError: nothing has that name, or it cannot be read.
    """
    path = Path(name).expanduser()
    if path.is_dir():
        return _open_folder(path), ""
    if path.is_file():
        return (ImageFolder(path) if path.name.endswith(ARCHIVES) else _open_array(path)), ""
    stem, _, key = name.rpartition(":")
    if stem.endswith(".npz") and Path(stem).is_file():
        return _open_array(Path(stem), key), ""
    dataset, split = (stem, key) if key in PARTS else (name, default_split)
    if "/" in dataset and not dataset.startswith("folder:"):
        raise UserError(f"{name} does not exist. Name a file, a folder or a dataset.")
    return dataset_split(load(dataset, data_dir), split)


def _open_folder(path):
    samples = next((path / s for s in SAMPLES if (path / s).exists()), None)
    if samples:
        return _open_array(samples)
    if (path / "config.json").exists():  # its pictures are grids, not images
        package = files.read_json(path / "config.json").get("package", "balancingvae")
        out = path / SAMPLES[0]
        raise UserError(
            f"{path} is a run without {SAMPLES[0]}. Create it with "
            f"`python -m {package} sample {path} --n 10000 --out {out}`."
        )
    return ImageFolder(path)


def _open_array(path, key=None):
    if path.suffix == ".npy":
        try:
            return np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise UserError(f"{path} is damaged or not a plain .npy file ({error}).") from error
    if path.suffix != ".npz":
        raise UserError(
            f"Expected a folder, or a file ending in {', '.join(ARCHIVES)}, .npy or .npz, got "
            f"{path}."
        )
    arrays = files.load_npz(path)
    if "covariance" in arrays and key is None:
        return Statistics.from_arrays(arrays, path)
    images = {k: v for k, v in arrays.items() if v.ndim == 4}
    if key in images:
        return images[key]
    if key is None and len(images) == 1:
        return next(iter(images.values()))
    raise UserError(
        f"Expected one array of images (n, height, width, channels) in {path}, got "
        f"{', '.join(images) or 'none'}." + (f" Name one as {path}:KEY." if images else "")
    )
