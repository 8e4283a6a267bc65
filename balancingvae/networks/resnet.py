"""The ResNet of Dai & Wipf (ICLR 2019) as Asperti & Trentin (2020) use it, the default.

Layers have the names of the original checkpoints' variable scopes, with `_` for `/`:
`scale0_block0_bn0/gamma` is `scale0/block0/bn0_w/gamma` there.
"""

import dataclasses

import keras
from keras import layers

from balancingvae.networks.base import PenalisedBuilder, heads, sigmoid
from balancingvae.networks.batch_norm import BatchNorm
from vaekit.errors import UserError

# Widths double at each halving of the sides, up to this.
MAX_DECODER_DIM = 1024


@keras.saving.register_keras_serializable("balancingvae")
@dataclasses.dataclass(frozen=True)
class ResNet(PenalisedBuilder):
    """Residual blocks at `num_scale` sizes in the encoder, and at all sizes from 2 in the decoder.

    Attributes:
        num_scale: sizes in the encoder, which halves the sides num_scale - 1 times.
        block_per_scale: residual blocks at each size.
        depth_per_block: convolutions of a block.
        kernel_size: of all convolutions.
        base_dim: channels at full size; they double at each halving.
        fc_dim: units of the encoder's dense block.
        fc_depth: dense layers in it; None for `depth_per_block`.
        l2, l2_layers: see `PenalisedBuilder`.
    """

    num_scale: int = 3
    block_per_scale: int = 1
    depth_per_block: int = 2
    kernel_size: int = 3
    base_dim: int = 32
    fc_dim: int = 512
    fc_depth: int | None = None

    def build(self, image_shape, latent_dim, dtype="float32"):
        check_num_scale(self.num_scale, image_shape)
        return (
            self._encoder(image_shape, latent_dim, dtype),
            self._decoder(image_shape, latent_dim, dtype),
        )

    def _encoder(self, image_shape, latent_dim, dtype):
        x = images = keras.Input(image_shape, name="images")
        x = self._conv(x, self.base_dim, "encoder", "conv0", dtype)
        dim = self.base_dim
        for scale in range(self.num_scale):
            x = self._scale_block(x, dim, "encoder", f"scale{scale}", dtype)
            if scale < self.num_scale - 1:
                dim *= 2
                x = self._conv(x, dim, "encoder", f"downsample{scale}", dtype, strides=2)
        x = layers.GlobalAveragePooling2D(name="pool", dtype="float32")(x)
        depth = self.depth_per_block if self.fc_depth is None else self.fc_depth
        x = _dense_block(x, self.fc_dim, "fc_block0", depth)
        return keras.Model(images, heads(x, latent_dim), name="encoder")

    def _decoder(self, image_shape, latent_dim, dtype):
        height, width, channels = image_shape
        sizes = halved_sizes(height, width)
        dims = [min(self.base_dim * 2**level, MAX_DECODER_DIM) for level in range(len(sizes))]
        x = z = keras.Input((latent_dim,), name="z")
        lowest = (*sizes[-1], dims[-1])
        x = layers.Dense(lowest[0] * lowest[1] * lowest[2], name="fc0", dtype=dtype)(x)
        x = layers.Reshape(lowest, name="lowest", dtype=dtype)(x)
        for level, (size, dim) in enumerate(zip(sizes[-2::-1], dims[-2::-1], strict=True)):
            x = layers.Conv2DTranspose(
                dim,
                self.kernel_size,
                2,
                padding="same",
                kernel_regularizer=self.regularizer("decoder", f"up{level}"),
                name=f"up{level}",
                dtype=dtype,
            )(x)
            x = _crop(x, size, f"crop{level}", dtype)
            x = self._scale_block(x, dim, "decoder", f"scale{level}", dtype)
        x = self._conv(x, channels, "decoder", "conv_out", dtype)
        return keras.Model(z, sigmoid(x), name="decoder")

    def _scale_block(self, x, dim, part, name, dtype):
        for block in range(self.block_per_scale):
            x = self._residual_block(x, dim, part, f"{name}_block{block}", dtype)
        return x

    def _residual_block(self, x, dim, part, name, dtype):
        """depth_per_block times [batch norm, ReLU, conv], plus a convolution of the raw input."""
        y = x
        for depth in range(self.depth_per_block):
            y = BatchNorm(name=f"{name}_bn{depth}", dtype=dtype)(y)
            y = layers.ReLU(name=f"{name}_relu{depth}", dtype=dtype)(y)
            y = self._conv(y, dim, part, f"{name}_layer{depth}", dtype)
        shortcut = self._conv(x, dim, part, f"{name}_shortcut", dtype)
        return layers.Add(name=f"{name}_add", dtype=dtype)([y, shortcut])

    def _conv(self, x, dim, part, name, dtype, strides=1):
        return layers.Conv2D(
            dim,
            self.kernel_size,
            strides,
            padding="same",
            kernel_regularizer=self.regularizer(part, name),
            name=name,
            dtype=dtype,
        )(x)


def halved_sizes(height, width):
    """Sizes from the full one down to at most 2 on the longer side, halved and rounded up."""
    sizes = [(height, width)]
    while max(sizes[-1]) > 2:
        sizes.append(tuple((side + 1) // 2 for side in sizes[-1]))
    return sizes


def check_num_scale(num_scale, image_shape):
    """Raise a UserError if the shorter side cannot be halved `num_scale - 1` times."""
    height, width, _ = image_shape
    side, most = min(height, width), 1
    while side > 1:
        side, most = (side + 1) // 2, most + 1
    if min(height, width) < 4:
        raise UserError(f"Image sides must be at least 4 for the ResNet, got {height} x {width}.")
    if not 1 <= num_scale <= most:
        raise UserError(
            f"num_scale {num_scale} does not fit images of {height} x {width}: the encoder halves "
            f"the sides num_scale - 1 times, and the shorter one can be halved {most - 1} times. "
            f"Use num_scale from 1 to {most}."
        )


def _dense_block(x, dim, name, depth):
    """`depth` times [ReLU, dense], plus a dense layer of the raw input; no batch norm."""
    y = x
    for index in range(depth):
        y = layers.ReLU(name=f"{name}_relu{index}", dtype="float32")(y)
        y = layers.Dense(dim, name=f"{name}_layer{index}", dtype="float32")(y)
    shortcut = layers.Dense(dim, name=f"{name}_shortcut", dtype="float32")(x)
    return layers.Add(name=f"{name}_add", dtype="float32")([y, shortcut])


def _crop(x, size, name, dtype):
    """Drop the last row or column if the side is odd; powers of two need no cropping."""
    bottom, right = x.shape[1] - size[0], x.shape[2] - size[1]
    if not bottom and not right:
        return x
    return layers.Cropping2D(((0, bottom), (0, right)), name=name, dtype=dtype)(x)
