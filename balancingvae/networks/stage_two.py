"""The networks of the second stage: dense layers, concatenated with their input."""

import dataclasses

import keras
from keras import layers

from balancingvae.networks.base import Builder, heads


@keras.saving.register_keras_serializable("balancingvae")
@dataclasses.dataclass(frozen=True)
class StageTwo(Builder):
    """`depth` dense ReLU layers of `width` units in each network. Dai & Wipf (ICLR 2019).

    The features are concatenated after the input, so that the heads see z itself.

    Attributes:
        depth: number of hidden layers.
        width: their units.
    """

    depth: int = 3
    width: int = 2048

    def build(self, latent_dim, dtype="float32"):
        """New `(encoder, decoder)` of latents z `(batch, latent_dim)`.

        Returns:
            encoder: z -> mean and log_var of u, each `(batch, latent_dim)`; decoder: u -> z_hat
            `(batch, latent_dim)`; float32.
        """
        z = keras.Input((latent_dim,), name="z")
        encoder = keras.Model(z, heads(self._features(z, dtype), latent_dim), name="encoder")
        u = keras.Input((latent_dim,), name="u")
        x = self._features(u, dtype)
        z_hat = layers.Dense(latent_dim, name="z_hat", dtype="float32")(x)
        return encoder, keras.Model(u, z_hat, name="decoder")

    def _features(self, x, dtype):
        y = x
        for index in range(self.depth):
            y = layers.Dense(self.width, "relu", name=f"fc{index}", dtype=dtype)(y)
        return layers.Concatenate(name="skip", dtype="float32")([x, y])
