"""Stride-2 convolutions without residual connections or batch norm."""

import dataclasses
import math

import keras
from keras import layers

from balancingvae.networks.base import PenalisedBuilder, heads, sigmoid
from balancingvae.networks.sizes import check_sides


@keras.saving.register_keras_serializable("balancingvae")
@dataclasses.dataclass(frozen=True)
class Conv(PenalisedBuilder):
    """`num_scale` stride-2 convolutions and ReLUs, and as many transposed ones in the decoder.

    Widths double from `base_dim` on. Both sides of an image must be multiples of 2^num_scale. One
    dense layer of width `fc_dim` connects convolutions and latents.

    Attributes:
        num_scale: number of convolutions in encoder and decoder each.
        kernel_size: of all convolutions.
        base_dim: channels of the first convolution.
        fc_dim: units of the dense layer.
        l2, l2_layers: see `PenalisedBuilder`.
    """

    num_scale: int = 3
    kernel_size: int = 3
    base_dim: int = 32
    fc_dim: int = 512

    def build(self, image_shape, latent_dim, dtype="float32"):
        check_sides("conv", image_shape, 2**self.num_scale)
        dims = [self.base_dim * 2**level for level in range(self.num_scale)]
        x = images = keras.Input(image_shape, name="images")
        for level, dim in enumerate(dims):
            name = f"downsample{level}"
            x = layers.Conv2D(dim, **self._strided("encoder", name, dtype))(x)
        lowest = tuple(x.shape[1:])
        x = layers.Flatten(name="flat", dtype=dtype)(x)
        x = layers.Dense(self.fc_dim, "relu", name="fc0", dtype=dtype)(x)
        encoder = keras.Model(images, heads(x, latent_dim), name="encoder")
        z = keras.Input((latent_dim,), name="z")
        x = layers.Dense(self.fc_dim, "relu", name="fc0", dtype=dtype)(z)
        x = layers.Dense(math.prod(lowest), "relu", name="fc1", dtype=dtype)(x)
        x = layers.Reshape(lowest, name="lowest", dtype=dtype)(x)
        for level, dim in enumerate(dims[::-1]):
            x = layers.Conv2DTranspose(dim, **self._strided("decoder", f"up{level}", dtype))(x)
        x = layers.Conv2D(
            image_shape[2], self.kernel_size, padding="same", name="conv_out", dtype=dtype
        )(x)
        return encoder, keras.Model(z, sigmoid(x), name="decoder")

    def _strided(self, part, name, dtype):
        return {
            "kernel_size": self.kernel_size,
            "strides": 2,
            "padding": "same",
            "activation": "relu",
            "kernel_regularizer": self.regularizer(part, name),
            "name": name,
            "dtype": dtype,
        }
