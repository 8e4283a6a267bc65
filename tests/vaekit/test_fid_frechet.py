"""The Frechet distance against closed forms, recorded values, scipy's formula and tf-gan's."""

from pathlib import Path

import numpy as np
import pytest
import scipy.linalg

from vaekit.errors import UserError
from vaekit.fid import Moments, Statistics, frechet_distance
from vaekit.fid.frechet import gaussian_distance, trace_sqrt_product

RECORDED = Path(__file__).parents[1] / "fixtures" / "fid_numerics.npz"


def statistics(features):
    moments = Moments()
    moments.update(features)
    return moments.statistics(Statistics(np.zeros(0), np.zeros((0, 0)), 0))


def features(n, d, seed):
    rng = np.random.default_rng(seed)
    mixing = rng.standard_normal((d, d)) / np.sqrt(d)
    return np.maximum(rng.standard_normal((n, d)) @ mixing + rng.random(d), -0.5)


def scipy_distance(a, b):
    root = scipy.linalg.sqrtm(a.covariance @ b.covariance)
    traces = np.trace(a.covariance) + np.trace(b.covariance) - 2 * np.trace(root).real
    return np.sum((a.mean - b.mean) ** 2) + traces


def test_diagonal_gaussians_have_a_closed_form():
    rng = np.random.default_rng(0)
    mean_a, mean_b = rng.standard_normal((2, 30))
    std_a, std_b = rng.random((2, 30)) + 0.01
    expected = np.sum((mean_a - mean_b) ** 2 + (std_a - std_b) ** 2)
    distance = gaussian_distance(mean_a, np.diag(std_a**2), mean_b, np.diag(std_b**2))
    np.testing.assert_allclose(distance, expected, rtol=1e-12)


def test_commuting_covariances_in_any_basis():
    rng = np.random.default_rng(1)
    basis, _ = np.linalg.qr(rng.standard_normal((20, 20)))
    std_a, std_b = rng.random((2, 20)) + 0.1
    a, b = (basis * std_a**2) @ basis.T, (basis * std_b**2) @ basis.T
    distance = gaussian_distance(np.zeros(20), a, np.zeros(20), b)
    np.testing.assert_allclose(distance, np.sum((std_a - std_b) ** 2), rtol=1e-11)


def test_equals_scipys_square_root():
    a, b = statistics(features(500, 60, 1)), statistics(features(400, 60, 2))
    np.testing.assert_allclose(frechet_distance(a, b), scipy_distance(a, b), rtol=1e-8)


def test_equals_tf_gan():
    import tensorflow as tf

    from vaekit.fid import tfgan_import

    x, y = features(500, 60, 1), features(400, 60, 2)
    theirs = tfgan_import.classifier_metrics().frechet_classifier_distance_from_activations(
        tf.constant(x), tf.constant(y)
    )
    np.testing.assert_allclose(frechet_distance(statistics(x), statistics(y)), theirs, rtol=1e-8)


@pytest.mark.parametrize(("name", "rtol"), [("frechet", 1e-6), ("frechet_rankdef", 1e-6)])
def test_equals_values_recorded_from_tensorflow_1(name, rtol):
    with np.load(RECORDED) as recorded:
        a, b = statistics(recorded[f"{name}_a"]), statistics(recorded[f"{name}_b"])
        np.testing.assert_allclose(frechet_distance(a, b), recorded[f"{name}_distance"], rtol=rtol)


def test_exactly_zero_for_equal_and_symmetric_otherwise():
    a, b = statistics(features(100, 30, 1)), statistics(features(90, 30, 2))
    few = statistics(features(10, 30, 3))
    assert frechet_distance(a, statistics(features(100, 30, 1))) == 0.0
    assert frechet_distance(few, few) == 0.0
    for x, y in ((a, b), (a, few), (few, statistics(features(12, 30, 4)))):
        np.testing.assert_allclose(frechet_distance(x, y), frechet_distance(y, x), rtol=1e-11)


def test_fewer_images_than_features():
    """In a space of its own each rank-deficient pair has a full-rank equal."""
    rng = np.random.default_rng(5)
    x, y = features(400, 12, 1), features(300, 12, 2)
    embedding = np.linalg.qr(rng.standard_normal((80, 12)))[0]
    small = frechet_distance(statistics(x), statistics(y))
    large = frechet_distance(statistics(x @ embedding.T), statistics(y @ embedding.T))
    np.testing.assert_allclose(large, small, rtol=1e-11)


def test_singular_product_keeps_its_digits():
    """Square roots of eigenvalues that are zero up to rounding would add about 1e-8 each."""
    rng = np.random.default_rng(6)
    basis, _ = np.linalg.qr(rng.standard_normal((300, 300)))
    a = (basis[:, :100] * 2.0) @ basis[:, :100].T
    b = (basis[:, 50:150] * 8.0) @ basis[:, 50:150].T
    np.testing.assert_allclose(trace_sqrt_product(a, b), 50 * 4.0, rtol=1e-13)


def test_constant_features_add_their_means_only():
    x, y = features(300, 10, 1), features(300, 10, 2)
    x3, y3 = np.insert(x, 3, 2.0, axis=1), np.insert(y, 3, 5.0, axis=1)
    without = frechet_distance(statistics(x), statistics(y))
    distance = frechet_distance(statistics(x3), statistics(y3))
    np.testing.assert_allclose(distance, without + 9.0, rtol=1e-12)
    constant = Statistics(np.zeros(4), np.zeros((4, 4)), 5)
    assert frechet_distance(constant, Statistics(np.ones(4), np.eye(4), 5)) == 8.0


def test_refuses_what_has_no_distance():
    good = Statistics(np.zeros(3), np.eye(3), 10)
    with pytest.raises(UserError, match="over the same number of features, got 3 and 4"):
        frechet_distance(good, Statistics(np.zeros(4), np.eye(4), 10))
    with pytest.raises(UserError, match="Expected finite statistics, got NaN"):
        frechet_distance(good, Statistics(np.zeros(3), np.full((3, 3), np.nan), 10))
    with pytest.raises(UserError, match=r"covariance of shape \(d, d\), got \(3,\) and \(3,\)"):
        frechet_distance(good, Statistics(np.zeros(3), np.ones(3), 10))
