"""One recipe per dataset: its files, how they are read, and how the images are split."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from vaekit.datasets import find, official, prepare, splits
from vaekit.datasets.celeba import FACE_OPTIONS, celeba_from_files, face_from_pixels, find_celeba
from vaekit.datasets.cifar_batches import BATCHES, batch_files, batch_images
from vaekit.datasets.image_files import ImageStore, decode, decode_all, stack
from vaekit.datasets.numeric import amat_images, content, idx_images, mat_arrays
from vaekit.datasets.official import Found, checked
from vaekit.errors import UserError


@dataclass(frozen=True)
class Recipe:
    """How to make a dataset.

    Attributes:
        takes: the accepted files of the publisher, in words.
        find: function from the dataset's folder to a list of paths, empty if nothing is found.
        read: function `(paths, options)` to `Found`, with arrays by part.
        divide: function `(parts, options, split_seed)` to the three parts.
        likelihood: "bernoulli" for 0/1 pixels, "discretized_logistic" for 256 levels.
        counts: number of images that each part must have when read; empty if any number will do.
        options: dict of the options and their defaults.
        seeded: whether `divide` uses the seed.
        url: the publisher's single file, for a set that TensorFlow Datasets lacks.
        tfds_pixels: function `(pixels, options)` to the pixels of one image of TensorFlow Datasets.
        tfds_found: function `(found, options)` to the `Found` of TensorFlow Datasets' images.
    """

    takes: str
    find: Callable
    read: Callable
    divide: Callable
    likelihood: str
    counts: dict = field(default_factory=dict)
    options: dict = field(default_factory=dict)
    seeded: bool = True
    url: str | None = None
    tfds_pixels: Callable | None = None
    tfds_found: Callable | None = None


def as_published(parts, options, split_seed):
    """The official three parts."""
    return parts


def with_held_out_validation(parts, options, split_seed):
    """The official train and test, where `validation` images of train are held out."""
    train, validation = splits.hold_out(parts["train"], options["validation"], split_seed)
    return {"train": train, "validation": validation, "test": parts["test"]}


def seeded_split(validation, test):
    """A `divide` function for a set without an official split."""
    return lambda parts, options, split_seed: splits.split(
        parts["all"], (validation, test), split_seed
    )


def digits_images():
    """scikit-learn's handwritten digits: uint8 `(1797, 8, 8, 1)`, levels 0..16 scaled to 0..255."""
    from sklearn.datasets import load_digits

    return np.rint(load_digits().images * (255 / 16)).astype(np.uint8)[..., None]


def _mnist(dataset):
    stems = {"train": "train-images-idx3-ubyte", "test": "t10k-images-idx3-ubyte"}

    def read(paths, options):
        if len(paths) == 1:
            return _image_tree(paths[0], (28, 28, 1))
        parts, verified = {}, True
        for (part, stem), path in zip(stems.items(), paths, strict=True):
            data = content(path)
            parts[part] = idx_images(data, path)
            if parts[part].shape[1:] != (28, 28, 1):
                raise UserError(
                    f"Expected images of 28 x 28 in {path}, got {parts[part].shape[1:3]}."
                )
            verified &= official.is_official(dataset, stem, data)
        return checked(parts, verified)

    return Recipe(
        takes="train-images-idx3-ubyte and t10k-images-idx3-ubyte, each plain or .gz; "
        "or images as train/..., test/... in folders or one tar or zip",
        find=lambda folder: (
            find.files(folder, list(stems.values()), (".gz",)) or find.image_tree(folder)
        ),
        read=read,
        divide=with_held_out_validation,
        likelihood="discretized_logistic",
        counts={"train": 60_000, "test": 10_000},
        options={"validation": 10_000},
    )


def _read_static_mnist(paths, options):
    parts, verified = {}, True
    for part, path in zip(splits.PARTS, paths, strict=True):
        data = content(path)
        parts[part] = amat_images(data, path)
        verified &= official.is_official("static_mnist", path.name.removesuffix(".gz"), data)
    return checked(parts, verified)


def _read_frey_faces(paths, options):
    (frames,) = mat_arrays(paths[0], ["ff"])
    if frames.shape[0] != 28 * 20:
        raise UserError(
            f"Expected an array ff of shape (560, 1965) in {paths[0]}, got {frames.shape}."
        )
    # Each column is a frame: its 28 rows of 20 pixels, concatenated.
    images = np.ascontiguousarray(frames.T).reshape(-1, 28, 20, 1)
    verified = official.is_official("frey_faces", "frey_rawface.mat", images)
    return checked({"all": images}, verified)


