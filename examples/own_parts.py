"""An encoder, a decoder and a prior of your own, passed in as objects."""

import keras
import numpy as np
from keras import layers, ops
from sklearn.datasets import load_digits

import balancingvae
import vampprior


@keras.saving.register_keras_serializable("own_parts")
class Laplace(vampprior.Prior):
    """Independent Laplace latents with a trainable scale for each."""

    def build(self, input_shape):
        super().build(input_shape)
        self.log_scale = self.add_weight(shape=(self.latent_dim,), initializer="zeros")

    def log_prob(self, z):  # (batch, latent_dim) -> (batch,), nats
        absolute = ops.abs(z) * ops.exp(-self.log_scale)
        return -ops.sum(absolute + self.log_scale + np.log(2), axis=-1)

    def sample(self, n, seed=None):
        draws = np.random.default_rng(seed).laplace(size=(n, self.latent_dim))
        return np.float32(draws) * np.exp(self.log_scale.numpy())


def networks(last):
    images, z = keras.Input((8, 8, 1)), keras.Input((4,))
    x = layers.Flatten()(layers.Conv2D(16, 3, 2, "same", activation="relu")(images))
    encoder = keras.Model(images, [layers.Dense(4)(x), layers.Dense(4)(x)])  # mean, log_var
    y = layers.Reshape((4, 4, 16))(layers.Dense(256, "relu")(z))
    y = layers.Conv2DTranspose(1, 3, 2, "same", activation=last)(y)
    return encoder, keras.Model(z, y)


x = load_digits().images[..., None] / 16
encoder, decoder = networks(last=None)  # the Bernoulli likelihood expects logits
vae = vampprior.VAE(encoder=encoder, decoder=decoder, prior=Laplace(), likelihood="bernoulli")
vae.compile("adam")
vae.fit(x > 0.5, epochs=3, verbose=2)
one = balancingvae.BalancedVAE(*networks(last="sigmoid"), balance=balancingvae.LearnedGamma())
one.compile("adam")
one.fit(x, epochs=3, verbose=2)
print("gamma:", float(one.gamma), "scales:", np.exp(vae.prior.log_scale.numpy()))
