"""One recipe per dataset: which files it takes, what is done to them, how they are split."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from vaekit.datasets import find, official, prepare, splits
from vaekit.datasets.celeba import FACE_OPTIONS, celeba_from_files, find_celeba
from vaekit.datasets.cifar_batches import BATCHES, batch_files, batch_images
from vaekit.datasets.image_files import ImageStore, decode, decode_all, stack
from vaekit.datasets.numeric import amat_images, content, idx_images, mat_arrays
from vaekit.errors import UserError


@dataclass(frozen=True)
class Recipe:
    """How to make a dataset.

    Attributes:
        takes: the publishers' files that are taken, in words.
        find: function from the dataset's folder to a list of paths, empty where nothing is found.
        read: function `(paths, options)` to `(parts, notes)`: a dict of uint8 arrays
            `(n, height, width, channels)` by part, and a sentence about them.
        divide: function `(parts, options, split_seed)` to the three parts.
        likelihood: "bernoulli" for 0/1 pixels, "discretized_logistic" for 256 levels.
        counts: images that each part must have as read; an empty dict where any number will do.
        options: what can be chosen, with its default.
        seeded: whether `divide` uses the seed.
        url: the publisher's single file, for a set that TensorFlow Datasets lacks.
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


def as_published(parts, options, split_seed):
    """The official three parts."""
    return parts


def with_held_out_validation(parts, options, split_seed):
    """The official train and test; `validation` images of train are held out."""
    train, validation = splits.hold_out(parts["train"], options["validation"], split_seed)
    return {"train": train, "validation": validation, "test": parts["test"]}


def seeded_split(validation, test):
    """A divide function for a set without an official split."""
    return lambda parts, options, split_seed: splits.split(
        parts["all"], (validation, test), split_seed
    )


def digits_images():
    """scikit-learn's handwritten digits: uint8 `(1797, 8, 8, 1)`, levels 0..16 made 0..255."""
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
                raise UserError(f"{path} holds images of {parts[part].shape[1:3]}, not 28 x 28.")
            verified &= official.is_official(dataset, stem, data)
        return parts, _verified(verified)

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
    return parts, _verified(verified)


def _read_frey_faces(paths, options):
    (frames,) = mat_arrays(paths[0], ["ff"])
    if frames.shape[0] != 28 * 20:
        raise UserError(f"{paths[0]}: ff has shape {frames.shape}; (560, 1965) is taken.")
    # One column per frame, its 28 rows of 20 pixels one after the other.
    images = np.ascontiguousarray(frames.T).reshape(-1, 28, 20, 1)
    return {"all": images}, _verified(
        official.is_official("frey_faces", "frey_rawface.mat", images)
    )


def _read_caltech(paths, options):
    arrays = mat_arrays(paths[0], ["train_data", "val_data", "test_data"])
    parts = {}
    for part, array in zip(splits.PARTS, arrays, strict=True):
        if array.shape[1] != 784 or array.max(initial=0) > 1:
            raise UserError(f"{paths[0]}: {part} is no array (n, 784) of 0 and 1.")
        # Stored column by column: without the transposition silhouettes lie on their side.
        parts[part] = np.ascontiguousarray(array.reshape(-1, 28, 28).transpose(0, 2, 1))[..., None]
    verified = official.is_official(
        "caltech101_silhouettes", "caltech101_silhouettes_28_split1.mat", *parts.values()
    )
    # The file has object 0 and background 1.
    if options["silhouette"] == 1:
        parts = {part: 1 - array for part, array in parts.items()}
    return parts, _verified(verified) + f"; object {options['silhouette']}"


def _read_cifar10(paths, options):
    path = paths[0]
    if not (path.is_dir() or path.name.startswith("cifar-10-")) or (path / "train").is_dir():
        parts, note = _image_tree(path, (32, 32, 3))
        # A second compression would be none of the papers' data.
        return parts, note + ("; JPEG round trip: done by the source" if options["jpeg"] else "")
    batches = batch_files(path)
    verified = all(official.is_official("cifar10", name, batches[name]) for name in BATCHES)
    images = [batch_images(batches[name], f"{path}: {name}") for name in BATCHES]
    parts = {"train": np.concatenate(images[:5]), "test": np.ascontiguousarray(images[5])}
    return jpeg_if_wanted(parts, options, _verified(verified))


def jpeg_if_wanted(parts, options, note):
    """CIFAR-10's uncompressed parts, through one JPEG round trip where the option asks for it."""
    if not options["jpeg"]:
        return parts, note
    parts = {part: prepare.jpeg_round_trip(images) for part, images in parts.items()}
    return parts, note + "; JPEG round trip, quality 75, 4:2:0"


def _image_tree(path, image_shape):
    """Train and test parts from images laid out as train/... and test/... (sorted by name)."""
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
    return parts, "JPEG images, no official pixels" if jpeg else "images, not verified"


def _verified(official_content):
    return official.VERIFIED if official_content else "content differs from the known digests"


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
    ),
    "celeba": Recipe(
        takes="img_align_celeba as folder, .zip or .tar, with list_eval_partition.txt",
        find=find_celeba,
        read=celeba_from_files,
        divide=as_published,
        likelihood="discretized_logistic",
        options=FACE_OPTIONS,
        seeded=False,
    ),
}
