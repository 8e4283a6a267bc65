"""Deterministic autoencoders, regularised or not: the RAE baselines.

Ghosh et al., "From Variational to Deterministic Autoencoders", arXiv 1903.12436 (2019), Section 3:
loss = |x - x_hat|^2 + latent_weight |z|^2 / 2 + penalty_weight * penalty of the decoder.
"""

import keras
import numpy as np
from keras import ops

from balancingvae.families.spectral import with_spectral_norm
from balancingvae.networks import build_networks
from vaekit.errors import UserError
from vaekit.training import predict

# kind -> what keeps the decoder smooth
KINDS = {
    "ae": "nothing: a plain autoencoder, without the penalty on latents either",
    "rae": "the penalty on latents alone",
    "l2": "sum of squares of the decoder's kernels",
    "sn": "spectral normalisation of the decoder",
    "gp": "squared norm of the decoder's Jacobian",
}
LATENT_WEIGHT, PENALTY_WEIGHT = 1e-4, 1e-7
# Step of the finite difference behind the Jacobian's norm, in units of z.
STEP = 0.01


class RAE(keras.Model):
    """Deterministic autoencoder of images; images as `StageOne` takes them.

    The encoder is the mean head of the family `config.network`; in "sn" the decoder's kernels are
    spectrally normalised.
    """

    def __init__(
        self,
        config,
        kind="l2",
        latent_weight=LATENT_WEIGHT,
        penalty_weight=PENALTY_WEIGHT,
        dtype="float32",
    ):
        super().__init__(name="rae")
        check_kind(kind, config.network)
        self.config, self.kind = config, kind
        self.latent_weight = 0.0 if kind == "ae" else latent_weight
        self.penalty_weight = penalty_weight
        encoder, decoder = build_networks(config, dtype)
        self.encoder = keras.Model(encoder.inputs, encoder.outputs[0], name="encoder")
        self.decoder = with_spectral_norm(decoder) if kind == "sn" else decoder
        for part in (self.encoder, self.decoder):
            part.jit_compile = keras.backend.backend() == "jax"
        self.seed_generator = keras.random.SeedGenerator(config.seed)
        self.trackers = {key: keras.metrics.Mean(key) for key in ("mse", "latents", "penalty")}
        self.build()

    def build(self, input_shape=None):
        """Nothing is left to build: all weights exist from the start."""

    def call(self, images, training=False):
        x = self.scaled(images)
        z = self.encoder(x, training=training)
        return {"target": x, "z": z, "reconstruction": self.decoder(z, training=training)}

    def scaled(self, images):
        """Images as float32 in [0, 1]."""
        eight_bits = keras.backend.standardize_dtype(images.dtype) == "uint8"
        images = ops.cast(images, "float32")
        return images / 255.0 if eight_bits and not self.config.binary else images

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        squared = ops.square(y_pred["target"] - y_pred["reconstruction"])
        latents = 0.5 * ops.mean(ops.sum(ops.square(y_pred["z"]), axis=-1))
        penalty = self.penalty(y_pred["z"], y_pred["reconstruction"], training)
        values = {"mse": ops.mean(squared), "latents": latents, "penalty": penalty}
        for key, tracker in self.trackers.items():
            tracker.update_state(values[key])
        error = ops.mean(ops.sum(squared, axis=(1, 2, 3)))
        return error + self.latent_weight * latents + self.penalty_weight * penalty

    def penalty(self, z, x_hat, training):
        """What the kind adds to the loss, before its weight; a scalar."""
        if self.kind == "l2":
            return sum(ops.sum(ops.square(kernel)) for kernel in self.decoder_kernels())
        if self.kind == "gp":
            v = keras.random.normal(ops.shape(z), dtype="float32", seed=self.seed_generator)
            moved = self.decoder(z + STEP * v, training=training)
            return ops.mean(jacobian_norm(x_hat, moved))
        return ops.zeros(())

    def decoder_kernels(self):
        """The kernels of the decoder's dense and convolutional layers."""
        return [w for w in self.decoder.trainable_weights if w.path.endswith("kernel")]

    def codes(self, images):
        """Codes `(n, latent_dim)` of images `(n, height, width, channels)`, uint8 or in [0, 1]."""
        eight_bits = images.dtype == np.uint8 and not self.config.binary
        divisor = np.float32(255 if eight_bits else 1)
        return predict(
            lambda part: self.encoder.predict_on_batch(part.astype(np.float32) / divisor), images
        )

    def decode(self, z):
        """Images in [0, 1] from codes `(n, latent_dim)`."""
        return predict(self.decoder.predict_on_batch, z)

    def named_weights(self):
        """Every weight that inference needs: dict of name -> variable."""
        parts = (self.encoder, self.decoder)
        return {f"{part.name}/{weight.path}": weight for part in parts for weight in part.weights}


def jacobian_norm(x_hat, moved, step=STEP):
    """Unbiased estimate of the squared Frobenius norm of the decoder's Jacobian, `(batch,)`.

    E |J v|^2 over standard normal v is |J|_F^2. J v is taken as a finite difference, so that the
    same code runs on every backend (no gradient of a gradient).

    Args:
        x_hat: images decoded from z.
        moved: images decoded from z + step * v, v standard normal.
    """
    return ops.sum(ops.square((moved - x_hat) / step), axis=(1, 2, 3))


def check_kind(kind, network):
    """Refuse an unknown kind, and spectral normalisation of the recurrent family."""
    if kind not in KINDS:
        raise UserError(f"Unknown kind of autoencoder {kind!r}. Known: {', '.join(KINDS)}.")
    if kind == "sn" and network == "draw":
        raise UserError(
            "Spectral normalisation takes a decoder of dense and convolutional layers; the network "
            "'draw' is recurrent. Take another network or kind."
        )
