"""From images to the input of a network: checks, rounding, resize, scaling."""

import numpy as np

from vaekit.errors import UserError
from vaekit.fid.resize import resize
from vaekit.images import compact_images


def prepare(images, protocol, extractor, generated=False, grey_to_rgb=False):
    """One batch for the extractor.

    Args:
        images: `(n, height, width, channels)`, uint8 0..255 or floats in [0, 1].
        protocol: `Protocol`.
        extractor: `Extractor`, whose `image_size`, `channels` and `scaled` describe its input.
        generated: whether the protocol's treatment of generated images applies.
        grey_to_rgb: repeat a single channel three times.
    Returns:
        float32 `(n, height, width, channels)`: in [0, 1] at the images' own size, or resized and
        scaled as the protocol says.
    Raises:
        UserError: wrong shape, dtype, range or number of channels.
    """
    levels = to_levels(images)
    if grey_to_rgb and levels.shape[-1] == 1:
        levels = np.repeat(levels, 3, axis=-1)
    _check_channels(levels.shape, extractor)
    if generated and protocol.stretch_generated:
        levels = stretch(levels)
    if protocol.round_uint8:
        levels = np.rint(levels)
    if extractor.image_size:
        levels = resize(levels, extractor.image_size, protocol.resize)
    if not extractor.scaled:
        return levels / np.float32(255)
    if protocol.scaling == "minus128":
        return (levels - np.float32(128)) / np.float32(128)
    return levels / np.float32(127.5) - np.float32(1)


def to_levels(images):
    """Images as float32 0..255; floats keep their fractions.

    Raises:
        UserError: wrong shape, dtype or range, NaN.
    """
    images = np.asarray(images)
    if images.ndim != 4:
        hint = " Add a channel axis: images[..., None]." if images.ndim == 3 else ""
        raise UserError(
            f"Expected images of shape (n, height, width, channels), got {images.shape}.{hint}"
        )
    images = compact_images(images, images.shape[1:])
    levels = images.astype(np.float32)
    return levels if images.dtype == np.uint8 else levels * np.float32(255)


def stretch(images):
    """Each image shifted and scaled to minimum 0 and maximum 255; a constant image becomes 0.

    Dai & Wipf's code does this to generated and reconstructed images, but not to real ones. (Their
    code divides by zero if an image is constant.)
    """
    axes = (1, 2, 3)
    low = images.min(axis=axes, keepdims=True)
    span = images.max(axis=axes, keepdims=True) - low
    return (images - low) / np.where(span > 0, span, 1) * np.float32(255)


def _check_channels(shape, extractor):
    channels = shape[-1]
    if extractor.channels in (None, channels):
        return
    message = (
        f"The extractor {extractor.name} expects images with {extractor.channels} channels, "
        f"got {channels}."
    )
    if channels == 1 and extractor.channels == 3:
        message += " Repeat grey images three times with --grey-to-rgb (grey_to_rgb=True)."
    raise UserError(message)
