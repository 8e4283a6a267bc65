"""TensorFlow Datasets as a source; TensorFlow is imported only if this source is used."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vaekit.network import Unavailable, require_network


@dataclass(frozen=True)
class TfdsSet:
    """A dataset of TensorFlow Datasets.

    Attributes:
        name: its name there.
        server: address from which it is downloaded.
        parts: names of its parts.
    """

    name: str
    server: str
    parts: tuple = ("train", "test")


THREE_PARTS = ("train", "validation", "test")
SETS = {
    "mnist": TfdsSet("mnist", "https://storage.googleapis.com"),
    "fashion_mnist": TfdsSet(
        "fashion_mnist", "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com"
    ),
    "static_mnist": TfdsSet("binarized_mnist", "http://www.cs.toronto.edu", THREE_PARTS),
    "cifar10": TfdsSet("cifar10", "https://www.cs.toronto.edu"),
    "celeba": TfdsSet("celeb_a", "https://drive.google.com", THREE_PARTS),
}


def read(name, folder, prepare=None):
    """All images of a dataset.

    Args:
        name: our name, a key of SETS.
        folder: where TensorFlow Datasets keeps its own cache.
        prepare: function applied to every image, uint8 `(height, width, channels)`.
    Returns:
        dict of uint8 arrays `(n, height, width, channels)` by part.
    Raises:
        Unavailable: not installed, no network, or the download failed.
    """
    found = SETS[name]
    # Without a network it retries for minutes; only a complete copy has such a folder.
    if not list((Path(folder) / found.name).glob("*.*.[0-9]/dataset_info.json")):
        require_network(found.server)
    try:
        import tensorflow_datasets as tfds
    except ImportError as error:
        raise Unavailable(
            f"TensorFlow Datasets cannot be imported ({error}); pip install tensorflow-datasets"
        ) from error
    try:
        builder = tfds.builder(found.name, data_dir=str(folder))
        builder.download_and_prepare()
        return {part: _images(tfds, builder, part, prepare) for part in found.parts}
    except Exception as error:  # download, disk, checksum, protobuf: each has its own exceptions
        raise Unavailable(f"{found.name}: {type(error).__name__}: {error}") from error


def _images(tfds, builder, part, prepare):
    # Files are read in order, so that every machine gets the same order.
    examples = tfds.as_numpy(builder.as_dataset(split=part, shuffle_files=False))
    images = [example["image"] for example in examples]
    return np.stack([prepare(image) for image in images] if prepare else images)
