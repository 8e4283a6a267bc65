"""The InfoGAN-like networks of Dai & Wipf (ICLR 2019), their default: spectral norm in the encoder.

Layers have the names of the variable scopes in that code.
"""

import dataclasses
import math

import keras
from keras import initializers, layers, ops

from balancingvae.networks.base import Builder, sigmoid
from balancingvae.networks.batch_norm import BatchNorm
from balancingvae.networks.sizes import check_sides
from balancingvae.networks.spectral import SpectralConv2D, SpectralDense

DEVIATION = 0.02  # of all initial kernels
SMALLEST_STD = 1e-6


@keras.saving.register_keras_serializable("balancingvae")
@dataclasses.dataclass(frozen=True)
class InfoGAN(Builder):
    """Two 4 x 4 convolutions of stride 2 and a dense layer, mirrored in the decoder.

    Sides must be multiples of 4. Widths are 4 * base_dim, 8 * base_dim and 2 * fc_dim; with the
    published 16 and 512 these are 64, 128 and 1024.

    Attributes:
        base_dim: a quarter of the first convolution's channels.
        fc_dim: half of the dense layer's units.
    """

    base_dim: int = 16
    fc_dim: int = 512

    def build(self, image_shape, latent_dim, dtype="float32"):
        check_sides("infogan", image_shape, 4)
        return (
            self._encoder(image_shape, latent_dim, dtype),
            self._decoder(image_shape, latent_dim, dtype),
        )

    def _encoder(self, image_shape, latent_dim, dtype):
        x = images = keras.Input(image_shape, name="images")
        for index, width in enumerate(self._widths(), start=1):
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
        x = SpectralDense(2 * self.fc_dim, kernel_initializer=_normal(), name="fc3", dtype=dtype)(x)
        x = _leaky(BatchNorm(name="bn3", dtype=dtype)(x), "leaky3", dtype)
        x = SpectralDense(
            2 * latent_dim, kernel_initializer=_normal(), name="en4", dtype="float32"
        )(x)
        return keras.Model(images, MeanAndLogVar(name="split", dtype="float32")(x), name="encoder")

    def _decoder(self, image_shape, latent_dim, dtype):
        height, width, channels = image_shape
        widths = self._widths()
        lowest = (height // 4, width // 4, widths[-1])
        x = z = keras.Input((latent_dim,), name="z")
        for index, units in ((1, 2 * self.fc_dim), (2, math.prod(lowest))):
            x = layers.Dense(units, kernel_initializer=_normal(), name=f"fc{index}", dtype=dtype)(x)
            x = _norm_relu(x, index, dtype)
        x = layers.Reshape(lowest, name="lowest", dtype=dtype)(x)
        x = _norm_relu(_up(x, widths[0], "conv3", dtype), 3, dtype)
        return keras.Model(z, sigmoid(_up(x, channels, "conv4", dtype)), name="decoder")

    def _widths(self):
        return 4 * self.base_dim, 8 * self.base_dim


@keras.saving.register_keras_serializable("balancingvae")
class MeanAndLogVar(layers.Layer):
    """`(batch, 2 d)` -> mean (the first half) and log sigma^2, sigma = 1e-6 + softplus(rest)."""

    def call(self, x):
        mean, raw = ops.split(x, 2, axis=-1)
        return mean, 2.0 * ops.log(SMALLEST_STD + ops.softplus(raw))


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
