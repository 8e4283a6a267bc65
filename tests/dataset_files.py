"""Small files in the publishers' formats, which the dataset tests load."""

import gzip
import pickle
import struct

import numpy as np
from PIL import Image

RNG = np.random.default_rng(0)


def write_idx(path, images):
    path.parent.mkdir(parents=True, exist_ok=True)
    data = struct.pack(">IIII", 2051, *images.shape[:3]) + images.tobytes()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)


def write_mnist(folder, train=6, test=4):
    images = RNG.integers(0, 256, (train + test, 28, 28, 1), dtype=np.uint8)
    write_idx(folder / "mnist" / "train-images-idx3-ubyte.gz", images[:train])
    write_idx(folder / "mnist" / "t10k-images-idx3-ubyte", images[train:])
    return images


def write_image(path, pixels, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)


def prepared(folder):
    return sorted(path.parent for path in folder.rglob("prepared.json"))


def write_cifar_batches(folder):
    images = RNG.integers(0, 256, (12, 32, 32, 3), dtype=np.uint8)
    folder.mkdir(parents=True)
    names = [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]
    for i, name in enumerate(names):
        pixels = np.ascontiguousarray(images[2 * i : 2 * i + 2].transpose(0, 3, 1, 2))
        (folder / name).write_bytes(pickle.dumps({b"data": pixels.reshape(2, 3072)}, 2))
    return images


def write_celeba(folder, numbers, partition=True):
    for number in numbers:
        pixels = np.full((218, 178, 3), number, np.uint8)
        write_image(folder / "img_align_celeba" / f"{number:06}.jpg", pixels)
    if partition:
        lines = [f"{i:06}.jpg {(0, 0, 1, 2)[i % 4]}\r\n" for i in range(100)]
        (folder / "list_eval_partition.txt").write_bytes("".join(lines).encode())
