"""The papers' quantities in closed form: variance law, inactive latents, variance loss."""

import numpy as np
import pytest

from balancingvae import variance


def posterior(n=200_000, seed=0):
    """Means and log variances of three latents that obey the law, and of one that does not.

    Each mean has variance 1 - sigma^2; sigma^2 is 0.2, 0.9, 1 (collapsed); the last has 0.5 with
    means of variance 1.
    """
    sigma_squared = np.array([0.2, 0.9, 1.0, 0.5])
    spread = np.sqrt([0.8, 0.1, 0.0, 1.0])
    mean = np.random.default_rng(seed).standard_normal((n, 4)) * spread + [3.0, 0.0, -1.0, 0.0]
    return mean, np.broadcast_to(np.log(sigma_squared), mean.shape)


def test_variance_law_of_the_papers():
    mean, log_var = posterior()
    np.testing.assert_allclose(variance.latent_variance(mean, log_var), [1, 1, 1, 1.5], atol=0.01)
    assert variance.variance_law(mean, log_var) == pytest.approx(1.125, abs=0.005)
    # Two posteriors by hand: Var(mean) = 1 and E[sigma^2] = (0.5 + 1.5) / 2.
    assert variance.variance_law([[1.0], [-1.0]], np.log([[0.5], [1.5]])) == pytest.approx(2.0)


def test_variance_law_of_the_published_code_takes_sigma():
    mean, log_var = posterior()
    # With E[sigma] instead of E[sigma^2], each latent has 1 - sigma^2 + sigma.
    sigma = np.sqrt([0.2, 0.9, 1.0, 0.5])
    expected = np.mean(np.array([0.8, 0.1, 0.0, 1.0]) + sigma)
    assert variance.original_variance_law(mean, log_var) == pytest.approx(expected, abs=0.005)


def test_inactive_latents():
    _mean, log_var = posterior(10)
    np.testing.assert_array_equal(variance.inactive_units(log_var), [False, True, True, False])
    # The mean of sigma^2 decides, not each image: 0.85 over 1.5 and 0.2.
    assert variance.inactive_units(np.log([[1.5], [0.2]])).tolist() == [True]
    # sigma^2 = 0.7 is active, its sigma of 0.837 inactive in the published code.
    log_var = np.log([[0.7], [0.7]])
    assert not variance.inactive_units(log_var).any()
    assert variance.original_inactive_units(log_var).all()
    assert not variance.inactive_units(np.log([[1.5], [0.2]]), threshold=0.9).any()


def test_variance_loss_of_a_shrunken_reconstruction():
    x = np.random.default_rng(1).standard_normal((50, 4, 4, 1))
    # Half of every deviation keeps a quarter of the variance.
    half = x.mean((1, 2, 3), keepdims=True) + 0.5 * (x - x.mean((1, 2, 3), keepdims=True))
    expected = 0.75 * np.var(x.reshape(50, -1), axis=1).mean()
    assert variance.variance_loss(x, half) == pytest.approx(expected)
    half = x.mean(0) + 0.5 * (x - x.mean(0))
    assert variance.variance_loss_over_data(x, half) == pytest.approx(0.75 * x.var(0).mean())
