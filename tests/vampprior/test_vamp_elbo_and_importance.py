"""The bound and log p(x) against models whose log p(x) is known."""

import math

import numpy as np
import pytest
from keras import ops

from vaekit.distributions import (
    gaussian_kl,
    gaussian_log_prob,
    posterior_log_prob,
    sample_posterior,
    standard_log_prob,
)
from vampprior import importance
from vampprior.elbo import elbo, warm_up_beta
from vampprior.likelihoods import bernoulli_log_prob
from vampprior.mixtures import mixture_log_prob


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


class LinearGaussian:
    """x = W z + noise with orthogonal columns, so that the true posterior is diagonal."""

    def __init__(self, pixels=6, latent_dim=2, variance=0.3, seed=0):
        rng = np.random.default_rng(seed)
        q, _ = np.linalg.qr(rng.normal(size=(pixels, latent_dim)))
        self.weights = q * np.array([1.5, 0.7])[:latent_dim]
        self.variance = variance
        self.x = rng.normal(size=(4, pixels))
        covariance = self.weights @ self.weights.T + variance * np.eye(pixels)
        log_det = np.linalg.slogdet(2 * np.pi * covariance)[1]
        self.log_p = -0.5 * (
            log_det + np.einsum("ni,ij,nj->n", self.x, np.linalg.inv(covariance), self.x)
        )
        self.posterior_var = 1 / (1 + (self.weights**2).sum(0) / variance)
        self.posterior_mean = self.x @ self.weights * self.posterior_var / variance

    def log_conditional(self, x, z):
        means = ops.reshape(ops.matmul(z, np.float32(self.weights.T)), (len(self.x), -1, 6))
        return gaussian_log_prob(x, means, math.log(self.variance))

    def log_weights(self, mean, var, noise):
        log_var = np.broadcast_to(np.log(var), mean.shape)
        arguments = (np.asarray(a, "float32") for a in (self.x, mean, log_var, noise))
        weights = importance.log_weights(*arguments, self.log_conditional, standard_log_prob)
        return numpy(weights)


def test_every_weight_equals_log_p_under_the_true_posterior():
    model = LinearGaussian()
    noise = np.random.default_rng(1).normal(size=(4, 50, 2))
    weights = model.log_weights(model.posterior_mean, model.posterior_var, noise)
    np.testing.assert_allclose(weights, np.repeat(model.log_p[:, None], 50, 1), atol=2e-5)


def test_estimate_rises_to_the_truth_as_samples_grow():
    model = LinearGaussian()
    noise = np.random.default_rng(2).normal(size=(4, 100_000, 2))
    mean, var = model.posterior_mean + 0.3, model.posterior_var * 1.8  # a poor proposal
    weights = np.float64(model.log_weights(mean, var, noise))
    gaps = []
    for samples in (1, 10, 100, 1000):
        groups = weights.reshape(4, -1, samples)
        estimates = np.logaddexp.reduce(groups, axis=2) - math.log(samples)
        gaps.append(float((model.log_p - estimates.mean(1)).mean()))
    assert gaps[0] > gaps[1] > gaps[2] > gaps[3] > -1e-3
    everything = np.logaddexp.reduce(weights, axis=1) - math.log(weights.shape[1])
    np.testing.assert_allclose(everything, model.log_p, atol=0.02)


def test_estimate_agrees_with_quadrature_over_two_latents():
    rng = np.random.default_rng(3)
    matrix, x = rng.normal(size=(2, 5)).astype("float32"), np.float32([[1, 0, 0, 1, 1]])
    means = np.float32([[1.0, -1.0], [-0.5, 0.5], [0.0, 2.0]])
    log_vars = np.float32([[-1.0, 0.0], [0.3, -2.0], [0.0, 0.0]])

    def log_conditional(x, z):
        return ops.reshape(bernoulli_log_prob(x[:, 0], ops.matmul(z, matrix)), (1, -1))

    def log_prior(z):
        return mixture_log_prob(z, means, log_vars)

    axis = np.linspace(-9, 9, 361, dtype="float32")
    grid = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
    log_joint = numpy(log_conditional(x[:, None], grid))[0] + numpy(log_prior(grid))
    truth = np.logaddexp.reduce(np.float64(log_joint)) + 2 * math.log(axis[1] - axis[0])
    mean, log_var = np.zeros((1, 2), "float32"), np.full((1, 2), 1.0, "float32")
    noise = rng.standard_normal((1, 200_000, 2), dtype="float32")
    weights = numpy(importance.log_weights(x, mean, log_var, noise, log_conditional, log_prior))
    estimate = np.logaddexp.reduce(np.float64(weights[0])) - math.log(200_000)
    assert estimate == pytest.approx(truth, abs=0.01)


