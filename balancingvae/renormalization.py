"""Renormalisation of latents and of images, as numpy functions.

Asperti, "Variance Loss in Variational Autoencoders", LOD 2020, renormalises generated data to the
variance of real data. This module contains the equations, then the per-batch rule that models use
for generation and the published code's decision, then options for every reading of code and papers
(`LatentRule`, `ImageRule`), which `balancingvae.paper` compares.
"""

import dataclasses

import numpy as np

from balancingvae import variance
from vaekit.errors import check_choice

# Number of latents that are renormalised together; the published code generates such batches.
GENERATED_BATCH = 100
# The published code renormalises latents only if variance loss / mse of stage two exceeds this.
RATIO_THRESHOLD = 0.25

# What the deviation of generated latents should be: 1, as in the prior; the root of the variance
# law E[mu^2] + E[sigma^2]; or the same root with sigma for sigma^2, as in the published code.
LATENT_TARGETS = ("unit", "law", "original_law")
# One factor for all latents (published code), or one for each.
SCALES = ("scalar", "per_dimension")
# Where deviations of generated latents are measured: in each batch of 100 (published code), or in a
# large sample.
STATISTICS = ("batch", "reference")
# Whose pixels are renormalised: reconstructions only (the effect of the published code), or all
# images (paper).
IMAGES = ("none", "reconstructions", "all")
SPLITS = ("train", "test")


def renormalize(samples, target_std, per_dimension=False, source_std=None):
    """Scale generated latents so that their standard deviation is `target_std`.

    The latents are not centred. By default one factor applies to all dimensions, as in the
    published code: target_std / mean over dimensions of the std over samples.

    Args:
        samples: array `(n, latent_dim)`, one batch of generated latents.
        target_std: scalar or `(latent_dim,)`, the desired standard deviation.
        per_dimension: whether every dimension gets its own factor.
        source_std: `(latent_dim,)` standard deviations of a larger sample to divide by; by default
            those of `samples`.
    Returns:
        array `(n, latent_dim)`.
    """
    std = np.std(samples, axis=0) if source_std is None else np.asarray(source_std)
    return samples * (target_std / (std if per_dimension else np.mean(std)))


def renormalize_images(images, target_std):
    """Move pixels away from the mean image so that they vary as much as real ones; clip to [0, 1].

    The result is mean image + rescale * (image - mean image), with one scalar rescale =
    target_std / mean over pixels of the std over images. The published code does this to
    reconstructions only.

    Args:
        images: array `(n, height, width, channels)` in [0, 1].
        target_std: scalar, mean over pixels of the std over real images (`mean_pixel_std`).
    Returns:
        array like `images`, in [0, 1].
    """
    mean = np.mean(images, axis=0)
    rescale = target_std / mean_pixel_std(images)
    return np.clip(mean + rescale * (images - mean), 0, 1)


def mean_pixel_std(images):
    """Mean over pixels and channels of the standard deviation over images `(n, ...)`."""
    return np.mean(np.std(images, axis=0))


def prior_latents(noise, target_std):
    """First-stage latents from standard normal draws, scaled to `target_std` unless None."""
    return noise if target_std is None else noise * target_std


def renormalized_latents(z, target_std, batch_size=GENERATED_BATCH):
    """Second-stage latents, each batch of them renormalised to `target_std` unless None."""
    if target_std is None:
        return z
    return renormalize_batches(z, target_std, batch_size=batch_size)


def renormalize_batches(z, target_std, per_dimension=False, batch_size=GENERATED_BATCH):
    """Renormalise each batch of `batch_size` rows on its own; the last one may be smaller."""
    starts = range(0, len(z), batch_size)
    parts = [z[start : start + batch_size] for start in starts]
    return np.concatenate([renormalize(part, target_std, per_dimension) for part in parts])


