"""The two kinds of one-stage VAE: of images, and of the latents of another VAE."""

import keras
import numpy as np

from balancingvae import losses, networks
from balancingvae.gaussian_vae import GaussianVAE
from balancingvae.sampling import check_seed
from vaekit.distributions import check_latents, draw_posterior
from vaekit.errors import UserError, check_positive_integer
from vaekit.images import check_images, compact_images, scaled
from vaekit.training.inputs import ImageInputs

# Number of images converted to floats at a time, so that a uint8 array is never copied whole.
PORTION = 1000


@keras.saving.register_keras_serializable("balancingvae")
class BalancedVAE(ImageInputs, GaussianVAE):
    """A Gaussian VAE of images whose gamma follows a rule. Asperti & Trentin (2020).

    `fit`, `evaluate`, `predict` and the methods below accept images as uint8 0..255, bool, or
    floats in [0, 1], `(n, height, width, channels)`.

    Args:
        encoder: any Keras model from float images in [0, 1] to mean and log_var of z, each
            `(batch, latent_dim)`.
        decoder: any Keras model from z to images in [0, 1].
        balance: the rule for gamma: "computed", "computed_average", "learned", "fixed", "batch", or
            an object of `balancingvae.gamma`.
        kl_weight: factor k of the KL; None for the published `losses.kl_factor`.
        reconstruction: "gaussian", or "cross_entropy" as in Dai & Wipf's other loss.
        network: instead of encoder and decoder: "resnet" (the default), or another name or builder
            of `balancingvae.networks`.
        image_shape: `(height, width, channels)`; may be omitted if the encoder has a fixed input
            shape.
        latent_dim: number of latents of a `network`, by default 64.
        original_constant: whether log(2 pi) / 2 is truncated to 0.91893 as in the published code.
        seed: seed of the noise; initial weights depend on `keras.utils.set_random_seed`.
        dtype: Keras dtype policy of a `network`.
    Raises:
        UserError: arguments contradict each other, or the shapes of the networks do not fit.
    """

    def __init__(
        self,
        encoder=None,
        decoder=None,
        balance="computed",
        kl_weight=1.0,
        reconstruction="gaussian",
        network=None,
        image_shape=None,
        latent_dim=None,
        original_constant=False,
        seed=None,
        dtype="float32",
        name="balanced_vae",
    ):
        own = _check_networks(encoder, decoder, network)
        image_shape = _check_image_shape(image_shape, encoder)
        if not own:
            latent_dim = check_positive_integer(
                "latent_dim", 64 if latent_dim is None else latent_dim
            )
            network = networks.get("resnet" if network is None else network)
            encoder, decoder = network.build(image_shape, latent_dim, dtype)
        super().__init__(
            encoder,
            decoder,
            image_shape,
            balance=balance,
            kl_weight=1.0 if kl_weight is None else kl_weight,
            reconstruction=reconstruction,
            original_constant=original_constant,
            seed=check_seed(seed),
            name=name,
        )
        if latent_dim not in (None, self.latent_dim):
            raise UserError(
                f"latent_dim is {latent_dim}, but the encoder gives {self.latent_dim} latents. "
                "Leave latent_dim out to read it off the encoder."
            )
        self.image_shape, self.network, self.network_dtype = image_shape, network, dtype
        if kl_weight is None:
            self.kl_weight = losses.kl_factor(image_shape, self.latent_dim)

    def call(self, images, training=False):
        return self.autoencode(scaled(images), None, training)

    def check_input(self, images, training):
        return compact_images(images, self.image_shape)

    def encode(self, images):
        """Posterior of z: numpy `(mean, log_var)`, each `(n, latent_dim)`.

        Args:
            images: `(n, height, width, channels)`, uint8 0..255, bool, or floats in [0, 1].
        """
        images = compact_images(images, self.image_shape)
        parts = [
            self._inference(
                "encode", check_images(images[start : start + PORTION], self.image_shape)
            )
            for start in range(0, len(images), PORTION)
        ]
        mean, log_var = (np.concatenate(column) for column in zip(*parts, strict=True))
        return mean, log_var

    def decode(self, z):
        """Images `(n, height, width, channels)` in [0, 1] from latents `(n, latent_dim)`."""
        return self._inference("decode", check_latents(z, self.latent_dim))

    def reconstruct(self, images, sample=False, seed=None):
        """Encode and decode images.

        Args:
            images: as in `encode`.
            sample: whether to decode one sample of the posterior, as the published code does,
                instead of the posterior mean.
            seed: seed of the samples.
        Returns:
            `(n, height, width, channels)` in [0, 1].
        """
        mean, log_var = self.encode(images)
        return self.decode(draw_posterior(mean, log_var, seed) if sample else mean)

    def sample(self, n, seed=None):
        """n images `(n, height, width, channels)` in [0, 1], decoded from z ~ N(0, I)."""
        n = check_positive_integer("n", n)
        return self.decode(np.random.default_rng(seed).standard_normal((n, self.latent_dim)))

    def get_config(self):
        saved = keras.saving.serialize_keras_object
        parts = {
            "image_shape": self.image_shape,
            "kl_weight": self.kl_weight,
            "reconstruction": self.reconstruction,
        }
        if self.network is None:
            parts |= {"encoder": saved(self.encoder), "decoder": saved(self.decoder)}
        else:
            parts |= {
                "network": saved(self.network),
                "latent_dim": self.latent_dim,
                "dtype": self.network_dtype,
            }
        return parts | self._settings()


