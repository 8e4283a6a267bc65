"""A network of one's own in the two-stage VAE: dense layers in place of the ResNet."""

import dataclasses

import keras
from keras import layers

import balancingvae
from balancingvae import checkpoint, networks, train
from vaekit import datasets
from vaekit.runs import Run


def dense_encoder(config, dtype="float32"):
    """Images -> mean and log_std of z, each `(batch, latent_dim)`, float32."""
    images = keras.Input(config.image_shape)
    x = layers.Flatten()(images)
    x = layers.Dense(config.fc_dim, "relu", dtype=dtype)(x)
    mean = layers.Dense(config.latent_dim, dtype="float32")(x)
    log_std = layers.Dense(config.latent_dim, dtype="float32")(x)
    return keras.Model(images, [mean, log_std], name="encoder")


def dense_decoder(config, dtype="float32"):
    """z `(batch, latent_dim)` -> images in [0, 1], float32."""
    z = keras.Input((config.latent_dim,))
    x = layers.Dense(config.fc_dim, "relu", dtype=dtype)(z)
    height, width, channels = config.image_shape
    x = layers.Dense(height * width * channels, "sigmoid", dtype="float32")(x)
    return keras.Model(z, layers.Reshape(config.image_shape)(x), name="decoder")


def main(folder="runs/own_network", epochs=100):
    networks.NETWORKS["own"] = (dense_encoder, dense_decoder)
    config = dataclasses.replace(
        balancingvae.preset("digits"), network="own", epochs=epochs, epochs2=epochs
    )
    with Run(folder, checkpoint.describe(config)) as run:
        return train.train(config, datasets.load("digits"), run)
