"""Digests of the publishers' contents, which identify official files.

Digests are computed from the uncompressed contents, because archives are often recompressed; those
of .mat files are computed from the images. `data/checksums.json` lists the same digests. The digest
of Frey Face belongs to a rewritten copy with no known difference. Other contents are loaded as
well, and `Dataset.source` says that they differ.
"""

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Found:
    """Images read from files or from TensorFlow Datasets.

    Attributes:
        parts: dict of uint8 arrays `(n, height, width, channels)` by part.
        note: a phrase about their origin, for `Dataset.source`.
        verified: whether the content has the official digest.
    """

    parts: dict
    note: str
    verified: bool = False


def checked(parts, verified, more=""):
    """`Found` whose note tells whether the content is the official one; `more` is added to it."""
    note = "content verified" if verified else "content differs from the known digests"
    return Found(parts, note + more, verified)


CONTENTS = {
    "mnist": {
        "train-images-idx3-ubyte": "md5:6bbc9ace898e44ae57da46a324031adb",
        "t10k-images-idx3-ubyte": "md5:2646ac647ad5339dbf082846283269ea",
    },
    "fashion_mnist": {
        "train-images-idx3-ubyte": "md5:f4a8712d7a061bf5bd6d2ca38dc4d50a",
        "t10k-images-idx3-ubyte": "md5:8181f5470baa50b63fa0f6fddb340f0a",
    },
    "static_mnist": {
        "binarized_mnist_train.amat": "md5:db28b1a6ae0fe70cbd3da91acf46e477",
        "binarized_mnist_valid.amat": "md5:bf37822a04e94123630de6a7dfd9c9ef",
        "binarized_mnist_test.amat": "md5:14e41ae11040adba6ab8cb291eda0dd8",
    },
    "frey_faces": {
        "frey_rawface.mat": "sha256:"
        "2438ba4f0d2a6bd8bac43de756141eaa33c8d248dd613d464bdb1210d9b7af78",
    },
    "caltech101_silhouettes": {
        "caltech101_silhouettes_28_split1.mat": "sha256:"
        "6cd2b6081dc14b48a5dd5a49bd5c91af09df1e32e26110dbf3d161c64089199b",
    },
    "cifar10": {
        "data_batch_1": "md5:c99cafc152244af753f735de768cd75f",
        "data_batch_2": "md5:d4bba439e000b95fd0a9bffe97cbabec",
        "data_batch_3": "md5:54ebc095f3ab1f0389bbae665268c751",
        "data_batch_4": "md5:634d18415352ddfa80567beed471001a",
        "data_batch_5": "md5:482c414d41f54cd18b22e5b47cb7c3cb",
        "test_batch": "md5:40351d587109b95175f43aff81a1287e",
    },
    "celeba": {
        "list_eval_partition.txt": "md5:d32c9cbf5e040fd4025c592c306e6668",
    },
}


def is_official(dataset, name, *blocks):
    """Whether the bytes of `blocks`, concatenated, are the official content of `name`."""
    kind, expected = CONTENTS[dataset][name].split(":")
    digest = hashlib.new(kind, usedforsecurity=False)
    for block in blocks:
        digest.update(block)
    return digest.hexdigest() == expected