def original_target_std(mean, log_var, mean_hat, threshold=RATIO_THRESHOLD):
    """What the published code renormalises generated latents to, or None if it leaves them alone.

    Args:
        mean, log_var: arrays `(n, latent_dim)`, first-stage posterior of n images.
        mean_hat: `(n, latent_dim)`, second-stage reconstructions of `mean`.
        threshold: variance loss / mse of the second stage above which latents are renormalised.
    Returns:
        sqrt(`original_variance_law`) if the ratio is above `threshold`, else None.
    """
    ratio = variance.variance_loss_over_data(mean, mean_hat) / np.mean(np.square(mean - mean_hat))
    if ratio <= threshold:
        return None
    return float(np.sqrt(variance.original_variance_law(mean, log_var)))


@dataclasses.dataclass(frozen=True)
class LatentRule:
    """How generated latents are scaled.

    Attributes:
        target: one of `LATENT_TARGETS`.
        scale: one of `SCALES`.
        statistics: one of `STATISTICS`.
        threshold: renormalise only if variance loss / mse of the second stage exceeds it, 0.25 in
            the published code; None renormalises always.
    """

    target: str = "unit"
    scale: str = "scalar"
    statistics: str = "batch"
    threshold: float | None = None

    def __post_init__(self):
        for name, known in (
            ("target", LATENT_TARGETS),
            ("scale", SCALES),
            ("statistics", STATISTICS),
        ):
            check_choice(name, getattr(self, name), known)

    @property
    def name(self):
        """The rule in words."""
        rule = "" if self.threshold is None else f", if ratio > {self.threshold:g}"
        scale = self.scale.replace("_", " ")
        return f"{self.target.replace('_', ' ')}, {scale}, {self.statistics}{rule}"


ORIGINAL = LatentRule("original_law", "scalar", "batch", RATIO_THRESHOLD)


@dataclasses.dataclass(frozen=True)
class ImageRule:
    """Which images are renormalised, and to the statistics of which split of real images."""

    images: str = "reconstructions"
    split: str = "train"

    def __post_init__(self):
        check_choice("images", self.images, IMAGES)
        check_choice("split", self.split, SPLITS)


def target_std(mean, log_var, rule):
    """The deviation that generated latents should have.

    Args:
        mean, log_var: first-stage posterior of n images, each `(n, latent_dim)`.
        rule: a `LatentRule`.
    Returns:
        A float for "scalar"; `(latent_dim,)` for "per_dimension".
    """
    if rule.target == "unit":
        law = np.ones(np.shape(mean)[1])
    elif rule.target == "law":
        law = variance.latent_variance(mean, log_var)
    else:
        law = np.var(mean, axis=0) + variance.mean_sigma(log_var)
    return np.sqrt(law) if rule.scale == "per_dimension" else float(np.sqrt(np.mean(law)))


def applies(rule, ratio):
    """Whether the rule changes latents, given variance loss / mse of the second stage."""
    return rule.threshold is None or ratio > rule.threshold


def renormalized(z, target, rule, reference, batch=GENERATED_BATCH):
    """Latents with the deviation `target`.

    Args:
        z: generated latents `(n, latent_dim)`.
        target: result of `target_std`.
        rule: a `LatentRule`.
        reference: `(latent_dim,)` deviations of a large sample of the same kind.
        batch: number of rows for the statistics "batch".
    Returns:
        array like z.
    """
    per_dimension = rule.scale == "per_dimension"
    if rule.statistics == "reference":
        return renormalize(z, target, per_dimension, reference)
    return renormalize_batches(z, target, per_dimension, batch)


def moved(images, real, name, rule):
    """Images of the set `name`, renormalised if the rule includes this set, else unchanged.

    Args:
        images: `(n, height, width, channels)` in [0, 1].
        real: real images in [0, 1] of the rule's split.
        name: "REC", "GEN-1" or "GEN-2".
        rule: an `ImageRule`.
    """
    wanted = rule.images == "all" or (rule.images == "reconstructions" and name == "REC")
    if not wanted:
        return images
    return renormalize_images(images, mean_pixel_std(real)).astype(np.float32)
