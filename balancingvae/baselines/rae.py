"""Deterministic autoencoders, regularised or not: the RAE baselines.

Ghosh et al., "From Variational to Deterministic Autoencoders", arXiv 1903.12436 (2019), Section 3.
The loss and its weights are those of their published code, which printed their Table 1:

    loss = mean (x - x_hat)^2 + latent_weight * mean z^2 + penalty_weight * penalty,

means over pixels and latents of each image, then over the batch.
"""

import keras
import numpy as np
from keras import ops

from balancingvae import presets
from balancingvae.networks.spectral import with_spectral_norm
from vaekit.errors import UserError
from vaekit.training import predict

# kind -> what keeps the decoder smooth
KINDS = {
    "ae": "nothing: a plain autoencoder, without the penalty on latents either",
    "rae": "the penalty on latents alone",
    "l2": "sum of squares of the decoder's kernels (up to 32 pixels, but for its dense layer)",
    "sn": "spectral normalisation, of the encoder too",
    "gp": "gradient of the squared image by z",
    "sn_decoder": "spectral normalisation of the decoder alone, as the paper has it",
    "gp_jacobian": "squared norm of the decoder's Jacobian, as the paper has it",
}
# Weights (of latents, of the penalty) in the published code. It has 0 for RAE-GP on CIFAR-10, but
# beside it no FID of the published table; CelebA's stands in.
WEIGHTS = {
    "mnist": {"rae": (5e-4, 0.0), "l2": (1e-4, 1e-7), "sn": (9e-3, 0.0), "gp": (1e-4, 5e-8)},
    "cifar10": {"rae": (1e-2, 0.0), "l2": (1e-3, 1e-6), "sn": (3e-2, 0.0), "gp": (9e-4, 1e-7)},
    "celeba": {"rae": (1e-4, 0.0), "l2": (1e-4, 1e-7), "sn": (2.4e-3, 0.0), "gp": (1e-4, 1e-7)},
}
# Step of the finite difference behind gradients by z, in units of z.
STEP = 0.01
LARGEST_PARTLY_PENALISED = 32  # pixels; above, "l2" penalises the decoder's dense kernels too


def published_weights(kind, dataset, channels):
    """Weights `(latents, penalty)` of a kind in the published code.

    Args:
        kind: of `KINDS`.
        dataset: its name; one that they did not train has MNIST's weights or CIFAR-10's.
        channels: of its images, which decides between the two.
    """
    known = WEIGHTS.get(dataset, WEIGHTS["mnist" if channels == 1 else "cifar10"])
    return known.get(kind.split("_")[0], (0.0, 0.0))


class RAE(keras.Model):
    """Deterministic autoencoder of images; images as `BalancedVAE` accepts them.

    The encoder is the mean head of the family `config.network`.

    Args:
        config: a `Config`.
        kind: of `KINDS`.
        latent_weight, penalty_weight: None for `published_weights`.
        dtype: policy of the networks.
    Raises:
        UserError: the kind is unknown, or the network cannot have it.
    """

    def __init__(self, config, kind="l2", latent_weight=None, penalty_weight=None, dtype="float32"):
        super().__init__(name="rae")
        check_kind(kind, config.network)
        self.config, self.kind = config, kind
        published = published_weights(kind, config.dataset, config.image_shape[2])
        self.latent_weight = published[0] if latent_weight is None else latent_weight
        self.penalty_weight = published[1] if penalty_weight is None else penalty_weight
        encoder, decoder = presets.network(config).build(
            config.image_shape, config.latent_dim, dtype
        )
        encoder = keras.Model(encoder.inputs, encoder.outputs[0], name="encoder")
        self.encoder = with_spectral_norm(encoder) if kind == "sn" else encoder
        self.decoder = with_spectral_norm(decoder) if kind in ("sn", "sn_decoder") else decoder
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
        mse = ops.mean(ops.square(y_pred["target"] - y_pred["reconstruction"]))
        latents = ops.mean(ops.square(y_pred["z"]))
        penalty = self.penalty(y_pred["z"], y_pred["reconstruction"], training)
        values = {"mse": mse, "latents": latents, "penalty": penalty}
        for key, tracker in self.trackers.items():
            tracker.update_state(values[key])
        return mse + self.latent_weight * latents + self.penalty_weight * penalty

    def penalty(self, z, x_hat, training):
        """What the kind adds to the loss, before its weight; a scalar."""
        if self.kind == "l2":
            return sum(ops.sum(ops.square(kernel)) for kernel in self.penalised_kernels())
        if self.kind.startswith("gp"):
            v = keras.random.normal(ops.shape(z), dtype="float32", seed=self.seed_generator)
            moved = self.decoder(z + STEP * v, training=training)
            if self.kind == "gp_jacobian":
                return ops.mean(jacobian_norm(x_hat, moved))
            return ops.mean(gradient_of_square(x_hat, moved)) / z.shape[-1]
        return ops.zeros(())

    def penalised_kernels(self):
        """The decoder's kernels that "l2" sums; up to 32 pixels those of convolutions only."""
        kernels = [w for w in self.decoder.trainable_weights if w.path.endswith("kernel")]
        convolutions = [kernel for kernel in kernels if len(kernel.shape) == 4]
        small = max(self.config.image_shape[:2]) <= LARGEST_PARTLY_PENALISED
        return convolutions if small and convolutions else kernels

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


def gradient_of_square(x_hat, moved, step=STEP):
    """Unbiased estimate of |d |x_hat|^2 / dz|^2, `(batch,)`; arguments as of `jacobian_norm`.

    What the published code penalises in its place: the gradient of the squared image.
    """
    # The difference of squares as a product, which float32 keeps.
    difference = ops.sum((moved - x_hat) * (moved + x_hat), axis=(1, 2, 3))
    return ops.square(difference / step)


def check_kind(kind, network):
    """Refuse an unknown kind, and spectral normalisation of the recurrent family."""
    if kind not in KINDS:
        raise UserError(f"Unknown kind of autoencoder {kind!r}. Known: {', '.join(KINDS)}.")
    if kind.startswith("sn") and network == "draw":
        raise UserError(
            "Spectral normalisation takes a decoder of dense and convolutional layers; the network "
            "'draw' is recurrent. Take another network or kind."
        )
