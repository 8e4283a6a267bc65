"""The convolutional networks of Ghosh et al., "From Variational to Deterministic Autoencoders"."""

import math

import keras
from keras import layers

from balancingvae.families.plain import heads, sigmoid
from balancingvae.families.sizes import check_sides
from balancingvae.layers import BatchNorm

KERNEL = 4
SCALES = 4


def rae(config, dtype="float32"):
    """Four stride-2 convolutions, widths from 4 * base_dim (128 at base_dim 32), batch norm, ReLU.

    The decoder starts at a quarter of the sides with 32 * base_dim channels, doubles them twice
    and ends with a convolution of stride 1, as theirs for 32 x 32; both sides are multiples of 4.
    """
    check_sides("rae", config.image_shape, 4)
    height, width, channels = config.image_shape
    widths = [4 * config.base_dim * 2**level for level in range(SCALES)]
    x = images = keras.Input(config.image_shape, name="images")
    for level, dim in enumerate(widths):
        x = layers.Conv2D(dim, KERNEL, 2, "same", name=f"conv{level}", dtype=dtype)(x)
        x = _norm_relu(x, level, dtype)
    x = layers.Flatten(name="flat", dtype=dtype)(x)
    encoder = keras.Model(images, heads(x, config.latent_dim), name="encoder")
    z = keras.Input((config.latent_dim,), name="z")
    lowest = (height // 4, width // 4, widths[-1])
    x = layers.Dense(math.prod(lowest), name="fc0", dtype=dtype)(z)
    x = layers.Reshape(lowest, name="lowest", dtype=dtype)(x)
    x = _norm_relu(x, 0, dtype)
    for level, dim in enumerate(widths[-2:-4:-1], start=1):
        x = layers.Conv2DTranspose(dim, KERNEL, 2, "same", name=f"up{level}", dtype=dtype)(x)
        x = _norm_relu(x, level, dtype)
    x = layers.Conv2DTranspose(channels, KERNEL, 1, "same", name="conv_out", dtype=dtype)(x)
    return encoder, keras.Model(z, sigmoid(x), name="decoder")


def _norm_relu(x, index, dtype):
    x = BatchNorm(name=f"bn{index}", dtype=dtype)(x)
    return layers.ReLU(name=f"relu{index}", dtype=dtype)(x)
