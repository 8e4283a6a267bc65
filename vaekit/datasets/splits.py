"""Seeded splits: they depend on the number of images and the seed, on nothing else."""

import numpy as np

from vaekit.errors import UserError

PARTS = ("train", "validation", "test")


def permutation(count, seed):
    """A fixed order of `count` images: int64 array `(count,)`."""
    return np.random.Generator(np.random.PCG64(seed)).permutation(count)


def split(images, sizes, seed):
    """Divide `images` at random into train, validation and test.

    Args:
        images: array `(n, height, width, channels)`.
        sizes: images in validation and in test; the rest is for training.
        seed: of the permutation.
    Returns:
        dict of the three arrays.
    Raises:
        UserError: nothing would be left to train on.
    """
    validation, test = sizes
    train = len(images) - validation - test
    if train < 1 or validation < 0 or test < 0:
        raise UserError(
            f"{len(images)} images cannot be divided into {validation} for validation, {test} for "
            "test and at least one for training. Ask for a smaller validation part or add images."
        )
    order = permutation(len(images), seed)
    return {
        "train": images[order[:train]],
        "validation": images[order[train : train + validation]],
        "test": images[order[train + validation :]],
    }


def hold_out(train, count, seed):
    """Take `count` images of `train` for validation; the order of the rest is kept.

    Returns:
        `(train, validation)`; with count 0 the first is `train` itself and the second is empty.
    """
    if not 0 <= count < len(train):
        raise UserError(
            f"validation={count} came; with {len(train)} training images it takes 0 to "
            f"{len(train) - 1}."
        )
    if count == 0:
        return train, train[:0]
    chosen = permutation(len(train), seed)[-count:]
    kept = np.ones(len(train), bool)
    kept[chosen] = False
    return train[kept], train[chosen]
