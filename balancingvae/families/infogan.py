"""The InfoGAN-like networks of Dai & Wipf (ICLR 2019), their default: spectral norm in the encoder.

Layers carry the names of their variable scopes.
"""

import math

import keras
from keras import initializers, layers, ops

from balancingvae.families.plain import sigmoid
from balancingvae.families.sizes import check_sides
from balancingvae.families.spectral import SpectralConv2D, SpectralDense
from balancingvae.layers import BatchNorm

DEVIATION = 0.02  # of all initial kernels
SMALLEST_STD = 1e-6


def infogan(config, dtype="float32"):
    """Two 4 x 4 convolutions of stride 2 and a dense layer, and back; sides in multiples of 4.

    Widths are 4 and 8 * base_dim, and 2 * fc_dim: 64, 128 and 1024 at the published 16 and 512.
    """
    check_sides("infogan", config.image_shape, 4)
    return _encoder(config, dtype), _decoder(config, dtype)


def _encoder(config, dtype):
    x = images = keras.Input(config.image_shape, name="images")
    for index, width in enumerate(_widths(config), start=1):
        x = SpectralConv2D(
            width,
            4,
            2,
            "same",
            kernel_initializer=initializers.TruncatedNormal(stddev=DEVIATION),
            name=f"conv{index}",
            dtype=dtype,
        )(x)
        if index > 1:
            x = BatchNorm(name=f"bn{index}", dtype=dtype)(x)
        x = _leaky(x, f"leaky{index}", dtype)
    x = layers.Flatten(name="flat", dtype=dtype)(x)
    x = SpectralDense(2 * config.fc_dim, kernel_initializer=_normal(), name="fc3", dtype=dtype)(x)
    x = _leaky(BatchNorm(name="bn3", dtype=dtype)(x), "leaky3", dtype)
    x = SpectralDense(
        2 * config.latent_dim, kernel_initializer=_normal(), name="en4", dtype="float32"
    )(x)
    return keras.Model(images, MeanAndStd(name="split", dtype="float32")(x), name="encoder")


def _decoder(config, dtype):
    height, width, channels = config.image_shape
    widths = _widths(config)
    lowest = (height // 4, width // 4, widths[-1])
    x = z = keras.Input((config.latent_dim,), name="z")
    for index, units in ((1, 2 * config.fc_dim), (2, math.prod(lowest))):
        x = layers.Dense(units, kernel_initializer=_normal(), name=f"fc{index}", dtype=dtype)(x)
        x = _norm_relu(x, index, dtype)
    x = layers.Reshape(lowest, name="lowest", dtype=dtype)(x)
    x = _norm_relu(_up(x, widths[0], "conv3", dtype), 3, dtype)
    return keras.Model(z, sigmoid(_up(x, channels, "conv4", dtype)), name="decoder")


class MeanAndStd(layers.Layer):
    """`(batch, 2 d)` -> mean, the first half, and log(1e-6 + softplus) of the second half."""

    def call(self, x):
        mean, raw = ops.split(x, 2, axis=-1)
        return mean, ops.log(SMALLEST_STD + ops.softplus(raw))


def _widths(config):
    return 4 * config.base_dim, 8 * config.base_dim


def _normal():
    return initializers.RandomNormal(stddev=DEVIATION)


def _leaky(x, name, dtype):
    return layers.LeakyReLU(negative_slope=0.2, name=name, dtype=dtype)(x)


def _norm_relu(x, index, dtype):
    x = BatchNorm(name=f"bn{index}", dtype=dtype)(x)
    return layers.ReLU(name=f"relu{index}", dtype=dtype)(x)


def _up(x, width, name, dtype):
    return layers.Conv2DTranspose(
        width, 4, 2, "same", kernel_initializer=_normal(), name=name, dtype=dtype
    )(x)
