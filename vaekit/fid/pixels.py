"""From images as they come to what a network takes: range checks, rounding, resize, scaling."""

import numpy as np

from vaekit.errors import UserError
from vaekit.fid.resize import resize
from vaekit.images import TAKEN, check_images


def prepare(images, protocol, extractor, generated=False, grey_to_rgb=False):
    """One batch for the extractor.

    Args:
        images: `(n, height, width, channels)`, uint8 0..255 or floats in [0, 1].
        protocol: `Protocol`.
        extractor: its `image_size`, `channels` and `scaled` say what it takes.
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
        UserError: no `(n, height, width, channels)`, another dtype or range, NaN.
    """
    images = np.asarray(images)
    if images.ndim != 4:
        hint = " Add a channel axis: images[..., None]." if images.ndim == 3 else ""
        raise UserError(
            f"Images of shape {images.shape} came; taken is (n, height, width, channels).{hint}"
        )
    if images.dtype != np.uint8:
        return check_images(images, images.shape[1:]) * np.float32(255)
    if images.size and images.max() == 1:
        raise UserError(
            f"uint8 images that hold only 0 and 1 came. {TAKEN}; give binary images as floats "
            "(images.astype('float32')), or they count as black."
        )
    return images.astype(np.float32)


def stretch(images):
    """Each image moved and scaled to minimum 0 and maximum 255; a constant image becomes 0.

    Dai & Wipf's code does this to generated and reconstructed images, not to real ones. (There a
    constant image divides by zero.)
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
        f"Images with {channels} channel(s) came; {extractor.name} takes {extractor.channels}."
    )
    if channels == 1 and extractor.channels == 3:
        message += " Repeat grey images to three channels with --grey-to-rgb (grey_to_rgb=True)."
    raise UserError(message)
