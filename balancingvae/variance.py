"""Variance loss, the variance law, inactive latents and renormalisation, as numpy functions.

Asperti, "Variance Loss in Variational Autoencoders", LOD 2020, and Asperti & Trentin (2020). The
functions named after a paper's quantity compute the paper's definition; `original_...` are the
variants of the published code, which puts the standard deviation sigma where the papers write
sigma^2. Variances are population variances (divided by n) throughout.
"""

import numpy as np

# A latent counts as inactive above this mean of sigma^2 (of sigma in the published code).
INACTIVE_THRESHOLD = 0.8
# The published code renormalises latents only where variance loss / mse of stage two exceeds this.
RATIO_THRESHOLD = 0.25


def variance_loss(x, x_hat):
    """Variance that a reconstruction loses: mean over data of var(x) - var(x_hat).

    The variance is taken over the features of each datum, as "Variance Loss" defines it. For
    centred PCA the same with variances over data equals the mean squared error.

    Args:
        x, x_hat: arrays `(n, ...)`.
    Returns:
        float, squared units of x; positive where reconstructions vary less than data.
    """
    return _mean_variance_difference(_rows(x), _rows(x_hat), axis=1)


def variance_loss_over_data(x, x_hat):
    """Mean over features of the variance over data of x, minus the same of x_hat.

    The published code's "variance loss" of latents.

    Args:
        x, x_hat: arrays `(n, ...)`.
    Returns:
        float, squared units of x.
    """
    return _mean_variance_difference(_rows(x), _rows(x_hat), axis=0)


def variance_law(mean, log_var):
    """Mean over latents of Var(mean) + E[sigma^2] over data; 1 where the posterior matches N(0, I).

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
    """The published code's variance law: E[sigma] in the place of E[sigma^2].

    Above the true law where sigma is below 1; equal to it for collapsed latents.
    """
    return float(np.mean(np.var(mean, axis=0) + mean_sigma(log_var)))


def mean_sigma_squared(log_var):
    """E[sigma^2] over data of each latent, `(latent_dim,)`, from log_var `(n, latent_dim)`."""
    return np.mean(np.exp(log_var), axis=0)


def mean_sigma(log_var):
    """E[sigma] over data of each latent, `(latent_dim,)`, from log_var `(n, latent_dim)`."""
    return np.mean(np.exp(0.5 * np.asarray(log_var)), axis=0)


def inactive_units(log_var, threshold=INACTIVE_THRESHOLD):
    """Which latents carry nothing: mean over data of sigma^2 above `threshold`.

    Args:
        log_var: array `(n, latent_dim)`.
    Returns:
        boolean array `(latent_dim,)`; its sum is the papers' number of inactive variables.
    """
    return mean_sigma_squared(log_var) > threshold


def original_inactive_units(log_var, threshold=INACTIVE_THRESHOLD):
    """The published code's test: mean over data of sigma, not of sigma^2, above `threshold`."""
    return mean_sigma(log_var) > threshold


def renormalize(samples, target_std, per_dimension=False, source_std=None):
    """Scale generated latents so that their standard deviation is `target_std`.

    Nothing is centred. One scalar for all dimensions, as in the published code:
    target_std / mean over dimensions of the std over samples; or one factor per dimension.

    Args:
        samples: array `(n, latent_dim)`, one batch of generated latents.
        target_std: scalar or `(latent_dim,)`, the standard deviation wanted.
        per_dimension: whether every dimension gets its own factor.
        source_std: `(latent_dim,)` standard deviations to divide by, of a larger sample; by default
            those of `samples`.
    Returns:
        array `(n, latent_dim)`.
    """
    std = np.std(samples, axis=0) if source_std is None else np.asarray(source_std)
    return samples * (target_std / (std if per_dimension else np.mean(std)))


def renormalize_images(images, target_std):
    """Move pixels away from the mean image so that they vary as much as real ones; clip to [0, 1].

    mean image + rescale * (image - mean image), with one scalar rescale = target_std / mean over
    pixels of the std over images. The published code does so to reconstructions only.

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


def original_target_std(mean, log_var, mean_hat, threshold=RATIO_THRESHOLD):
    """The published code's decision whether, and towards what, generated latents are renormalised.

    Args:
        mean, log_var: arrays `(n, latent_dim)`, first-stage posterior of n images.
        mean_hat: `(n, latent_dim)`, second-stage reconstructions of `mean`.
        threshold: the least variance loss / mse of the second stage that asks for it.
    Returns:
        sqrt(`original_variance_law`) where the ratio is above `threshold`, else None.
    """
    ratio = variance_loss_over_data(mean, mean_hat) / np.mean(np.square(mean - mean_hat))
    if ratio <= threshold:
        return None
    return float(np.sqrt(original_variance_law(mean, log_var)))


def _rows(x):
    return np.reshape(x, (len(x), -1))


def _mean_variance_difference(x, x_hat, axis):
    return float(np.mean(np.var(x, axis=axis)) - np.mean(np.var(x_hat, axis=axis)))
