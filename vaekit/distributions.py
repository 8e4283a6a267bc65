"""Gaussians that both packages use: densities, KL, samples. Tensors in, tensors out, unless named
otherwise; every function is pure, and randomness comes in as an argument."""

import math

import numpy as np
from keras import ops

from vaekit.errors import UserError

LOG_2PI = math.log(2 * math.pi)


def gaussian_kl(mean, log_var):
    """KL from N(mean, exp(log_var)) to N(0, I), closed form.

    Args:
        mean, log_var: tensors of shape `(batch, latent_dim)`.
    Returns:
        `(batch,)`, nats per image; zero exactly when mean = log_var = 0. Kingma & Welling (2014),
        App. B.
    """
    # expm1 keeps collapsed units (log_var near 0) accurate in float32.
    return 0.5 * ops.sum(ops.expm1(log_var) - log_var + ops.square(mean), axis=-1)


def sample_posterior(mean, log_var, noise):
    """z = mean + exp(log_var / 2) * noise, the reparameterisation. Kingma & Welling (2014), 2.4.

    Args:
        mean, log_var, noise: `(batch, latent_dim)`; the noise is standard normal.
    """
    return mean + ops.exp(0.5 * log_var) * noise


def gaussian_log_prob(z, mean, log_var):
    """log N(z; mean, exp(log_var)), summed over the last axis: `(batch,)`, nats."""
    quadratic = ops.square(z - mean) * ops.exp(-log_var)
    return -0.5 * ops.sum(quadratic + log_var + LOG_2PI, axis=-1)


def standard_log_prob(z):
    """log N(z; 0, I): `(batch, latent_dim)` -> `(batch,)`, nats."""
    return -0.5 * ops.sum(ops.square(z) + LOG_2PI, axis=-1)


def posterior_log_prob(log_var, noise):
    """log q(z given x) at z = mean + exp(log_var / 2) * noise: `(batch,)`, nats.

    It is computed from the noise itself, so that no difference z - mean is formed.
    """
    return -0.5 * ops.sum(ops.square(noise) + log_var + LOG_2PI, axis=-1)


def draw_posterior(mean, log_var, seed=None):
    """One sample of N(mean, exp(log_var)) per row. numpy in, numpy out.

    Args:
        mean, log_var: arrays `(n, latent_dim)`.
        seed: of the samples, or a `numpy.random.Generator`.
    Returns:
        array `(n, latent_dim)`, float32 where mean and log_var are.
    """
    noise = np.random.default_rng(seed).standard_normal(np.shape(mean)).astype(np.float32)
    return mean + np.exp(0.5 * log_var) * noise


def check_latents(z, latent_dim):
    """Latents as a float32 array `(n, latent_dim)`.

    Raises:
        UserError: another shape or dtype, no rows, NaN or infinite values.
    """
    z = np.asarray(z)
    if z.ndim != 2 or z.shape[1] != latent_dim or not len(z):
        raise UserError(
            f"Expected latents of shape (n, {latent_dim}) with n at least 1, got {z.shape}."
        )
    if z.dtype.kind not in "fiu":
        raise UserError(f"Expected latents of a numeric dtype, got {z.dtype}.")
    if not np.isfinite(z).all():
        raise UserError("Expected finite latents, got NaN or infinite values.")
    return z.astype(np.float32)
