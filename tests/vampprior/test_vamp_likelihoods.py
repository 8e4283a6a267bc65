"""Likelihoods: sums over their whole support, agreement with plain formulas, errors."""

import numpy as np
import pytest
from keras import ops

from vaekit.errors import UserError
from vampprior.likelihoods import (
    Bernoulli,
    DiscretizedLogistic,
    bernoulli_log_prob,
    discretized_logistic_log_prob,
)

LEVELS = (np.arange(256) / 255).astype("float32")


@pytest.mark.parametrize("log_scale", [-4.5, -3.0, 0.0])
@pytest.mark.parametrize("mean", [1 / 512, 0.3, 0.5, 1 - 1 / 512])
def test_the_256_probabilities_sum_to_one(mean, log_scale):
    x = LEVELS[:, None]
    values = ops.convert_to_numpy(
        discretized_logistic_log_prob(x, np.full_like(x, mean), np.full_like(x, log_scale))
    )
    assert np.exp(values.astype(np.float64)).sum() == pytest.approx(1, abs=2e-5)


def test_interior_bins_equal_the_difference_of_two_sigmoids():
    level, mean, log_scale = 100.0, 0.35, -3.0
    edges = (np.array([level, level + 1]) / 256 - mean) * np.exp(-log_scale)
    expected = np.log(np.diff(1 / (1 + np.exp(-edges))))[0]
    value = discretized_logistic_log_prob(
        np.float32([[level / 255]]), np.float32([[mean]]), np.float32([[log_scale]])
    )
    assert float(value[0]) == pytest.approx(expected, abs=1e-4)


def test_far_bins_keep_finite_log_probabilities():
    # 235 levels from the mean at the smallest scale: a plain difference gives log 0.
    value = discretized_logistic_log_prob(
        np.float32([[1 - 20 / 255]]), np.float32([[1 / 512]]), np.float32([[-4.5]])
    )
    assert -100 < float(value[0]) < -70


def test_bernoulli_sums_to_one_and_equals_cross_entropy():
    logits = np.float32([[-3.0, 0.2, 40.0]])
    grid = np.stack(np.meshgrid(*[[0, 1]] * 3), -1).reshape(-1, 3).astype("float32")
    values = ops.convert_to_numpy(bernoulli_log_prob(grid, logits))
    assert np.exp(values).sum() == pytest.approx(1, abs=1e-6)
    p = 1 / (1 + np.exp(-np.float64(logits[0, :2])))
    expected = np.log(p[0]) + np.log(1 - p[1])
    assert float(bernoulli_log_prob(np.float32([[1, 0, 1]]), logits)[0]) == pytest.approx(expected)


def test_clipped_bernoulli_bounds_the_cost_of_a_pixel_and_still_sums_to_one():
    clipped, floor = Bernoulli(1e-5), 1e-5
    logits = np.float32([[40.0], [-40.0], [3.0]])
    ones, zeros = (
        ops.convert_to_numpy(clipped.log_prob(x, logits))
        for x in (np.ones_like(logits), np.zeros_like(logits))
    )
    np.testing.assert_allclose(np.exp(ones) + np.exp(zeros), 1, rtol=1e-6)
    np.testing.assert_allclose(zeros[0], np.log(floor), rtol=1e-6)
    np.testing.assert_allclose(ones[0], np.log1p(-floor), rtol=1e-4)
    np.testing.assert_allclose(zeros[2], -np.log1p(np.exp(3.0)), rtol=1e-6)
    probabilities = ops.convert_to_numpy(clipped.mean(logits))
    np.testing.assert_allclose(
        probabilities[:, 0], [1 - floor, floor, 1 / (1 + np.exp(-3))], rtol=1e-6
    )


def test_each_likelihood_refuses_data_outside_its_support():
    shape = (4, 4, 1)
    grey = np.full((2, *shape), 100, "uint8")
    with pytest.raises(UserError, match="exactly 0 or 1"):
        Bernoulli().check(grey, shape)
    logistic = DiscretizedLogistic()
    np.testing.assert_allclose(logistic.check(grey, shape), 100 / 255)
    np.testing.assert_allclose(logistic.check(grey / np.float32(255), shape), 100 / 255)
    with pytest.raises(UserError, match="256 levels for the discretised logistic"):
        logistic.check(np.full((2, *shape), 0.5), shape)
    with pytest.raises(UserError, match=r"got values from -0\.5 to -0\.5"):
        logistic.check(np.full((2, *shape), -0.5), shape)


def test_least_log_scale_bounds_what_a_pixel_can_gain():
    mean = 100.5 / 256  # the centre of level 100
    outputs = np.float32([[np.log(mean / (1 - mean)), -50.0]])
    x = np.float32([[100 / 255]])
    for bound in (-4.5, -3.0):
        best = ops.convert_to_numpy(DiscretizedLogistic(bound).log_prob(x, outputs))
        # A bin of width w around a logistic's centre has probability tanh(w / 4).
        np.testing.assert_allclose(best, np.log(np.tanh(np.exp(-bound) / 1024)), rtol=1e-4)


def test_decoder_outputs_are_bounded():
    outputs = np.float32([[-50.0, 50.0, -50.0, 50.0]])  # two means, two log-scales
    mean = ops.convert_to_numpy(DiscretizedLogistic().mean(outputs))
    np.testing.assert_allclose(mean, [[1 / 512, 1 - 1 / 512]], rtol=1e-5)
    x = np.float32([[100 / 255, 100 / 255]])
    clipped = np.float32([[-50.0, 50.0, -4.5, 0.0]])
    logistic = DiscretizedLogistic()
    np.testing.assert_allclose(
        ops.convert_to_numpy(logistic.log_prob(x, outputs)),
        ops.convert_to_numpy(logistic.log_prob(x, clipped)),
    )
