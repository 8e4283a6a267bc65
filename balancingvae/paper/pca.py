"""Why averages lose variance: PCA, means of pairs and smoothing, as numpy functions.

Asperti, "Variance Loss in Variational Autoencoders", LOD 2020. What a projection leaves is
orthogonal to what it loses, so the variance that it loses is its squared error.
"""

import numpy as np

from balancingvae import variance


def pca_reconstructions(x):
    """Reconstructions of data by their first k principal components, for k = 0, 1, 2, ...

    Args:
        x: array `(n, ...)`; it is centred here.
    Yields:
        `(k, x_hat)`: float64 arrays of the shape of x, with the mean added back; k runs from 0
        (the mean itself) to the rank.
    """
    rows = np.reshape(x, (len(x), -1)).astype(np.float64)
    mean = rows.mean(axis=0)
    left, singular, right = np.linalg.svd(rows - mean, full_matrices=False)
    x_hat = np.repeat(mean[None], len(rows), axis=0)
    yield 0, x_hat.reshape(np.shape(x))
    for k in range(int((singular > singular[0] * 1e-10).sum())):
        x_hat = x_hat + singular[k] * np.outer(left[:, k], right[k])
        yield k + 1, x_hat.reshape(np.shape(x))


def pca_losses(x, components=None):
    """Squared error and variance losses of PCA at every number of components.

    The theorem: `variance_loss_over_data` equals `mse` at every k. The per-image variance loss
    differs from them by the change of the squared mean of each image, which the first components
    keep.

    Args:
        x: array `(n, ...)`.
        components: the numbers k to report; all by default.
    Returns:
        list of dicts `k`, `mse`, `variance_loss_over_data`, `variance_loss`.
    """
    found = (pair for pair in pca_reconstructions(x) if components is None or pair[0] in components)
    return [{"k": k, **losses(x, x_hat)} for k, x_hat in found]


def losses(x, x_hat):
    """`mse` and both variance losses of reconstructions, a dict of floats; arrays `(n, ...)`."""
    x, x_hat = np.asarray(x, np.float64), np.asarray(x_hat, np.float64)
    return {
        "mse": float(np.mean(np.square(x - x_hat))),
        "variance_loss": variance.variance_loss(x, x_hat),
        "variance_loss_over_data": variance.variance_loss_over_data(x, x_hat),
    }


def brightness_difference(x, x_hat):
    """What separates the per-image variance loss of a projection from the one over data.

    The mean of an image is one feature's worth of signal that a variance over its features leaves
    out: for PCA, and for means of pairs, variance_loss + brightness_difference = mse. It is the
    mean over data of m^2 - m_hat^2, with m and m_hat the means over features; both variance losses
    agree where images keep their mean brightness.

    Args:
        x, x_hat: arrays `(n, ...)`.
    """
    axes = tuple(range(1, np.ndim(x)))
    m, m_hat = np.mean(x, axis=axes, dtype=np.float64), np.mean(x_hat, axis=axes, dtype=np.float64)
    return float(np.mean(np.square(m) - np.square(m_hat)))


def pairs_averaged(x, permutation):
    """Every datum averaged with another: (x + x[permutation]) / 2.

    Its mean squared error equals its variance loss (over data), whatever the permutation.
    """
    x = np.asarray(x, np.float64)
    return (x + x[permutation]) / 2


def smoothed(signal, width):
    """Moving average of a periodic signal `(n,)` over `width` neighbours, an odd number."""
    half = width // 2
    shifted = [np.roll(signal, shift) for shift in range(-half, half + 1)]
    return np.mean(shifted, axis=0)


def smoothing_losses(signal, widths):
    """The one-dimensional example: mse and variance loss of ever wider moving averages.

    Args:
        signal: array `(n,)`, taken as periodic.
        widths: odd numbers.
    Returns:
        list of dicts `width`, `mse`, `variance_loss`, `variance` of the smoothed signal.
    """
    rows = []
    for width in widths:
        smooth = smoothed(signal, width)
        rows.append(
            {
                "width": width,
                "mse": float(np.mean(np.square(signal - smooth))),
                "variance_loss": float(np.var(signal) - np.var(smooth)),
                "variance": float(np.var(smooth)),
            }
        )
    return rows


def fitted_line(x, y):
    """Least-squares line and correlation: dict of `slope`, `offset`, `correlation`, `count`."""
    x, y = np.asarray(x, float), np.asarray(y, float)
    slope, offset = np.polyfit(x, y, 1)
    return {
        "slope": float(slope),
        "offset": float(offset),
        "correlation": float(np.corrcoef(x, y)[0, 1]),
        "count": len(x),
    }
