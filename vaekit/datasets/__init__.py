"""Datasets: `load(name)` finds, prepares and splits images, and describes their source.

The names below are for use from outside, and also `binarize.binarize`. To add a dataset, see
`recipes.Recipe`.
"""

from dataclasses import dataclass, replace
from hashlib import sha256

import numpy as np

from vaekit.datasets import cache, resolve, splits
from vaekit.datasets.folder import FOLDER_OPTIONS, check_folder, load_folder
from vaekit.datasets.options import complete
from vaekit.datasets.recipes import RECIPES, digits_images
from vaekit.datasets.splits import PARTS
from vaekit.errors import UserError, check_positive_integer, closest

__all__ = ["NAMES", "Dataset", "load"]

NAMES = ("digits", *RECIPES)


@dataclass(frozen=True, repr=False, eq=False)
class Dataset:
    """Images in three parts.

    Attributes:
        name: as given to `load`.
        train, validation, test: read-only uint8 arrays `(n, height, width, channels)`, 0..255, or
            0 and 1 where the likelihood is "bernoulli". A part may be empty.
        likelihood: "bernoulli" or "discretized_logistic" (256 levels).
        source: files, protocol and origin, in words.
        fingerprint: hex sha256 of the three arrays; equal exactly if all pixels are equal.
    """

    name: str
    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    likelihood: str
    source: str
    fingerprint: str

    @property
    def image_shape(self):
        """`(height, width, channels)`."""
        return tuple(self.train.shape[1:])

    def take(self, train=None, test=None, seed=0):
        """The same dataset with a seeded choice of fewer images.

        Args:
            train, test: largest number of images of that part; None for all.
            seed: of the choice.
        Returns:
            Dataset whose fingerprint is derived from that of the whole dataset and the choice.
        """
        counts = {"train": train, "test": test}
        less = {p: n for p, n in counts.items() if n is not None and n < len(getattr(self, p))}
        if not less:
            return self
        said = ", ".join(f"{n} {part} images" for part, n in less.items())
        return replace(
            self,
            **{part: _limited(getattr(self, part), n, seed) for part, n in less.items()},
            source=f"{self.source}; {said}, chosen with seed {seed}",
            fingerprint=sha256(f"{self.fingerprint} {said} {seed}".encode()).hexdigest(),
        )

    def __repr__(self):
        counts = ", ".join(f"{part} {len(getattr(self, part)):,}" for part in PARTS)
        shape = " x ".join(map(str, self.image_shape))
        return (
            f"Dataset({self.name}: {counts} images of {shape}, {self.likelihood}; "
            f"{self.source}; {self.fingerprint[:12]})"
        )


def load(name, data_dir=None, *, split_seed=0, limit=None, check_all=False, **options):
    """Find, prepare and split a dataset.

    The search order is: arrays prepared earlier; the publisher's files in `<data_dir>/<name>/`;
    TensorFlow Datasets, or the publisher's download. Prepared arrays are kept beside the files, or
    in ./data if `data_dir` is read-only.

    Args:
        name: one of NAMES, or "folder:PATH" for your own images (folder, zip or tar).
        data_dir: the data folder; by default $VAE_DATA_DIR, else ./data.
        split_seed: seed of the split, if there is no official one, and of `limit`.
        limit: largest number of images of each part, chosen at random by the seed; for quick runs.
        check_all: verify the sha256 of prepared arrays of any size (always done up to 1 GB).
        **options: options of the dataset:
            mnist, fashion_mnist: `validation=10000` images held out of train;
            cifar10: `validation=0` likewise (an empty part by default, because the papers train on
                all 50,000), `jpeg=False`: True compresses the images once as JPEG (quality 75,
                4:2:0), unless the source holds JPEG files, which are never compressed twice;
            caltech101_silhouettes: `silhouette=1`, the value of the object's pixels, 0 in the file;
            celeba: `size=64`, `resize="bilinear"` or "nearest", `split="partition"` or "listing";
            folder:PATH: `image_size=None` to crop and resize, `channels=None` or 1 or 3.
    Returns:
        Dataset.
    Raises:
        UserError: unknown name or option, nothing found, or a damaged file.
    """
    if limit is not None:
        check_positive_integer("limit", limit)
    check_positive_integer("split_seed", split_seed, least=0)
    likelihood = "discretized_logistic"
    if name.startswith("folder:"):
        path = check_folder(name.removeprefix("folder:"))
        options = complete(name, FOLDER_OPTIONS, options)
        found = load_folder(path, options, split_seed, check_all, resolve.data_folder(data_dir))
    elif name == "digits":
        complete(name, {}, options)
        parts = splits.split(digits_images(), (200, 200), split_seed)
        found = parts, "scikit-learn's digits, seeded split", cache.fingerprint(parts)
    elif name in RECIPES:
        options = complete(name, RECIPES[name].options, options)
        folder = resolve.data_folder(data_dir)
        found = resolve.resolve(name, folder, options, split_seed, check_all)
        likelihood = RECIPES[name].likelihood
    else:
        raise UserError(f"Unknown dataset {name!r}. {closest(name, (*NAMES, 'folder:PATH'))}")
    parts, source, fingerprint = found
    if limit is not None:
        parts = {part: _limited(images, limit, split_seed) for part, images in parts.items()}
        source, fingerprint = f"{source}; limit {limit}", cache.fingerprint(parts)
    for images in parts.values():
        images.flags.writeable = False
    return Dataset(name, **parts, likelihood=likelihood, source=source, fingerprint=fingerprint)


def _limited(images, limit, seed):
    return images[splits.permutation(len(images), seed)[:limit]]