def _read_caltech(paths, options):
    arrays = mat_arrays(paths[0], ["train_data", "val_data", "test_data"])
    parts = {}
    for part, array in zip(splits.PARTS, arrays, strict=True):
        if array.shape[1] != 784 or array.max(initial=0) > 1:
            raise UserError(f"Expected an array (n, 784) of 0 and 1 for {part} in {paths[0]}.")
        # Stored column by column: without the transposition the silhouettes lie on their side.
        parts[part] = np.ascontiguousarray(array.reshape(-1, 28, 28).transpose(0, 2, 1))[..., None]
    verified = official.is_official(
        "caltech101_silhouettes", "caltech101_silhouettes_28_split1.mat", *parts.values()
    )
    # In the file the object is 0 and the background 1.
    if options["silhouette"] == 1:
        parts = {part: 1 - array for part, array in parts.items()}
    return checked(parts, verified, f"; object {options['silhouette']}")


def _read_cifar10(paths, options):
    path = paths[0]
    if not (path.is_dir() or path.name.startswith("cifar-10-")) or (path / "train").is_dir():
        found = _image_tree(path, (32, 32, 3))
        # A second compression would not give the data of the papers.
        more = "; JPEG round trip: done by the source" if options["jpeg"] else ""
        return replace(found, note=found.note + more)
    batches = batch_files(path)
    verified = all(official.is_official("cifar10", name, batches[name]) for name in BATCHES)
    images = [batch_images(batches[name], f"{path}: {name}") for name in BATCHES]
    parts = {"train": np.concatenate(images[:5]), "test": np.ascontiguousarray(images[5])}
    return _jpeg_if_selected(checked(parts, verified), options)


def _jpeg_if_selected(found, options):
    """CIFAR-10's uncompressed parts, compressed once as JPEG if the option is set."""
    if not options["jpeg"]:
        return found
    parts = {part: prepare.jpeg_round_trip(images) for part, images in found.parts.items()}
    return Found(parts, found.note + "; JPEG round trip, quality 75, 4:2:0", found.verified)


def _zeros_and_ones(found, options):
    return replace(
        found, parts={part: np.minimum(images, 1) for part, images in found.parts.items()}
    )


def _image_tree(path, image_shape):
    """Train and test parts from images in train/... and test/..., sorted by name."""
    mode = "L" if image_shape[-1] == 1 else "RGB"
    parts = {}
    with ImageStore(path) as store:
        for part in ("train", "test"):
            names = sorted(name for name in store.names if part in name.split("/")[:-1])
            images = decode_all(
                store, names, lambda data, name: decode(data, name, mode), f"{path.name} {part}"
            )
            parts[part] = stack(images, names, image_shape)
        jpeg = all(name.lower().endswith((".jpg", ".jpeg")) for name in store.names)
    return Found(parts, "JPEG images, no official pixels" if jpeg else "images, not verified")


RECIPES = {
    "mnist": _mnist("mnist"),
    "fashion_mnist": _mnist("fashion_mnist"),
    "static_mnist": Recipe(
        takes="binarized_mnist_train.amat, binarized_mnist_valid.amat and "
        "binarized_mnist_test.amat, each plain or .gz",
        find=lambda folder: find.files(
            folder,
            [f"binarized_mnist_{part}.amat" for part in ("train", "valid", "test")],
            (".gz",),
        ),
        read=_read_static_mnist,
        divide=as_published,
        likelihood="bernoulli",
        counts={"train": 50_000, "validation": 10_000, "test": 10_000},
        seeded=False,
        tfds_found=_zeros_and_ones,
    ),
    "frey_faces": Recipe(
        takes="frey_rawface.mat",
        find=lambda folder: find.files(folder, ["frey_rawface.mat"]),
        read=_read_frey_faces,
        divide=seeded_split(200, 200),
        likelihood="discretized_logistic",
        counts={"all": 1_965},
        url="https://cs.nyu.edu/~roweis/data/frey_rawface.mat",
    ),
    "caltech101_silhouettes": Recipe(
        takes="caltech101_silhouettes_28_split1.mat",
        find=lambda folder: find.files(folder, ["caltech101_silhouettes_28_split1.mat"]),
        read=_read_caltech,
        divide=as_published,
        likelihood="bernoulli",
        counts={"train": 4_100, "validation": 2_264, "test": 2_307},
        options={"silhouette": 1},
        seeded=False,
        url="https://people.cs.umass.edu/~marlin/data/caltech101_silhouettes_28_split1.mat",
    ),
    "cifar10": Recipe(
        takes="cifar-10-python.tar.gz or the folder cifar-10-batches-py unpacked from it; "
        "or images as train/..., test/... in folders or one tar or zip",
        find=lambda folder: find.cifar_batches(folder) or find.image_tree(folder),
        read=_read_cifar10,
        divide=with_held_out_validation,
        likelihood="discretized_logistic",
        counts={"train": 50_000, "test": 10_000},
        options={"validation": 0, "jpeg": False},
        tfds_found=_jpeg_if_selected,
    ),
    "celeba": Recipe(
        takes="img_align_celeba as folder, .zip or .tar, with list_eval_partition.txt",
        find=find_celeba,
        read=celeba_from_files,
        divide=as_published,
        likelihood="discretized_logistic",
        options=FACE_OPTIONS,
        seeded=False,
        tfds_pixels=face_from_pixels,
    ),
}
