"""Renormalisation of latents and of images, each choice by name; numpy functions.

Asperti, "Variance Loss in Variational Autoencoders", LOD 2020: generated data are renormalised to
the variance of real data. The published code does part of that, under a condition; the papers' text
says more. Every reading is an option here, and `ablation` compares them.
"""

import dataclasses

import numpy as np

from balancingvae import variance
from vaekit.errors import UserError

# What the deviation of generated latents should be: 1, the prior's; the root of the variance law
# E[mu^2] + E[sigma^2]; or that with sigma for sigma^2, as the published code has it.
LATENT_TARGETS = ("unit", "law", "original_law")
# One factor for all latents (published code), or one for each.
SCALES = ("scalar", "per_dimension")
# Deviations of what is generated: of each batch of 100 (published code), or of a large sample.
STATISTICS = ("batch", "reference")
# Pixels of reconstructions only (what the published code does in effect), or of all images (paper).
IMAGES = ("none", "reconstructions", "all")
SPLITS = ("train", "test")
BATCH = 100


def check_choice(name, value, known):
    """Refuse a value that is not among the known ones."""
    if value not in known:
        raise UserError(f"Unknown {name} {value!r}. Known: {', '.join(known)}.")


@dataclasses.dataclass(frozen=True)
class LatentRule:
    """How generated latents are scaled.

    Attributes:
        target: one of `LATENT_TARGETS`.
        scale: one of `SCALES`.
        statistics: one of `STATISTICS`.
        threshold: renormalise only where variance loss / mse of the second stage exceeds it; None:
            always. The published code takes 0.25.
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
        """The choices in words."""
        rule = "" if self.threshold is None else f", if ratio > {self.threshold:g}"
        scale = self.scale.replace("_", " ")
        return f"{self.target.replace('_', ' ')}, {scale}, {self.statistics}{rule}"


ORIGINAL = LatentRule("original_law", "scalar", "batch", variance.RATIO_THRESHOLD)


@dataclasses.dataclass(frozen=True)
class ImageRule:
    """Which images have their pixels moved, and to the statistics of which real images."""

    images: str = "reconstructions"
    split: str = "train"

    def __post_init__(self):
        check_choice("images", self.images, IMAGES)
        check_choice("split", self.split, SPLITS)


def target_std(mean, log_var, rule):
    """What the deviation of generated latents should be.

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
    """Whether latents are touched at all, for the second stage's variance loss / mse."""
    return rule.threshold is None or ratio > rule.threshold


def renormalized(z, target, rule, reference, batch=BATCH):
    """Latents with the deviation `target`.

    Args:
        z: generated latents `(n, latent_dim)`.
        target: from `target_std`.
        rule: a `LatentRule`.
        reference: `(latent_dim,)` deviations of a large sample of the same kind.
        batch: rows that the statistics "batch" are taken over.
    Returns:
        array like z.
    """
    per_dimension = rule.scale == "per_dimension"
    if rule.statistics == "reference":
        return variance.renormalize(z, target, per_dimension, reference)
    parts = [z[start : start + batch] for start in range(0, len(z), batch)]
    return np.concatenate([variance.renormalize(part, target, per_dimension) for part in parts])


def moved(images, real, name, rule):
    """Images of the set `name` with pixels moved as the rule says; others are given back.

    Args:
        images: `(n, height, width, channels)` in [0, 1].
        real: real images in [0, 1] of the rule's split.
        name: "REC", "GEN-1" or "GEN-2".
        rule: an `ImageRule`.
    """
    wanted = rule.images == "all" or (rule.images == "reconstructions" and name == "REC")
    if not wanted:
        return images
    return variance.renormalize_images(images, variance.mean_pixel_std(real)).astype(np.float32)
