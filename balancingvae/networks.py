"""Encoders and decoders of both stages, chosen by name.

The ResNet is that of Dai & Wipf (2019) as Asperti & Trentin (2020) use it. Layers carry the names
of the original checkpoints' variable scopes with `_` for `/`, so `scale0_block0_bn0/gamma` is
`scale0/block0/bn0_w/gamma` there.
"""

import keras
from keras import layers

from balancingvae.families import FAMILIES
from balancingvae.layers import BatchNorm
from vaekit.errors import UserError

# Widths double for each halving of the side, up to this.
MAX_DECODER_DIM = 1024


def halved_sizes(height, width):
    """Sizes from full down to at most 2 on the longer side, each half of the last, rounded up."""
    sizes = [(height, width)]
    while max(sizes[-1]) > 2:
        sizes.append(tuple((side + 1) // 2 for side in sizes[-1]))
    return sizes


def check_num_scale(num_scale, image_shape):
    """Refuse images whose shorter side cannot be halved `num_scale - 1` times."""
    height, width, _ = image_shape
    side, most = min(height, width), 1
    while side > 1:
        side, most = (side + 1) // 2, most + 1
    if min(height, width) < 4:
        raise UserError(
            f"Images of {height} x {width} are too small: sides of 4 or more are taken."
        )
    if not 1 <= num_scale <= most:
        raise UserError(
            f"num_scale {num_scale} does not fit images of {height} x {width}: the encoder halves "
            f"the sides num_scale - 1 times, and the shorter one can be halved {most - 1} times. "
            f"Use num_scale from 1 to {most}."
        )


def resnet_encoder(config, dtype="float32"):
    """Images `(batch, height, width, channels)` in [0, 1] -> mean and log_std of z.

    Each output has shape `(batch, latent_dim)` and is float32 whatever `dtype` is.
    """
    check_num_scale(config.num_scale, config.image_shape)
    x = images = keras.Input(config.image_shape, name="images")
    x = _conv(x, config.base_dim, config, "conv0", dtype)
    dim = config.base_dim
    for scale in range(config.num_scale):
        x = _scale_block(x, dim, config, f"scale{scale}", dtype)
        if scale < config.num_scale - 1:
            dim *= 2
            x = _conv(x, dim, config, f"downsample{scale}", dtype, strides=2)
    x = layers.GlobalAveragePooling2D(name="pool", dtype="float32")(x)
    x = _dense_block(x, config.fc_dim, "fc_block0", config.dense_depth)
    mean = layers.Dense(config.latent_dim, name="mean", dtype="float32")(x)
    log_std = layers.Dense(config.latent_dim, name="log_std", dtype="float32")(x)
    return keras.Model(images, [mean, log_std], name="encoder")


def resnet_decoder(config, dtype="float32"):
    """z `(batch, latent_dim)` -> images `(batch, height, width, channels)` in [0, 1], float32."""
    height, width, channels = config.image_shape
    sizes = halved_sizes(height, width)
    dims = [min(config.base_dim * 2**level, MAX_DECODER_DIM) for level in range(len(sizes))]
    x = z = keras.Input((config.latent_dim,), name="z")
    lowest = (*sizes[-1], dims[-1])
    x = layers.Dense(lowest[0] * lowest[1] * lowest[2], name="fc0", dtype=dtype)(x)
    x = layers.Reshape(lowest, name="lowest", dtype=dtype)(x)
    for level, (size, dim) in enumerate(zip(sizes[-2::-1], dims[-2::-1], strict=True)):
        x = layers.Conv2DTranspose(
            dim, config.kernel_size, 2, padding="same", name=f"up{level}", dtype=dtype
        )(x)
        x = _crop(x, size, f"crop{level}", dtype)
        x = _scale_block(x, dim, config, f"scale{level}", dtype)
    x = _conv(x, channels, config, "conv_out", dtype)
    x = layers.Activation("sigmoid", name="x_hat", dtype="float32")(x)
    return keras.Model(z, x, name="decoder")


def dense_encoder_two(config, dtype="float32"):
    """z `(batch, latent_dim)` -> mean and log_std of u, each `(batch, latent_dim)`, float32.

    The features are concatenated after the input, so that the heads see z itself.
    """
    z = keras.Input((config.latent_dim,), name="z")
    x = _dense_features(z, config, dtype)
    mean = layers.Dense(config.latent_dim, name="mean", dtype="float32")(x)
    log_std = layers.Dense(config.latent_dim, name="log_std", dtype="float32")(x)
    return keras.Model(z, [mean, log_std], name="encoder")


def dense_decoder_two(config, dtype="float32"):
    """u `(batch, latent_dim)` -> z_hat `(batch, latent_dim)`, float32."""
    u = keras.Input((config.latent_dim,), name="u")
    x = _dense_features(u, config, dtype)
    z_hat = layers.Dense(config.latent_dim, name="z_hat", dtype="float32")(x)
    return keras.Model(u, z_hat, name="decoder")


# name -> builders of encoder and decoder of the first stage; the other families are in `families`
NETWORKS = {"resnet": (resnet_encoder, resnet_decoder)}


def build_networks(config, dtype="float32"):
    """Encoder and decoder of the first stage for `config.network`."""
    if config.network in FAMILIES:
        return FAMILIES[config.network](config, dtype)
    if config.network not in NETWORKS:
        known = ", ".join(sorted([*NETWORKS, *FAMILIES]))
        raise UserError(f"Unknown network {config.network!r}. Known: {known}.")
    encoder, decoder = NETWORKS[config.network]
    return encoder(config, dtype), decoder(config, dtype)


def _conv(x, dim, config, name, dtype, strides=1):
    return layers.Conv2D(dim, config.kernel_size, strides, padding="same", name=name, dtype=dtype)(
        x
    )


def _scale_block(x, dim, config, name, dtype):
    for block in range(config.block_per_scale):
        x = _residual_block(x, dim, config, f"{name}_block{block}", dtype)
    return x


def _residual_block(x, dim, config, name, dtype):
    """depth_per_block times [batch norm, ReLU, conv], plus a convolution of the raw input."""
    y = x
    for depth in range(config.depth_per_block):
        y = BatchNorm(name=f"{name}_bn{depth}", dtype=dtype)(y)
        y = layers.ReLU(name=f"{name}_relu{depth}", dtype=dtype)(y)
        y = _conv(y, dim, config, f"{name}_layer{depth}", dtype)
    shortcut = _conv(x, dim, config, f"{name}_shortcut", dtype)
    return layers.Add(name=f"{name}_add", dtype=dtype)([y, shortcut])


def _dense_block(x, dim, name, depth):
    """`depth` times [ReLU, dense], plus a dense layer of the raw input; no batch norm."""
    y = x
    for index in range(depth):
        y = layers.ReLU(name=f"{name}_relu{index}", dtype="float32")(y)
        y = layers.Dense(dim, name=f"{name}_layer{index}", dtype="float32")(y)
    shortcut = layers.Dense(dim, name=f"{name}_shortcut", dtype="float32")(x)
    return layers.Add(name=f"{name}_add", dtype="float32")([y, shortcut])


def _dense_features(x, config, dtype):
    y = x
    for depth in range(config.second_depth):
        y = layers.Dense(config.second_dim, "relu", name=f"fc{depth}", dtype=dtype)(y)
    return layers.Concatenate(name="skip", dtype="float32")([x, y])


def _crop(x, size, name, dtype):
    """Drop the last row or column where the side is odd; nothing for powers of two."""
    bottom, right = x.shape[1] - size[0], x.shape[2] - size[1]
    if not bottom and not right:
        return x
    return layers.Cropping2D(((0, bottom), (0, right)), name=name, dtype=dtype)(x)
