"""The two-stage VAE as users meet it: numpy arrays in, numpy arrays out."""

import numpy as np

from balancingvae import variance
from balancingvae.stages import StageOne, StageTwo, check_latents
from vaekit.errors import UserError
from vaekit.images import check_images

# Latents are renormalised in batches of this many, as the published code generates them.
GENERATED_BATCH = 100


class TwoStageVAE:
    """A VAE of images and a second VAE of its latents (Dai & Wipf 2019, Asperti & Trentin 2020).

    Attributes:
        config: the `presets.Config` it was built from; its seed is that of the noise.
        stage_one, stage_two: Keras models of images and of latents.
        latent_std: what generated latents are renormalised to, or None where they are left alone;
            1, the prior's, unless the published code's rule found another (`train.latent_std`).
    """

    def __init__(self, config, dtype="float32", dtype_two="float32"):
        self.config = config
        # The two stages draw independent noise.
        self.stage_one = StageOne(config, dtype, seed=2 * config.seed)
        self.stage_two = StageTwo(config, dtype_two, seed=2 * config.seed + 1)
        self.latent_std = 1.0

    def encode(self, images):
        """Posterior of z: `(mean, log_var)`, each `(n, latent_dim)`.

        Args:
            images: `(n, height, width, channels)`, uint8 0..255 or floats in [0, 1].
        """
        parts = [self.stage_one.posterior(part) for part in self.checked(images)]
        mean, log_std = (np.concatenate(column) for column in zip(*parts, strict=True))
        return mean, 2 * log_std

    def decode(self, z):
        """Images `(n, height, width, channels)` in [0, 1] from latents `(n, latent_dim)`."""
        return self.stage_one.reconstruction(check_latents(z, self.config.latent_dim))

    def reconstruct(self, images, sample=False, seed=None):
        """Encode and decode images.

        Args:
            images: as in `encode`.
            sample: decode one sample of the posterior, as the published code does, rather than the
                posterior mean.
            seed: of the samples.
        Returns:
            `(n, height, width, channels)` in [0, 1].
        """
        mean, log_var = self.encode(images)
        if sample:
            noise = np.random.default_rng(seed).standard_normal(mean.shape)
            mean = mean + np.exp(0.5 * log_var) * noise
        return self.decode(mean)

    def generate(self, n, stage=2, renormalize=True, seed=None):
        """Images `(n, height, width, channels)` in [0, 1] from the prior of one of the stages.

        Args:
            n: number of images.
            stage: 1 draws z from N(0, I); 2 draws u from N(0, I) and decodes it to z.
            renormalize: whether latents are scaled to the deviation `latent_std`.
            seed: of all draws.
        """
        return self.decode(self.generate_latents(n, stage, renormalize, seed))

    def generate_latents(self, n, stage=2, renormalize=True, seed=None):
        """Latents z `(n, latent_dim)` as `generate` decodes them; its arguments."""
        if not isinstance(n, int | np.integer) or n < 1:
            raise UserError(f"n must be a whole number of at least 1; {n!r} came.")
        if stage not in (1, 2):
            raise UserError(f"stage must be 1 or 2; {stage!r} came.")
        rng = np.random.default_rng(seed)
        target = self.latent_std if renormalize else None
        # Whole batches, so that the deviation of few images is that of a batch as well.
        batches = -(-n // GENERATED_BATCH)
        noise = rng.standard_normal((batches * GENERATED_BATCH, self.config.latent_dim))
        if stage == 1:
            return prior_latents(noise, target)[:n]
        z = self.stage_two.decode(noise)
        if self.config.gamma_policy == "learned":
            z = z + float(self.stage_two.gamma) * rng.standard_normal(z.shape)
        return renormalized_latents(z, target)[:n]

    def checked(self, images, size=1000):
        """Checked float images in portions, so that a uint8 array is never copied whole."""
        images = np.asarray(images)
        if images.ndim == 0:
            raise UserError("One number came; images (n, height, width, channels) are taken.")
        for start in range(0, max(len(images), 1), size):
            part = images[start : start + size]
            yield check_images(part, self.config.image_shape, self.config.binary)


def prior_latents(noise, target_std):
    """First-stage latents from standard normal draws, scaled to `target_std` unless None."""
    return noise if target_std is None else noise * target_std


def renormalized_latents(z, target_std, batch_size=GENERATED_BATCH):
    """Second-stage latents, each batch of them renormalised to `target_std` unless None."""
    if target_std is None:
        return z
    starts = range(0, len(z), batch_size)
    return np.concatenate(
        [variance.renormalize(z[start : start + batch_size], target_std) for start in starts]
    )
