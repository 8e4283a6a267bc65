"""Deterministic autoencoders, regularised or not: the RAE baselines.

Ghosh et al., "From Variational to Deterministic Autoencoders", arXiv 1903.12436 (2019), Section 3.
The loss and its weights are those of their published code, which produced their Table 1:

    loss = mean (x - x_hat)^2 + latent_weight * mean z^2 + penalty_weight * penalty,

with means over the pixels and latents of each image, then over the batch.
"""

import dataclasses

import keras
from keras import ops

from balancingvae import losses
from balancingvae.gaussian_vae import Inference
from balancingvae.networks.base import Posterior
from balancingvae.networks.spectral import with_spectral_norm
from vaekit.distributions import check_latents
from vaekit.errors import UserError, check_choice
from vaekit.images import compact_images, scaled
from vaekit.training.inputs import ImageInputs

# Step of the finite difference for gradients with respect to z, in units of z.
STEP = 0.01
LARGEST_PARTLY_PENALISED = 32  # pixels; for larger images "l2" also penalises dense kernels


@dataclasses.dataclass(frozen=True)
class Kind:
    """One way to keep the decoder smooth.

    Attributes:
        title: its name in the papers' tables.
        smooth_by: what keeps the decoder smooth, in words.
        penalty: what the loss penalises: "kernels", "gradient", "jacobian", or None.
        spectral: the parts with spectrally normalised kernels.
        weights: row of `WEIGHTS`, or None for weights of 0.
    """

    title: str
    smooth_by: str
    penalty: str | None = None
    spectral: tuple = ()
    weights: str | None = None


KINDS = {
    "ae": Kind("AE", "nothing: a plain autoencoder, without the penalty on latents either"),
    "rae": Kind("RAE", "the penalty on latents alone", weights="rae"),
    "l2": Kind(
        "RAE-L2",
        "sum of squares of the decoder's kernels (up to 32 pixels, except for its dense layer)",
        penalty="kernels",
        weights="l2",
    ),
    "sn": Kind(
        "RAE-SN",
        "spectral normalisation, of the encoder too",
        spectral=("encoder", "decoder"),
        weights="sn",
    ),
    "gp": Kind("RAE-GP", "gradient of the squared image", penalty="gradient", weights="gp"),
    "sn_decoder": Kind(
        "RAE-SN (decoder)",
        "spectral normalisation of the decoder alone, as in the paper",
        spectral=("decoder",),
        weights="sn",
    ),
    "gp_jacobian": Kind(
        "RAE-GP (jacobian)",
        "squared norm of the decoder's Jacobian, as in the paper",
        penalty="jacobian",
        weights="gp",
    ),
}
# Weights (of latents, of the penalty) in the published code. For RAE-GP on CIFAR-10 its penalty has
# weight 0, which does not reach the FID of the published table; we use CelebA's weight instead.
WEIGHTS = {
    "mnist": {"rae": (5e-4, 0.0), "l2": (1e-4, 1e-7), "sn": (9e-3, 0.0), "gp": (1e-4, 5e-8)},
    "cifar10": {"rae": (1e-2, 0.0), "l2": (1e-3, 1e-6), "sn": (3e-2, 0.0), "gp": (9e-4, 1e-7)},
    "celeba": {"rae": (1e-4, 0.0), "l2": (1e-4, 1e-7), "sn": (2.4e-3, 0.0), "gp": (1e-4, 1e-7)},
}


def published_weights(kind, channels, dataset=None):
    """Weights `(latents, penalty)` of a kind in the published code.

    Args:
        kind: a key of `KINDS`.
        channels: number of channels of the images.
        dataset: a key of `WEIGHTS`; other datasets get the weights of MNIST if they have one
            channel, else those of CIFAR-10.
    """
    known = WEIGHTS.get(dataset, WEIGHTS["mnist" if channels == 1 else "cifar10"])
    return known.get(KINDS[kind].weights, (0.0, 0.0))


