"""The one door for images: what is accepted, how it is scaled, and the way back to eight bits.

uint8 means grey levels 0..255, bool means 0/1 pixels, floats lie in [0, 1]; the dtype decides, in
training, evaluation and inference alike. Models of 0/1 pixels also accept the numbers 0 and 1 in
any dtype.
"""

import keras
import numpy as np
from keras import ops

from vaekit.errors import UserError

ACCEPTED = "Accepted are uint8 0..255, bool, or floats in [0, 1]"
BLOCK = 1000  # images that are looked at together, so that a large array is never copied whole


def scaled(images, binary=False):
    """A tensor of images as float32 in [0, 1].

    Args:
        images: tensor `(batch, ...)`: uint8 0..255, bool, or floats in [0, 1].
        binary: whether pixels are 0/1 whatever their dtype, so that uint8 is not divided by 255.
    """
    levels = keras.backend.standardize_dtype(images.dtype) == "uint8" and not binary
    images = ops.cast(images, "float32")
    return images / 255.0 if levels else images


def check_images(images, image_shape, binary=False):
    """Images as float32 in [0, 1].

    Args:
        images: array `(n, height, width, channels)`: uint8 0..255, bool, or floats in [0, 1]; if
            `binary`, any numeric dtype whose only values are 0 and 1.
        image_shape: the `(height, width, channels)` that the model expects.
        binary: whether the model's pixels are 0/1.
    Returns:
        float32 array `(n, height, width, channels)` in [0, 1].
    Raises:
        UserError: wrong shape, dtype or range, NaN or infinite pixels, no images.
    """
    images = compact_images(images, image_shape, binary)
    levels = images.dtype == np.uint8
    images = images.astype(np.float32)
    return images / np.float32(255) if levels else images


def compact_images(images, image_shape, binary=False):
    """Checked images in the smallest dtype that says what they are; arguments as `check_images`.

    Returns:
        uint8 0..255, bool, or float32 in [0, 1], `(n, height, width, channels)`; the array itself
        where nothing has to change.
    """
    images = np.asarray(images)
    _check_shape(images.shape, tuple(image_shape))
    for start in range(0, len(images), BLOCK):
        _check_values(images[start : start + BLOCK], binary)
    if binary:
        return images.astype(bool, copy=False)
    if images.dtype == np.uint8 and images.max() == 1:
        raise UserError(
            "Expected uint8 images with grey levels 0..255, got only the values 0 and 1. Pass "
            "images.astype(bool) for 0/1 pixels, or 255 * images for black and white."
        )
    return images if images.dtype.kind in "bu" else images.astype(np.float32, copy=False)


def _check_values(images, binary):
    if images.dtype.kind not in "buif":
        raise UserError(f"Expected numeric images, got dtype {images.dtype}. {ACCEPTED}.")
    if images.dtype.kind == "f" and not np.isfinite(images).all():
        count = int((~np.isfinite(images)).sum())
        raise UserError(
            f"Expected finite pixels, got {count} of {images.size} that are NaN or infinite. "
            f"{ACCEPTED}."
        )
    if binary:
        _check_binary(images)
    elif images.dtype.kind == "f":
        low, high = float(images.min()), float(images.max())
        if low < 0 or high > 1:
            raise UserError(
                f"Expected float images in [0, 1], got values from {low:g} to {high:g}. "
                "Divide by 255 if they are 0..255."
            )
    elif images.dtype not in (np.uint8, np.bool_):
        raise UserError(
            f"Expected uint8, bool or float images, got {images.dtype}. {ACCEPTED}; convert with "
            "images.astype('uint8') if they are 0..255."
        )


def _check_shape(shape, image_shape):
    if len(shape) == 4 and shape[1:] == image_shape and shape[0] > 0:
        return
    wanted = "(n, " + ", ".join(map(str, image_shape)) + ")"
    message = f"Expected images of shape {wanted}, got {shape}."
    if shape == image_shape:
        message += " Add a batch axis: images[None]."
    elif len(shape) == 4 and shape[0] == 0:
        message = f"Expected images of shape {wanted} with n at least 1, got no images ({shape})."
    elif shape[1:] == image_shape[:2] and image_shape[2] == 1:
        message += " Add a channel axis: images[..., None]."
    elif shape[1:3] == image_shape[:2] and image_shape[2] == 3:
        message += " Repeat a grey image to three channels: np.repeat(images, 3, axis=-1)."
    raise UserError(message)


def _check_binary(images):
    if images.dtype == bool:
        return
    wrong = (images != 0) & (images != 1)
    if wrong.any():
        raise UserError(
            f"Expected pixels of exactly 0 or 1 for a Bernoulli likelihood, got "
            f"{int(wrong.sum())} of {images.size} that differ, such as {images[wrong].flat[0]}. "
            "Binarise the images (images > threshold), train with "
            "vampprior.Bernoulli(dynamic_binarization=True), or use a model with "
            'likelihood="discretized_logistic".'
        )


def to_uint8(images):
    """Float images in [0, 1] rounded to the nearest of 256 levels; values outside are clipped."""
    return np.rint(np.clip(images, 0, 1) * 255).astype(np.uint8)
