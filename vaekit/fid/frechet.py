"""The Frechet distance of two Gaussians in closed form, in float64, without complex numbers."""

import numpy as np
import scipy.linalg

from vaekit.errors import UserError

EPSILON = np.finfo(np.float64).eps


def frechet_distance(a, b):
    """Squared Frechet distance of the Gaussians of two `Statistics`; lower is closer.

    Heusel et al. (2017), eq. 6: |m_a - m_b|^2 + tr(S_a) + tr(S_b) - 2 tr((S_a S_b)^(1/2)).

    Args:
        a, b: `Statistics` of the same extractor under the same protocol.
    Returns:
        float, no unit, exactly 0 for equal statistics.
    Raises:
        UserError: the statistics are not comparable, or contain NaN.
    """
    a.check_comparable(b)
    return gaussian_distance(a.mean, a.covariance, b.mean, b.covariance)


def gaussian_distance(mean_a, covariance_a, mean_b, covariance_b):
    """The same from arrays: means of shape `(d,)`, covariances of shape `(d, d)`."""
    mean_a, covariance_a = _check(mean_a, covariance_a)
    mean_b, covariance_b = _check(mean_b, covariance_b)
    if mean_a.shape != mean_b.shape:
        raise UserError(
            f"Expected statistics over the same number of features, got {len(mean_a)} and "
            f"{len(mean_b)}. Compute both with the same extractor."
        )
    if np.array_equal(mean_a, mean_b) and np.array_equal(covariance_a, covariance_b):
        return 0.0
    means = np.sum(np.square(mean_a - mean_b))
    traces = np.trace(covariance_a) + np.trace(covariance_b)
    return max(0.0, float(means + traces - 2 * trace_sqrt_product(covariance_a, covariance_b)))


def trace_sqrt_product(a, b):
    """Trace of the square root of the product of two positive semi-definite matrices.

    With a = L L' the eigenvalues of a b are those of the symmetric L' b L, so no complex numbers
    arise. If that matrix is singular up to rounding (fewer images than features), a square root
    would turn an error of 1e-16 into 1e-8; the singular values of A' B with a = A A' and b = B B'
    are the same numbers without that loss.

    Args:
        a, b: float64 arrays `(d, d)`, symmetric.
    Returns:
        float.
    """
    varies = (np.diag(a) > 0) & (np.diag(b) > 0)  # constant features contribute exactly 0
    if not varies.any():
        return 0.0
    if not varies.all():
        a, b = a[np.ix_(varies, varies)], b[np.ix_(varies, varies)]
    try:
        factor = np.linalg.cholesky(a)
    except np.linalg.LinAlgError:
        return _nuclear_norm(a, b)
    # L' b L by LAPACK's routine for this product: half the time of two general products.
    product, _ = scipy.linalg.lapack.dsygst(np.asfortranarray(b), factor, itype=2, lower=1)
    eigenvalues = np.linalg.eigvalsh(product, UPLO="L")
    if eigenvalues[0] <= 1e3 * EPSILON * eigenvalues[-1]:
        return _nuclear_norm(a, b)
    return float(np.sum(np.sqrt(eigenvalues)))


def _nuclear_norm(a, b):
    product = _factor(a).T @ _factor(b)
    return float(np.sum(np.linalg.svd(product, compute_uv=False)))


def _factor(covariance):
    """F of shape `(d, rank)` with F F' = covariance: pivoted Cholesky, truncated at rounding."""
    factor, pivots, rank, _ = scipy.linalg.lapack.dpstrf(covariance, lower=1)
    out = np.empty((len(covariance), rank))
    out[pivots - 1] = np.tril(factor)[:, :rank]
    return out


def _check(mean, covariance):
    mean, covariance = np.asarray(mean, np.float64), np.asarray(covariance, np.float64)
    if mean.ndim != 1 or covariance.shape != (mean.size, mean.size):
        raise UserError(
            "Expected a mean of shape (d,) and a covariance of shape (d, d), got "
            f"{mean.shape} and {covariance.shape}."
        )
    if not (np.isfinite(mean).all() and np.isfinite(covariance).all()):
        raise UserError(
            "Expected finite statistics, got NaN or infinite values. Check the images and the "
            "extractor's weights, then compute the statistics again."
        )
    return mean, covariance