def numpy_weight_sum(x, mean, log_var, noise, log_mask):
    weights = (mean[:, None] * noise).sum(-1) + log_mask
    return np.logaddexp.reduce(np.float64(weights), axis=1)


def test_chunks_change_nothing_but_the_memory():
    rng = np.random.default_rng(4)
    arrays = tuple(rng.normal(size=(7, 3)).astype("float32") for _ in range(3))
    plans = [
        importance.plan_chunks(7, 50, bytes_per_row=2**20, memory_mib=rows)
        for rows in (3, 16, 50, 149, 10**6)
    ]
    assert plans[0] == importance.Chunks(1, 3, 17) and plans[2] == importance.Chunks(1, 50, 1)
    assert plans[3].images == 2 and plans[4].images == 7
    values = [
        importance.log_likelihood(numpy_weight_sum, arrays, 50, seed=9, chunks=plan)
        for plan in plans
    ]
    for other in values[1:]:
        np.testing.assert_allclose(other, values[0], rtol=1e-6)


def test_an_interrupted_evaluation_goes_on_to_the_same_values(tmp_path, monkeypatch):
    monkeypatch.setattr(importance, "SAVE_SECONDS", 0.0)
    rng = np.random.default_rng(5)
    arrays = tuple(rng.normal(size=(5, 3)).astype("float32") for _ in range(3))
    chunks = importance.Chunks(1, 20, 1)
    whole = importance.log_likelihood(numpy_weight_sum, arrays, 20, seed=1, chunks=chunks)
    calls = []

    def counted(*arguments):
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return numpy_weight_sum(*arguments)

    partial = importance.Partial(tmp_path / "partial.npz", {"seed": 1})
    with pytest.raises(KeyboardInterrupt):
        importance.log_likelihood(counted, arrays, 20, seed=1, chunks=chunks, partial=partial)
    resumed = importance.log_likelihood(counted, arrays, 20, seed=1, chunks=chunks, partial=partial)
    np.testing.assert_array_equal(resumed, whole)
    assert len(calls) == 4 + 2  # three images were kept
    other = importance.Partial(tmp_path / "partial.npz", {"seed": 2})
    assert np.isnan(other.load(5)).all()


def test_mean_and_standard_error():
    mean, error = importance.mean_and_standard_error([1.0, 2.0, 3.0])
    assert mean == 2 and error == pytest.approx(1 / math.sqrt(3))
    assert math.isnan(importance.mean_and_standard_error([1.0])[1])


def test_bound_parts_agree_with_their_definitions():
    rng = np.random.default_rng(6)
    mean, log_var, noise = (rng.normal(size=(3, 4)).astype("float32") for _ in range(3))
    z = sample_posterior(mean, log_var, noise)
    np.testing.assert_allclose(
        numpy(posterior_log_prob(log_var, noise)),
        numpy(gaussian_log_prob(z, mean, log_var)),
        rtol=1e-5,
    )
    many = rng.normal(size=(200_000, 4)).astype("float32")
    z = numpy(sample_posterior(mean[:1], log_var[:1], many))
    estimate = numpy(posterior_log_prob(log_var[:1], many)) - numpy(standard_log_prob(z))
    assert float(gaussian_kl(mean[:1], log_var[:1])[0]) == pytest.approx(estimate.mean(), abs=0.03)
    assert float(gaussian_kl(np.zeros((1, 4)), np.zeros((1, 4)))[0]) == 0
    assert elbo(-80.0, 20.0) == -100 and elbo(-80.0, 20.0, 0.5) == -90


def test_warm_up_rises_linearly_to_one():
    assert [warm_up_beta(e, 4) for e in range(6)] == [0.25, 0.5, 0.75, 1, 1, 1]
    assert warm_up_beta(0, 0) == 1
