"""What counts as an image at the public door, and the way back to eight bits."""

import numpy as np

from vaekit.errors import UserError

TAKEN = "Taken are uint8 0..255 or floats in [0, 1]"


def check_images(images, image_shape, binary=False):
    """Images as float32 in [0, 1], or an error that says what came and what is taken.

    Args:
        images: array `(n, height, width, channels)`, uint8 0..255 or floats in [0, 1]; if `binary`
            any numeric or boolean dtype whose only values are 0 and 1.
        image_shape: the `(height, width, channels)` that the model takes.
        binary: whether the model's likelihood is over 0/1 pixels.
    Returns:
        float32 array `(n, height, width, channels)` in [0, 1].
    Raises:
        UserError: wrong shape, dtype or range, NaN or infinite pixels, no images, grey for RGB.
    """
    images = np.asarray(images)
    _check_shape(images.shape, tuple(image_shape))
    if images.dtype.kind not in "buif":
        raise UserError(f"Images of dtype {images.dtype} came. {TAKEN}.")
    if images.dtype.kind == "f" and not np.isfinite(images).all():
        count = int((~np.isfinite(images)).sum())
        raise UserError(f"{count} of {images.size} pixels are NaN or infinite. {TAKEN}.")
    if binary:
        return _check_binary(images)
    if images.dtype == np.uint8:
        return images.astype(np.float32) / np.float32(255)
    if images.dtype.kind != "f":
        raise UserError(
            f"Images of dtype {images.dtype} came. {TAKEN}; convert with images.astype('uint8') "
            "if they are 0..255."
        )
    low, high = float(images.min()), float(images.max())
    if low < 0 or high > 1:
        raise UserError(
            f"Float images with values from {low:g} to {high:g} came. {TAKEN}; "
            "divide by 255 if they are 0..255."
        )
    return images.astype(np.float32)


def _check_shape(shape, image_shape):
    if len(shape) == 4 and shape[1:] == image_shape and shape[0] > 0:
        return
    wanted = "(n, " + ", ".join(map(str, image_shape)) + ")"
    message = f"Images of shape {shape} came; this model takes {wanted}."
    if shape == image_shape:
        message += " Add a batch axis: images[None]."
    elif len(shape) == 4 and shape[0] == 0:
        message = f"No images came (shape {shape}); this model takes {wanted} with n at least 1."
    elif shape[1:] == image_shape[:2] and image_shape[2] == 1:
        message += " Add a channel axis: images[..., None]."
    elif shape[1:3] == image_shape[:2] and image_shape[2] == 3:
        message += " Repeat a grey image to three channels: np.repeat(images, 3, axis=-1)."
    raise UserError(message)


def _check_binary(images):
    wrong = (images != 0) & (images != 1)
    if wrong.any():
        example = images[wrong].flat[0]
        raise UserError(
            f"A Bernoulli likelihood takes pixels of exactly 0 or 1; {int(wrong.sum())} of "
            f"{images.size} differ, {example} for one. Binarise the images "
            "(images > threshold), or use a model with the discretised logistic likelihood."
        )
    return images.astype(np.float32)


def to_uint8(images):
    """Float images in [0, 1] rounded to the nearest of 256 levels; values outside are clipped."""
    return np.rint(np.clip(images, 0, 1) * 255).astype(np.uint8)
