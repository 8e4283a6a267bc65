"""Dense layers in encoder and decoder, the simplest of the networks."""

import dataclasses
import math

import keras
from keras import layers

from balancingvae.networks.base import Builder, heads, sigmoid
from balancingvae.networks.sizes import check_sides


@keras.saving.register_keras_serializable("balancingvae")
@dataclasses.dataclass(frozen=True)
class Dense(Builder):
    """`depth` dense ReLU layers of `width` units in encoder and decoder each.

    Attributes:
        depth: number of hidden layers.
        width: their units.
    """

    depth: int = 3
    width: int = 512

    def build(self, image_shape, latent_dim, dtype="float32"):
        check_sides("dense", image_shape, 1)
        images = keras.Input(image_shape, name="images")
        x = layers.Flatten(name="flat", dtype=dtype)(images)
        x = self._hidden(x, dtype)
        encoder = keras.Model(images, heads(x, latent_dim), name="encoder")
        z = keras.Input((latent_dim,), name="z")
        x = self._hidden(z, dtype)
        x = layers.Dense(math.prod(image_shape), name="out", dtype=dtype)(x)
        x = layers.Reshape(image_shape, name="image", dtype=dtype)(x)
        return encoder, keras.Model(z, sigmoid(x), name="decoder")

    def _hidden(self, x, dtype):
        for index in range(self.depth):
            x = layers.Dense(self.width, "relu", name=f"fc{index}", dtype=dtype)(x)
        return x