@keras.saving.register_keras_serializable("balancingvae.baselines")
class RAE(ImageInputs, keras.Model):
    """Deterministic autoencoder of images.

    `call` returns a dict of `target` (images in [0, 1]), their codes `z`, and `reconstruction`.

    Args:
        encoder: functional model from images `(batch, height, width, channels)` in [0, 1] to codes
            `(batch, latent_dim)`; if it gives (mean, log_var) like a VAE's, the mean is used.
        decoder: functional model from codes to images in [0, 1].
        kind: a key of `KINDS`. Spectral normalisation copies the networks with new weights.
        latent_weight, penalty_weight: None for `published_weights`.
        seed: seed of the directions in which gradients are estimated.
    Raises:
        UserError: the kind is unknown, or a part has no kernels to normalise.
    """

    def __init__(
        self,
        encoder,
        decoder,
        kind="l2",
        latent_weight=None,
        penalty_weight=None,
        seed=None,
        **keywords,
    ):
        super().__init__(**{"name": "rae", **keywords})
        check_choice("kind of autoencoder", kind, KINDS)
        encoder = _code_encoder(encoder) if len(encoder.outputs) > 1 else encoder
        self.kind, self.seed = kind, seed
        spectral = KINDS[kind].spectral
        self.encoder = _normalised(encoder) if "encoder" in spectral else encoder
        self.decoder = _normalised(decoder) if "decoder" in spectral else decoder
        published = published_weights(kind, self.image_shape[2])
        self.latent_weight = published[0] if latent_weight is None else latent_weight
        self.penalty_weight = published[1] if penalty_weight is None else penalty_weight
        self._inference = Inference(self.encoder, self.decoder)
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.trackers = {key: keras.metrics.Mean(key) for key in ("mse", "latents", "penalty")}
        self.build()

    @property
    def image_shape(self):
        """(height, width, channels) of the images."""
        return tuple(self.encoder.inputs[0].shape[1:])

    @property
    def latent_dim(self):
        """Length of a code."""
        return self.encoder.outputs[0].shape[-1]

    def build(self, input_shape=None):
        """Nothing is left to build: all weights exist from the start."""

    def get_config(self):
        return {
            **super().get_config(),
            "encoder": keras.saving.serialize_keras_object(self.encoder),
            "decoder": keras.saving.serialize_keras_object(self.decoder),
            "kind": self.kind,
            "latent_weight": self.latent_weight,
            "penalty_weight": self.penalty_weight,
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config):
        parts = ("encoder", "decoder")
        built = {part: keras.saving.deserialize_keras_object(config[part]) for part in parts}
        return cls(**config | built)

    def check_input(self, images, training):
        return compact_images(images, self.image_shape)

    def reconstruction_model(self):
        """The `keras.Model` that `predict` uses, from images to their reconstructions."""
        return self._inference.model("reconstruct")

    def call(self, images, training=False):
        x = scaled(images)
        z = self.encoder(x, training=training)
        return {"target": x, "z": z, "reconstruction": self.decoder(z, training=training)}

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        values = {
            "mse": losses.squared_error(y_pred["target"], y_pred["reconstruction"]),
            "latents": ops.mean(ops.square(y_pred["z"])),
            "penalty": self.penalty(y_pred["z"], y_pred["reconstruction"], training),
        }
        for key, tracker in self.trackers.items():
            tracker.update_state(values[key])
        latents = self.latent_weight * values["latents"]
        return values["mse"] + latents + self.penalty_weight * values["penalty"]

    def penalty(self, z, x_hat, training):
        """The penalty of this kind, without its weight; a scalar.

        Args:
            z: codes `(batch, latent_dim)`.
            x_hat: images decoded from them.
            training: whether the decoder is in training mode.
        """
        penalty = KINDS[self.kind].penalty
        if penalty is None:
            return ops.zeros(())
        if penalty == "kernels":
            return sum(ops.sum(ops.square(kernel)) for kernel in self.penalised_kernels())
        v = keras.random.normal(ops.shape(z), dtype="float32", seed=self.seed_generator)
        moved = self.decoder(z + STEP * v, training=training)
        if penalty == "jacobian":
            return ops.mean(jacobian_norm(x_hat, moved))
        return ops.mean(gradient_of_square(x_hat, moved)) / self.latent_dim

    def penalised_kernels(self):
        """The decoder's kernels that "l2" penalises; up to 32 pixels only those of convolutions."""
        kernels = [weight for weight in self.decoder.trainable_weights if weight.name == "kernel"]
        convolutions = [kernel for kernel in kernels if len(kernel.shape) == 4]
        small = max(self.image_shape[:2]) <= LARGEST_PARTLY_PENALISED
        return convolutions if small and convolutions else kernels

    def codes(self, images):
        """Codes `(n, latent_dim)` of images, numpy.

        Args:
            images: `(n, height, width, channels)`: uint8 0..255, bool, or floats in [0, 1].
        """
        return self._inference("encode", compact_images(images, self.image_shape))

    def decode(self, z):
        """Images `(n, height, width, channels)` in [0, 1] from codes `(n, latent_dim)`, numpy."""
        return self._inference("decode", check_latents(z, self.latent_dim))

    def reconstruct(self, images):
        """Images decoded from the codes of `images`, numpy; arguments as for `codes`."""
        return self.decode(self.codes(images))


def _code_encoder(encoder):
    """The part of a VAE's encoder that gives the mean, without a separate layer of the variance."""
    last = encoder.layers[-1]
    mean = last.input[0] if isinstance(last, Posterior) else encoder.outputs[0]
    return keras.Model(encoder.inputs, mean, name="encoder")


def _normalised(network):
    """A copy of a functional model with spectrally normalised kernels."""
    normalised = with_spectral_norm(network)
    vectors = [weight for weight in normalised.weights if weight.name == "u"]
    if not vectors:
        raise UserError(
            f"Spectral normalisation needs dense or convolutional layers; {network.name} has none "
            "that can be normalised, as in the recurrent network 'draw'. Choose another network "
            "or kind."
        )
    return normalised


def jacobian_norm(x_hat, moved, step=STEP):
    """Unbiased estimate of the squared Frobenius norm of the decoder's Jacobian, `(batch,)`.

    The mean of |J v|^2 over standard normal v is |J|_F^2. J v is a finite difference, so that the
    same code runs on every backend (no gradient of a gradient).

    Args:
        x_hat: images decoded from z.
        moved: images decoded from z + step * v, v standard normal.
    """
    return ops.sum(ops.square((moved - x_hat) / step), axis=(1, 2, 3))


def gradient_of_square(x_hat, moved, step=STEP):
    """Unbiased estimate of |d |x_hat|^2 / dz|^2, `(batch,)`; arguments as for `jacobian_norm`.

    The published code penalises this gradient of the squared image instead of the Jacobian.
    """
    # The difference of squares is computed as a product, which stays accurate in float32.
    difference = ops.sum((moved - x_hat) * (moved + x_hat), axis=(1, 2, 3))
    return ops.square(difference / step)
