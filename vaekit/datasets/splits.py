"""Seeded splits, which depend only on the number of images and the seed."""

import numpy as np

from vaekit.errors import UserError

PARTS = ("train", "validation", "test")


def permutation(count, seed):
    """A fixed random order of `count` images: int64 array `(count,)`."""
    return np.random.Generator(np.random.PCG64(seed)).permutation(count)


def split(images, sizes, seed):
    """Divide `images` at random into train, validation and test.

    Args:
        images: array `(n, height, width, channels)`.
        sizes: numbers of images in validation and in test; all others are for training.
        seed: of the permutation.
    Returns:
        dict of the three arrays.
    Raises:
        UserError: no images would be left to train on.
    """
    validation, test = sizes
    train = len(images) - validation - test
    if train < 1 or validation < 0 or test < 0:
        raise UserError(
            f"{len(images)} images cannot be divided into {validation} for validation, {test} for "
            "test and at least one for training. Choose a smaller validation part or add images."
        )
    order = permutation(len(images), seed)
    return {
        "train": images[order[:train]],
        "validation": images[order[train : train + validation]],
        "test": images[order[train + validation :]],
    }


def hold_out(train, count, seed):
    """Hold out `count` images of `train` for validation; the others keep their order.

    Returns:
        `(train, validation)`; with count 0, `train` itself and an empty array.
    """
    if not 0 <= count < len(train):
        raise UserError(
            f"validation must be an integer from 0 to {len(train) - 1} for {len(train)} training "
            f"images, got {count}."
        )
    if count == 0:
        return train, train[:0]
    chosen = permutation(len(train), seed)[-count:]
    kept = np.ones(len(train), bool)
    kept[chosen] = False
    return train[kept], train[chosen]
