"""CelebA's faces: the parts of the dataset, crop and resize."""

from pathlib import Path, PurePosixPath

import numpy as np

from vaekit.datasets import official, prepare
from vaekit.datasets.image_files import ImageStore, decode, decode_all, stack
from vaekit.datasets.numeric import content
from vaekit.datasets.official import Found
from vaekit.datasets.splits import PARTS
from vaekit.errors import UserError

FACE_OPTIONS = {"size": 64, "resize": "bilinear", "split": "partition"}
PARTITION = "list_eval_partition.txt"
LISTING_ENDS = (162_770, 182_637)  # of 202,599: ends of train and validation in the original code
ALL_IMAGES = 202_599


def find_celeba(folder):
    """`[images, partition file]`, `[images]` without a partition file, or []."""
    folder = Path(folder)
    for name in ("img_align_celeba", "img_align_celeba.zip", "img_align_celeba.tar"):
        if (folder / name).exists():
            partition = folder / PARTITION
            return [folder / name, *([partition] if partition.is_file() else [])]
    return []


def celeba_from_files(paths, options):
    """The three parts of the available aligned images.

    Args:
        paths: the images, then the partition file (not needed for the split by listing order).
        options: `size`, `resize` ("bilinear" or "nearest"), and `split`: "partition" is the
            official one by sorted file name; "listing" uses the order in which the folder or
            archive lists its files, like the original code.
    Returns:
        `Found`.
    """
    parts = {}
    with ImageStore(paths[0]) as store:
        if options["split"] == "listing":
            names, note = by_listing(store.names), "split by listing order"
        else:
            names, note = _by_partition(store.names, paths)
        for part in PARTS:
            images = decode_all(store, names[part], face_decoder(options), f"celeba {part}")
            parts[part] = stack(images, names[part], (options["size"], options["size"], 3))
    count = sum(map(len, names.values()))
    whole = "all" if count == ALL_IMAGES else f"{count} of {ALL_IMAGES}"
    return Found(parts, f"{whole} images, {options['resize']}, {note}")


def face_decoder(options):
    """A function from bytes and name of an aligned image to its cropped and resized pixels."""
    return lambda data, name: decode(
        data,
        name,
        "RGB",
        lambda image: prepare.celeba_face(image, options["size"], options["resize"]),
    )


def face_from_pixels(pixels, options):
    """Crop and resize one aligned image, uint8 `(218, 178, 3)`."""
    from PIL import Image

    image = Image.fromarray(pixels)
    return np.asarray(prepare.celeba_face(image, options["size"], options["resize"]))


def by_listing(names):
    """Names by part, divided like the original code's listing; in proportion if incomplete."""
    first, second = (round(end * len(names) / ALL_IMAGES) for end in LISTING_ENDS)
    return {"train": names[:first], "validation": names[first:second], "test": names[second:]}


def _by_partition(names, paths):
    if len(paths) < 2:
        raise UserError(
            f"{paths[0].parent} lacks {PARTITION}, which assigns the images to train, validation "
            'and test. Put it beside the images, or load with split="listing".'
        )
    data = content(paths[1])
    part_of = read_partition(data, paths[1])
    by_part = {part: [] for part in PARTS}
    for name in sorted(names, key=lambda name: PurePosixPath(name).name):
        if (file := PurePosixPath(name).name) not in part_of:
            raise UserError(
                f"{paths[1]} does not list the image {name} of {paths[0]}. Use files of one "
                "release."
            )
        by_part[part_of[file]].append(name)
    if not by_part["train"]:
        raise UserError(f"{paths[0]} contains no image of the training part of CelebA. Add some.")
    known = official.is_official("celeba", PARTITION, data)
    return by_part, "official partition" if known else "a partition not known as official"


def read_partition(data, path):
    """Dict from file name to part; each line holds a name and 0, 1 or 2, the index in PARTS."""
    try:
        pairs = [line.split() for line in data.decode("ascii").splitlines() if line.strip()]
        return {name: PARTS[("0", "1", "2").index(number)] for name, number in pairs}
    except ValueError as error:
        raise UserError(
            f"{path} is truncated or altered: expected a file name and 0, 1 or 2 on each line "
            f"({error}). Download it again."
        ) from error
