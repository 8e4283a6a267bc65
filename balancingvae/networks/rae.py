"""The convolutional networks of Ghosh et al., "From Variational to Deterministic Autoencoders".

As in their published code, images enter as 2 x - 1, the decoder's dense layer has no activation,
and batch norm has Keras' decay 0.99 and epsilon 1e-3.
"""

import dataclasses
import math

import keras
from keras import layers

from balancingvae.networks.base import PenalisedBuilder, heads, sigmoid
from balancingvae.networks.batch_norm import BatchNorm
from balancingvae.networks.sizes import check_sides

SCALES = 4
# For images larger than 32 pixels, such as CelebA's, kernels are larger and first maps smaller.
SMALL_SIDE = 32


@keras.saving.register_keras_serializable("balancingvae")
@dataclasses.dataclass(frozen=True)
class RAE(PenalisedBuilder):
    """Four stride-2 convolutions, widths from 4 * base_dim (128 at base_dim 32), batch norm, ReLU.

    The decoder starts at a quarter of the sides, with 32 * base_dim channels, and doubles the sides
    twice. Above 32 pixels it starts at an eighth and doubles them three times. Its last layer is a
    convolution of stride 1.

    Attributes:
        base_dim: a quarter of the first convolution's channels.
        l2, l2_layers: see `PenalisedBuilder`; "up" layers are the decoder's inner ones.
    """

    base_dim: int = 32

    def build(self, image_shape, latent_dim, dtype="float32"):
        height, width, channels = image_shape
        small = max(height, width) <= SMALL_SIDE
        kernel, doublings = (4, 2) if small else (5, 3)
        check_sides("rae", image_shape, 2**doublings)
        widths = [4 * self.base_dim * 2**level for level in range(SCALES)]
        x = images = keras.Input(image_shape, name="images")
        if small:
            x = layers.Rescaling(2.0, -1.0, name="signed", dtype=dtype)(x)
        for level, dim in enumerate(widths):
            x = layers.Conv2D(dim, kernel, 2, "same", name=f"conv{level}", dtype=dtype)(x)
            x = _norm_relu(x, level, dtype)
        x = layers.Flatten(name="flat", dtype=dtype)(x)
        encoder = keras.Model(images, heads(x, latent_dim), name="encoder")
        z = keras.Input((latent_dim,), name="z")
        lowest = (height // 2**doublings, width // 2**doublings, widths[-1])
        x = layers.Dense(math.prod(lowest), name="fc0", dtype=dtype)(z)
        x = layers.Reshape(lowest, name="lowest", dtype=dtype)(x)
        for level, dim in enumerate(widths[-2::-1][:doublings]):
            penalty = self.regularizer("decoder", f"up{level}")
            x = layers.Conv2DTranspose(
                dim, kernel, 2, "same", kernel_regularizer=penalty, name=f"up{level}", dtype=dtype
            )(x)
            x = _norm_relu(x, level, dtype)
        x = layers.Conv2DTranspose(channels, kernel, 1, "same", name="conv_out", dtype=dtype)(x)
        return encoder, keras.Model(z, sigmoid(x), name="decoder")


def _norm_relu(x, index, dtype):
    x = BatchNorm(0.99, 1e-3, name=f"bn{index}", dtype=dtype)(x)
    return layers.ReLU(name=f"relu{index}", dtype=dtype)(x)
