"""An iterative recurrent VAE after DRAW (Gregor et al., ICML 2015), without attention.

The decoder writes the image onto a canvas in several steps, each with latents of its own. At every
step the encoder sees the image and what the canvas still lacks. In DRAW the encoder sees the canvas
that the samples of the earlier steps give. Here it sees the canvas that their posterior means give,
computed with the decoder's own layers. Hence the posterior is a function of the image alone, and
the model has one encoder and one decoder like all others. The bound holds for any such posterior.
"""

import dataclasses
import math

import keras
from keras import layers, ops

from balancingvae.networks.base import Builder
from balancingvae.networks.sizes import check_sides

MOST_STEPS = 8


@keras.saving.register_keras_serializable("balancingvae")
@dataclasses.dataclass(frozen=True)
class Draw(Builder):
    """Recurrent cells with `units` units; gcd(latent_dim, 8) steps of latent_dim / steps latents.

    Cells always compute in float32. Encoder and decoder share the weights of the decoder.

    Attributes:
        units: units of each recurrent cell.
    """

    units: int = 512

    def build(self, image_shape, latent_dim, dtype="float32"):
        check_sides("draw", image_shape, 1)
        steps = math.gcd(latent_dim, MOST_STEPS)
        writer = Writer(self.units, image_shape, name="writer", dtype="float32")
        writer.build((None, latent_dim // steps))
        reader = Reader(self.units, latent_dim, steps, name="reader", dtype="float32")
        images = keras.Input(image_shape, name="images")
        encoder = keras.Model(images, Encode(writer, reader, name="encode")(images), name="encoder")
        z = keras.Input((latent_dim,), name="z")
        return encoder, keras.Model(z, Decode(writer, steps, name="decode")(z), name="decoder")


@keras.saving.register_keras_serializable("balancingvae")
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

    def get_config(self):
        return super().get_config() | {"units": self.units, "image_shape": self.image_shape}

    def start(self, like):
        """State before the first step: hidden and cell state, and the empty canvas."""
        hidden = _zeros(like, self.units)
        return [hidden, hidden], _zeros(like, math.prod(self.image_shape))

    def call(self, z, state, canvas):
        """State and canvas after one step with the latents z `(batch, latents per step)`."""
        hidden, state = self.cell(z, state)
        return state, canvas + self.out(hidden)


@keras.saving.register_keras_serializable("balancingvae")
class Reader(layers.Layer):
    """One step of the encoder: a recurrent cell over image, error and the writer's state."""

    def __init__(self, units, latent_dim, steps, **options):
        super().__init__(**options)
        self.units, self.latent_dim, self.steps = units, latent_dim, steps
        self.cell = layers.LSTMCell(units, name="cell", dtype=self.dtype_policy)
        self.mean = layers.Dense(latent_dim // steps, name="mean", dtype=self.dtype_policy)
        self.log_std = layers.Dense(latent_dim // steps, name="log_std", dtype=self.dtype_policy)

    def get_config(self):
        sizes = {"units": self.units, "latent_dim": self.latent_dim, "steps": self.steps}
        return super().get_config() | sizes

    def start(self, like):
        """Hidden and cell state before the first step."""
        hidden = _zeros(like, self.units)
        return [hidden, hidden]

    def call(self, seen, state):
        """State, mean and log_std of one step's latents."""
        hidden, state = self.cell(seen, state)
        return state, self.mean(hidden), self.log_std(hidden)


@keras.saving.register_keras_serializable("balancingvae")
class Encode(layers.Layer):
    """Images -> mean and log_var of the latents of all steps, each `(batch, latent_dim)`."""

    def __init__(self, writer, reader, **options):
        super().__init__(**options | {"dtype": "float32"})
        self.writer, self.reader = _loaded(writer), _loaded(reader)

    def get_config(self):
        parts = {"writer": _saved(self.writer), "reader": _saved(self.reader)}
        return super().get_config() | parts

    def build(self, input_shape):
        if not self.writer.built:
            self.writer.build((None, self.reader.latent_dim // self.reader.steps))
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
        return ops.concatenate(means, axis=-1), 2.0 * ops.concatenate(log_stds, axis=-1)


@keras.saving.register_keras_serializable("balancingvae")
class Decode(layers.Layer):
    """Latents of all steps `(batch, latent_dim)` -> images in [0, 1]."""

    def __init__(self, writer, steps, **options):
        super().__init__(**options | {"dtype": "float32"})
        self.writer, self.steps = _loaded(writer), steps

    def get_config(self):
        return super().get_config() | {"writer": _saved(self.writer), "steps": self.steps}

    def build(self, input_shape):
        if not self.writer.built:
            self.writer.build((None, input_shape[-1] // self.steps))

    def call(self, z):
        state, canvas = self.writer.start(z)
        for part in ops.split(z, self.steps, axis=-1):
            state, canvas = self.writer(part, state, canvas)
        return ops.reshape(ops.sigmoid(canvas), (-1, *self.writer.image_shape))


def _saved(layer):
    return keras.saving.serialize_keras_object(layer)


def _loaded(layer):
    """A layer, given as itself or as the result of `_saved`."""
    return keras.saving.deserialize_keras_object(layer) if isinstance(layer, dict) else layer


def _zeros(like, width):
    """Zeros `(batch, width)` for the batch of `like`."""
    return ops.zeros_like(like[:, :1]) * ops.zeros((1, width))
