"""The WAE networks of Dai & Wipf (ICLR 2019): 5 x 5 convolutions with batch norm, no pooling."""

import dataclasses
import math

import keras
from keras import layers

from balancingvae.networks.base import Builder, heads, sigmoid
from balancingvae.networks.batch_norm import BatchNorm
from balancingvae.networks.sizes import check_sides

KERNEL = 5
SCALES = 4


@keras.saving.register_keras_serializable("balancingvae")
@dataclasses.dataclass(frozen=True)
class WAE(Builder):
    """Widths double from 4 * base_dim (128 for the published base_dim of 32) to 32 * base_dim.

    Dai & Wipf's decoder supports 64 x 64 x 3 only. Ours starts at an eighth of the sides, which is
    8 x 8 for 64 x 64, so both sides must be multiples of 8.

    Attributes:
        base_dim: a quarter of the first convolution's channels.
    """

    base_dim: int = 32

    def build(self, image_shape, latent_dim, dtype="float32"):
        check_sides("wae", image_shape, 2 ** (SCALES - 1))
        widths = [4 * self.base_dim * 2**level for level in range(SCALES)]
        x = images = keras.Input(image_shape, name="images")
        for level, width in enumerate(widths):
            stride = 2 if level else 1
            name = f"conv{level}"
            x = layers.Conv2D(width, KERNEL, stride, "same", name=name, dtype=dtype)(x)
            x = _norm_relu(x, level + 1, dtype)
        lowest = tuple(x.shape[1:])
        x = layers.Flatten(name="flat", dtype=dtype)(x)
        encoder = keras.Model(images, heads(x, latent_dim), name="encoder")
        z = keras.Input((latent_dim,), name="z")
        x = layers.Dense(math.prod(lowest), "relu", name="fc0", dtype=dtype)(z)
        x = layers.Reshape(lowest, name="lowest", dtype=dtype)(x)
        for level, width in enumerate(widths[-2::-1]):
            x = _up(x, width, 2, f"conv{level}", dtype)
            x = _norm_relu(x, level + 1, dtype)
        x = _up(x, image_shape[2], 1, f"conv{SCALES - 1}", dtype)
        return encoder, keras.Model(z, sigmoid(x), name="decoder")


def _norm_relu(x, index, dtype):
    x = BatchNorm(name=f"bn{index}", dtype=dtype)(x)
    return layers.ReLU(name=f"relu{index}", dtype=dtype)(x)


def _up(x, width, stride, name, dtype):
    return layers.Conv2DTranspose(width, KERNEL, stride, "same", name=name, dtype=dtype)(x)