@keras.saving.register_keras_serializable("balancingvae")
class LatentVAE(GaussianVAE):
    """The second stage: a VAE from latents z to latents u of the same number. Dai & Wipf (2019).

    `fit` and `evaluate` accept latents `(n, latent_dim)`, or a pair (mean, log_var) of first-stage
    posteriors, each `(n, latent_dim)`, from which every batch samples z anew. A stream of batches
    must yield `(x,)`, where x is one of the two.

    Args:
        latent_dim: number of latents.
        depth, width: number of dense layers in encoder and decoder each, and their units.
        balance: the rule for gamma, as in `BalancedVAE`.
        original_constant, seed, dtype: as in `BalancedVAE`.
    """

    def __init__(
        self,
        latent_dim,
        depth=3,
        width=2048,
        balance="computed",
        original_constant=False,
        seed=None,
        dtype="float32",
        name="latent_vae",
    ):
        latent_dim = check_positive_integer("latent_dim", latent_dim)
        network = networks.StageTwo(depth, width)
        super().__init__(
            *network.build(latent_dim, dtype),
            (latent_dim,),
            balance=balance,
            original_constant=original_constant,
            seed=check_seed(seed),
            name=name,
        )
        self.network, self.network_dtype = network, dtype

    def call(self, latents, training=False):
        pair = isinstance(latents, (list, tuple))
        return self.autoencode(self.sampling(list(latents)) if pair else latents, None, training)

    def fit(self, x=None, *args, validation_data=None, **keywords):
        """Like `keras.Model.fit`; x is latents or a pair (mean, log_var)."""
        if validation_data is not None:
            single = isinstance(validation_data, (tuple, list)) and len(validation_data) == 1
            target = validation_data[0] if single else validation_data
            target = self._checked(target, training=False)
            validation_data = (target,) if single or _is_pair(target) else target
        x = self._checked(x, training=True)
        return super().fit(x, *args, validation_data=validation_data, **keywords)

    def evaluate(self, x=None, *args, **keywords):
        """Like `keras.Model.evaluate`."""
        return super().evaluate(self._checked(x, training=False), *args, **keywords)

    def predict(self, x, *args, **keywords):
        """Reconstructions of z from the posterior means of u; for a pair, those of its mean."""
        return super().predict(x[0] if _is_pair(x) else x, *args, **keywords)

    def encode(self, z):
        """Posterior of u: `(mean, log_var)` from latents z, each `(n, latent_dim)`."""
        return self._inference("encode", check_latents(z, self.latent_dim))

    def decode(self, u):
        """Latents z from u, each `(n, latent_dim)`."""
        return self._inference("decode", check_latents(u, self.latent_dim))

    def sample(self, n, seed=None):
        """n latents z `(n, latent_dim)`, decoded from u ~ N(0, I)."""
        n = check_positive_integer("n", n)
        return self.decode(np.random.default_rng(seed).standard_normal((n, self.latent_dim)))

    def _checked(self, x, training):
        if _is_pair(x):
            return tuple(check_latents(part, self.latent_dim) for part in x)
        if isinstance(x, np.ndarray):
            return check_latents(x, self.latent_dim)
        return x

    def get_config(self):
        parts = {"latent_dim": self.latent_dim, "dtype": self.network_dtype}
        return parts | self.network.get_config() | self._settings()


def _is_pair(x):
    return isinstance(x, (list, tuple)) and len(x) == 2


def _check_networks(encoder, decoder, network):
    """Whether encoder and decoder are given; raises if one is missing, or a network is given."""
    if (encoder is None) != (decoder is None):
        missing = "decoder" if decoder is None else "encoder"
        raise UserError(f"encoder and decoder must be given together; the {missing} is missing.")
    if encoder is not None and network is not None:
        raise UserError("Give either encoder and decoder, or network, not both.")
    return encoder is not None


def _check_image_shape(image_shape, encoder):
    """`(height, width, channels)` as given, or of the encoder's input."""
    if image_shape is None:
        found = getattr(encoder, "input_shape", None)
        image_shape = found[1:] if isinstance(found, tuple) else None
    try:
        height, width, channels = (check_positive_integer("image_shape", n) for n in image_shape)
    except (TypeError, ValueError) as error:
        raise UserError(
            "image_shape must be (height, width, channels), three positive integers, got "
            f"{image_shape!r}. It may be omitted if the encoder has a fixed input shape."
        ) from error
    return height, width, channels
