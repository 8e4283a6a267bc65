"""Two plain families: dense layers, and convolutions without residual connections or batch norm."""

import math

import keras
from keras import layers

from balancingvae.families.sizes import check_sides


def dense(config, dtype="float32"):
    """`num_scale` dense ReLU layers of width `fc_dim` on either side."""
    check_sides("dense", config.image_shape, 1)
    images = keras.Input(config.image_shape, name="images")
    x = layers.Flatten(name="flat", dtype=dtype)(images)
    x = _dense_layers(x, config, dtype)
    encoder = keras.Model(images, heads(x, config.latent_dim), name="encoder")
    z = keras.Input((config.latent_dim,), name="z")
    x = _dense_layers(z, config, dtype)
    x = layers.Dense(math.prod(config.image_shape), name="out", dtype=dtype)(x)
    x = layers.Reshape(config.image_shape, name="image", dtype=dtype)(x)
    return encoder, keras.Model(z, sigmoid(x), name="decoder")


def conv(config, dtype="float32"):
    """`num_scale` stride-2 convolutions and ReLUs, widths doubling from `base_dim`, and back.

    Both sides of an image must be multiples of 2^num_scale; one dense layer of width `fc_dim` lies
    between convolutions and latents.
    """
    check_sides("conv", config.image_shape, 2**config.num_scale)
    dims = [config.base_dim * 2**level for level in range(config.num_scale)]
    kernel = config.kernel_size
    x = images = keras.Input(config.image_shape, name="images")
    for level, dim in enumerate(dims):
        x = layers.Conv2D(
            dim, kernel, 2, "same", activation="relu", name=f"downsample{level}", dtype=dtype
        )(x)
    lowest = tuple(x.shape[1:])
    x = layers.Flatten(name="flat", dtype=dtype)(x)
    x = layers.Dense(config.fc_dim, "relu", name="fc0", dtype=dtype)(x)
    encoder = keras.Model(images, heads(x, config.latent_dim), name="encoder")
    z = keras.Input((config.latent_dim,), name="z")
    x = layers.Dense(config.fc_dim, "relu", name="fc0", dtype=dtype)(z)
    x = layers.Dense(math.prod(lowest), "relu", name="fc1", dtype=dtype)(x)
    x = layers.Reshape(lowest, name="lowest", dtype=dtype)(x)
    for level, dim in enumerate(dims[::-1]):
        x = layers.Conv2DTranspose(
            dim, kernel, 2, "same", activation="relu", name=f"up{level}", dtype=dtype
        )(x)
    x = layers.Conv2D(config.image_shape[2], kernel, padding="same", name="conv_out", dtype=dtype)(
        x
    )
    return encoder, keras.Model(z, sigmoid(x), name="decoder")


def heads(x, latent_dim):
    """The two linear heads of every encoder: `[mean, log_std]`, float32."""
    return [layers.Dense(latent_dim, name=name, dtype="float32")(x) for name in ("mean", "log_std")]


def sigmoid(x):
    """The decoder's last activation: images in [0, 1], float32."""
    return layers.Activation("sigmoid", name="x_hat", dtype="float32")(x)


def _dense_layers(x, config, dtype):
    for depth in range(config.num_scale):
        x = layers.Dense(config.fc_dim, "relu", name=f"fc{depth}", dtype=dtype)(x)
    return x
