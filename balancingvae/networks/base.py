"""Base classes of the network builders, and the last layers of encoder and decoder."""

import dataclasses

import keras
from keras import layers

from vaekit.errors import check_choice, check_positive_integer, check_positive_number

# The convolutions that `l2` penalises: part of the network -> prefixes of their layers' names.
L2_LAYERS = {
    "strided": {"encoder": ("downsample",), "decoder": ("up",)},
    "encoder": {"encoder": ("downsample",)},
    "decoder": {"decoder": ("up", "scale")},
}


@dataclasses.dataclass(frozen=True)
class Builder:
    """A serialisable description of an encoder and a decoder, which `build` creates.

    For a builder of your own, write a subclass with `build` and register it with
    `keras.saving.register_keras_serializable`. Otherwise pass an encoder and a decoder to a model.
    """

    def build(self, image_shape, latent_dim, dtype="float32"):
        """New `(encoder, decoder)`, each a `keras.Model`.

        Args:
            image_shape: `(height, width, channels)`.
            latent_dim: number of latents.
            dtype: Keras dtype policy of the layers; outputs are always float32.
        Returns:
            encoder: images `(batch, height, width, channels)` in [0, 1] -> mean and log_var of z,
            each `(batch, latent_dim)`; decoder: z -> images in [0, 1].
        Raises:
            UserError: the network does not fit images of this size.
        """
        raise NotImplementedError

    def __post_init__(self):
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if field.name not in ("l2", "l2_layers") and value is not None:
                check_positive_integer(field.name, value)

    def get_config(self):
        """The arguments, by name."""
        return dataclasses.asdict(self)

    @classmethod
    def from_config(cls, config):
        """The builder with these arguments."""
        return cls(**config)


@dataclasses.dataclass(frozen=True, kw_only=True)
class PenalisedBuilder(Builder):
    """A builder whose convolutions may have an L2 penalty.

    Attributes:
        l2: weight of the sum of squares of the penalised kernels, or None.
        l2_layers: which convolutions are penalised: "strided", those that halve or double the
            sides; "encoder", those that halve them; "decoder", all inner ones of the decoder.
    """

    l2: float | None = None
    l2_layers: str = "strided"

    def __post_init__(self):
        super().__post_init__()
        check_choice("l2_layers", self.l2_layers, L2_LAYERS)
        if self.l2 is not None:
            check_positive_number("l2", self.l2)

    def regularizer(self, part, name):
        """The kernel regulariser of a layer, given the part ("encoder", "decoder") and its name."""
        penalised = L2_LAYERS[self.l2_layers].get(part, ())
        if self.l2 is None or not name.startswith(penalised):
            return None
        return keras.regularizers.L2(self.l2)


@keras.saving.register_keras_serializable("balancingvae")
class Posterior(layers.Layer):
    """[mean, log sigma] -> [mean, log sigma^2]; exp(log_var / 2) is exp(log sigma) to the bit.

    The layer gets both, so that the two heads have one depth and keep their order in checkpoints.
    """

    def call(self, heads):
        mean, log_std = heads
        return mean, 2.0 * log_std

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)


def heads(x, latent_dim):
    """The encoder's linear outputs mean and log_var, float32, from features x.

    The second dense layer gives log sigma, as in the original codes, whose checkpoints it loads.
    """
    both = [layers.Dense(latent_dim, name=n, dtype="float32")(x) for n in ("mean", "log_std")]
    return Posterior(name="posterior", dtype="float32")(both)


def sigmoid(x):
    """The decoder's last activation: images in [0, 1], float32."""
    return layers.Activation("sigmoid", name="x_hat", dtype="float32")(x)
