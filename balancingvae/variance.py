"""Variance loss, the variance law and inactive latents, as numpy functions.

Asperti, "Variance Loss in Variational Autoencoders", LOD 2020, and Asperti & Trentin (2020). The
functions named after a paper's quantity compute the paper's definition; `original_...` are the
variants of the published code, which uses the standard deviation sigma where the papers write
sigma^2. All variances are population variances (divided by n).
"""

import numpy as np

# A latent counts as inactive above this mean of sigma^2 (of sigma in the published code).
INACTIVE_THRESHOLD = 0.8


def variance_loss(x, x_hat):
    """Variance that a reconstruction loses: mean over data of var(x) - var(x_hat).

    Each variance is over the features of one datum, as "Variance Loss" defines it. For centred PCA,
    the same quantity with variances over the data equals the mean squared error.

    Args:
        x, x_hat: arrays `(n, ...)`.
    Returns:
        float, squared units of x; positive if the reconstructions vary less than the data.
    """
    return _mean_variance_difference(_rows(x), _rows(x_hat), axis=1)


def variance_loss_over_data(x, x_hat):
    """Mean over features of the variance over data of x, minus that of x_hat.

    This is the "variance loss" that the published code prints for latents.

    Args:
        x, x_hat: arrays `(n, ...)`.
    Returns:
        float, squared units of x.
    """
    return _mean_variance_difference(_rows(x), _rows(x_hat), axis=0)


def variance_law(mean, log_var):
    """Mean over latents of Var(mean) + E[sigma^2] over data; 1 if q(z) has the prior's variance.

    Args:
        mean, log_var: arrays `(n, latent_dim)`, posterior parameters of n images.
    Returns:
        float. Asperti & Trentin (2020): E[mu^2] + E[sigma^2] = 1 for each latent.
    """
    return float(np.mean(latent_variance(mean, log_var)))


def latent_variance(mean, log_var):
    """Variance law of each latent, `(latent_dim,)`: Var(mean) + E[sigma^2] over data."""
    return np.var(mean, axis=0) + np.mean(np.exp(log_var), axis=0)


def original_variance_law(mean, log_var):
    """The published code's variance law, with E[sigma] instead of E[sigma^2].

    It exceeds the true law if sigma is below 1, and equals it for collapsed latents.
    """
    return float(np.mean(np.var(mean, axis=0) + mean_sigma(log_var)))


def mean_sigma_squared(log_var):
    """E[sigma^2] over data of each latent, `(latent_dim,)`, from log_var `(n, latent_dim)`."""
    return np.mean(np.exp(log_var), axis=0)


def mean_sigma(log_var):
    """E[sigma] over data of each latent, `(latent_dim,)`, from log_var `(n, latent_dim)`."""
    return np.mean(np.exp(0.5 * np.asarray(log_var)), axis=0)


def inactive_units(log_var, threshold=INACTIVE_THRESHOLD):
    """Which latents carry no information: mean over data of sigma^2 above `threshold`.

    Args:
        log_var: array `(n, latent_dim)`.
    Returns:
        boolean array `(latent_dim,)`; its sum is the papers' number of inactive variables.
    """
    return mean_sigma_squared(log_var) > threshold


def original_inactive_units(log_var, threshold=INACTIVE_THRESHOLD):
    """The published code's test: mean over data of sigma, not of sigma^2, above `threshold`."""
    return mean_sigma(log_var) > threshold


def _rows(x):
    return np.reshape(x, (len(x), -1))


def _mean_variance_difference(x, x_hat, axis):
    return float(np.mean(np.var(x, axis=axis)) - np.mean(np.var(x_hat, axis=axis)))
