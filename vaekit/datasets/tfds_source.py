"""TensorFlow Datasets as a source; TensorFlow is imported only when this route is taken."""

from pathlib import Path

import numpy as np

from vaekit.datasets.download import Unavailable, require_network

# Name there, server that it downloads from, parts that it has.
SETS = {
    "mnist": ("mnist", "https://storage.googleapis.com", ("train", "test")),
    "fashion_mnist": (
        "fashion_mnist",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
        ("train", "test"),
    ),
    "static_mnist": (
        "binarized_mnist",
        "http://www.cs.toronto.edu",
        ("train", "validation", "test"),
    ),
    "cifar10": ("cifar10", "https://www.cs.toronto.edu", ("train", "test")),
    "celeba": ("celeb_a", "https://drive.google.com", ("train", "validation", "test")),
}


def read(name, folder, prepare=None):
    """All images of a dataset.

    Args:
        name: ours, a key of SETS.
        folder: where TensorFlow Datasets keeps its own cache.
        prepare: function applied to every image, uint8 `(height, width, channels)`.
    Returns:
        dict of uint8 arrays `(n, height, width, channels)` by part.
    Raises:
        Unavailable: not installed, no network, or the download failed.
    """
    tfds_name, server, wanted = SETS[name]
    # Its own attempts without a network last minutes; a half-made copy is not in such a folder.
    if not list((Path(folder) / tfds_name).glob("*.*.[0-9]/dataset_info.json")):
        require_network(server)
    try:
        import tensorflow_datasets as tfds
    except ImportError as error:
        raise Unavailable(
            f"TensorFlow Datasets cannot be imported ({error}); pip install tensorflow-datasets"
        ) from error
    try:
        builder = tfds.builder(tfds_name, data_dir=str(folder))
        builder.download_and_prepare()
        return {part: _images(tfds, builder, part, prepare) for part in wanted}
    except Exception as error:  # download, disk, checksum, protobuf: each has its own exceptions
        raise Unavailable(f"{tfds_name}: {type(error).__name__}: {error}") from error


def _images(tfds, builder, part, prepare):
    # Files in order, so that every machine gets the same order.
    examples = tfds.as_numpy(builder.as_dataset(split=part, shuffle_files=False))
    images = [example["image"] for example in examples]
    return np.stack([prepare(image) for image in images] if prepare else images)
