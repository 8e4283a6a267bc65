"""An iterative recurrent VAE after DRAW (Gregor et al., ICML 2015), without attention.

The image is written onto a canvas in several steps, each with latents of its own; at every step the
encoder sees the image and what the canvas still lacks. In DRAW the canvas that the encoder sees
comes from the samples of the earlier steps. Here it comes from their posterior means, by the
decoder's own layers: so the posterior is a function of the image alone, and one encoder and one
decoder stand for the model as in every other family. The bound holds for any such posterior.
"""

import math

import keras
from keras import layers, ops

from balancingvae.families.sizes import check_sides

MOST_STEPS = 8


def draw(config, dtype="float32"):
    """Recurrent cells of `fc_dim` units; gcd(latent_dim, 8) steps, latent_dim / steps latents each.

    Cells run in float32 whatever `dtype` is. Encoder and decoder share the decoder's weights.
    """
    check_sides("draw", config.image_shape, 1)
    steps = math.gcd(config.latent_dim, MOST_STEPS)
    writer = Writer(config.fc_dim, config.image_shape, name="writer", dtype="float32")
    writer.build((None, config.latent_dim // steps))
    reader = Reader(config.fc_dim, config.latent_dim, steps, name="reader", dtype="float32")
    images = keras.Input(config.image_shape, name="images")
    encoder = keras.Model(images, Encode(writer, reader, name="encode")(images), name="encoder")
    z = keras.Input((config.latent_dim,), name="z")
    return encoder, keras.Model(z, Decode(writer, steps, name="decode")(z), name="decoder")


class Writer(layers.Layer):
    """One step of the decoder: a recurrent cell, and a dense layer that writes on the canvas."""

    def __init__(self, units, image_shape, **options):
        super().__init__(**options)
        self.units, self.image_shape = units, tuple(image_shape)
        self.cell = layers.LSTMCell(units, name="cell", dtype=self.dtype_policy)
        self.out = layers.Dense(math.prod(image_shape), name="write", dtype=self.dtype_policy)

    def build(self, input_shape):
        self.cell.build(input_shape)
        self.out.build((None, self.units))

    def start(self, like):
        """State before the first step: hidden and cell state, and the empty canvas."""
        hidden = _zeros(like, self.units)
        return [hidden, hidden], _zeros(like, math.prod(self.image_shape))

    def call(self, z, state, canvas):
        """State and canvas after one step with the latents z `(batch, latents per step)`."""
        hidden, state = self.cell(z, state)
        return state, canvas + self.out(hidden)


class Reader(layers.Layer):
    """One step of the encoder: a recurrent cell over image, error and the writer's state."""

    def __init__(self, units, latent_dim, steps, **options):
        super().__init__(**options)
        self.units, self.steps = units, steps
        self.cell = layers.LSTMCell(units, name="cell", dtype=self.dtype_policy)
        self.mean = layers.Dense(latent_dim // steps, name="mean", dtype=self.dtype_policy)
        self.log_std = layers.Dense(latent_dim // steps, name="log_std", dtype=self.dtype_policy)

    def start(self, like):
        """Hidden and cell state before the first step."""
        hidden = _zeros(like, self.units)
        return [hidden, hidden]

    def call(self, seen, state):
        """State, mean and log_std of one step's latents."""
        hidden, state = self.cell(seen, state)
        return state, self.mean(hidden), self.log_std(hidden)


class Encode(layers.Layer):
    """Images -> mean and log_std of the latents of all steps, each `(batch, latent_dim)`."""

    def __init__(self, writer, reader, **options):
        super().__init__(dtype="float32", **options)
        self.writer, self.reader = writer, reader

    def build(self, input_shape):
        pixels, hidden = math.prod(input_shape[1:]), (None, self.reader.units)
        self.reader.cell.build((None, 2 * pixels + self.writer.units))
        self.reader.mean.build(hidden)
        self.reader.log_std.build(hidden)
        self.reader.built = True

    def call(self, images):
        x = ops.reshape(images, (-1, math.prod(images.shape[1:])))
        state = self.reader.start(x)
        writer_state, canvas = self.writer.start(x)
        means, log_stds = [], []
        for _ in range(self.reader.steps):
            seen = ops.concatenate([x, x - ops.sigmoid(canvas), writer_state[0]], axis=-1)
            state, mean, log_std = self.reader(seen, state)
            writer_state, canvas = self.writer(mean, writer_state, canvas)
            means.append(mean)
            log_stds.append(log_std)
        return ops.concatenate(means, axis=-1), ops.concatenate(log_stds, axis=-1)


class Decode(layers.Layer):
    """Latents of all steps `(batch, latent_dim)` -> images in [0, 1]."""

    def __init__(self, writer, steps, **options):
        super().__init__(dtype="float32", **options)
        self.writer, self.steps = writer, steps

    def build(self, input_shape):
        """The writer is built already."""

    def call(self, z):
        state, canvas = self.writer.start(z)
        for part in ops.split(z, self.steps, axis=-1):
            state, canvas = self.writer(part, state, canvas)
        return ops.reshape(ops.sigmoid(canvas), (-1, *self.writer.image_shape))


def _zeros(like, width):
    """Zeros `(batch, width)` for the batch of `like`."""
    return ops.zeros_like(like[:, :1]) * ops.zeros((1, width))
