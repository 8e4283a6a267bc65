"""A prior of one's own in the MLP VAE: a mixture whose components share one variance."""

import dataclasses

from keras import layers, ops

import vampprior
from vaekit import datasets
from vaekit.runs import Run
from vampprior import checkpoint, presets, priors, train


class SharedVariance(layers.Layer):
    """K trainable means, one trainable variance per latent; `means` and `log_vars` are asked for,
    each `(num_components, latent_dim)`."""

    def __init__(self, num_components, latent_dim, seed=None):
        super().__init__(name="components")
        shape = (num_components, latent_dim)
        self.means = self.add_weight(name="means", shape=shape, initializer="random_normal")
        self.shared = self.add_weight(name="shared", shape=(1, latent_dim), initializer="zeros")
        self.built = True

    @property
    def log_vars(self):
        return ops.broadcast_to(self.shared, self.means.shape)


def main(folder="runs/own_prior", epochs=100):
    presets.PRIORS += ("shared_variance",)
    priors.MIXTURES["shared_variance"] = SharedVariance
    config = dataclasses.replace(
        vampprior.PRESETS["digits_mixture"], prior="shared_variance", epochs=epochs
    )
    data = train.prepare(config, datasets.load("digits"))
    with Run(folder, checkpoint.describe(config)) as run:
        return train.train(config, data, run)
