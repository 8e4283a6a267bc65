"""Three ways to resize an image to the size of the network; the FID depends on the choice.

Bilinear interpolation is a product with one matrix per axis; it equals TensorFlow's up to float32
rounding.
"""

import functools

import numpy as np


def resize(images, size, method):
    """Resize images to `size` x `size`.

    Args:
        images: float32 array `(n, height, width, channels)`.
        size: pixels per side.
        method: "tf1_bilinear" (TF1's `resize_bilinear` with defaults: source coordinate is target
            index times height/size, no antialiasing), "bilinear" (half-pixel centres, no
            antialiasing: `tf.image.resize`, PyTorch's `interpolate`), or "clean" (Pillow's bicubic
            filter, widened for shrinking, on float channels: Parmar et al., 2022).
    Returns:
        float32 array `(n, size, size, channels)`.
    """
    if images.shape[1:3] == (size, size):
        return images
    if method == "clean":
        return _clean(images, size)
    n, height, width, channels = images.shape
    half_pixel = method == "bilinear"
    rows = bilinear_matrix(height, size, half_pixel)
    columns = bilinear_matrix(width, size, half_pixel)
    images = rows @ images.reshape(n, height, width * channels)
    return columns @ images.reshape(n, size, width, channels)


@functools.lru_cache(maxsize=16)
def bilinear_matrix(source, target, half_pixel):
    """Weights `(target, source)` of linear interpolation with clamped borders, two per row."""
    scale = np.float32(source / target)  # TensorFlow's coordinates are float32
    position = np.arange(target, dtype=np.float32)
    if half_pixel:
        position = (position + np.float32(0.5)) * scale - np.float32(0.5)
    else:
        position = position * scale
    low = np.floor(position)
    weight = (position - low).astype(np.float32)
    matrix = np.zeros((target, source), np.float32)
    index = np.arange(target)
    np.add.at(matrix, (index, np.clip(low, 0, source - 1).astype(int)), 1 - weight)
    np.add.at(matrix, (index, np.clip(low + 1, 0, source - 1).astype(int)), weight)
    return matrix


def _clean(images, size):
    from PIL import Image

    out = np.empty((len(images), size, size, images.shape[-1]), np.float32)
    for i, image in enumerate(images):
        for c in range(images.shape[-1]):
            channel = Image.fromarray(np.ascontiguousarray(image[..., c]))  # float32: mode F
            out[i, ..., c] = channel.resize((size, size), Image.Resampling.BICUBIC)
    return out
