"""The figures of an evaluation, computed from arrays."""

import numpy as np

from balancingvae import renormalization, variance
from vaekit.distributions import gaussian_kl


def posterior_figures(mean, log_var):
    """Figures of the posterior of n images, by the definitions of the papers and of their code.

    Args:
        mean, log_var: arrays `(n, latent_dim)`.
    Returns:
        dict: `kl` (nats per image), `variance_law`, `inactive`, and `original_...` variants.
    """
    return {
        "kl": float(np.mean(gaussian_kl(mean, log_var))),
        "variance_law": variance.variance_law(mean, log_var),
        "inactive": int(variance.inactive_units(log_var).sum()),
        "original_variance_law": variance.original_variance_law(mean, log_var),
        "original_inactive": int(variance.original_inactive_units(log_var).sum()),
        "mean_sigma_squared": variance.mean_sigma_squared(log_var).tolist(),
    }


def reconstruction_figures(real, sampled, from_mean):
    """Errors and variance losses of reconstructions.

    Args:
        real: images `(n, height, width, channels)` in [0, 1].
        sampled: images decoded from one posterior sample each, as in the published code.
        from_mean: images decoded from the posterior means.
    Returns:
        dict: `mse` and `variance_loss` of the sampled ones; `mse_renormalized`, their mse after
        renormalisation of the pixels, which is what the published code prints; `mse_from_mean`,
        `variance_loss_from_mean`.
    """
    moved = renormalization.renormalize_images(sampled, renormalization.mean_pixel_std(real))
    return {
        "mse": squared(real, sampled),
        "mse_renormalized": squared(real, moved),
        "mse_from_mean": squared(real, from_mean),
        "variance_loss": variance.variance_loss(real, sampled),
        "variance_loss_from_mean": variance.variance_loss(real, from_mean),
    }


def second_stage_figures(mean, mean_hat):
    """Errors of the second stage's reconstructions of posterior means `(n, latent_dim)`."""
    mse, loss = squared(mean, mean_hat), variance.variance_loss_over_data(mean, mean_hat)
    return {"mse": mse, "variance_loss_over_data": loss, "ratio": loss / mse}


def squared(x, x_hat):
    """Mean squared error of two arrays as a float."""
    return float(np.mean(np.square(np.asarray(x) - x_hat), dtype=np.float64))


def shrunk(images, most):
    """Images `(n, height, width, channels)` in [0, 1], each 2 x 2 pixels replaced by their mean.

    This repeats until an image has at most `most` values; an odd side loses its last row or column.
    """
    images = np.asarray(images, np.float32)
    while np.prod(images.shape[1:]) > most:
        images = images[:, : images.shape[1] // 2 * 2, : images.shape[2] // 2 * 2]
        images = (images[:, ::2] + images[:, 1::2]) / 2
        images = (images[:, :, ::2] + images[:, :, 1::2]) / 2
    return images


def mean_variance(latents):
    """Mean over latents of the variance over samples `(n, latent_dim)`."""
    return float(np.mean(np.var(latents, axis=0)))
