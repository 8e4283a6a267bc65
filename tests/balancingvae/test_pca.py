"""The PCA theorem, means of pairs and smoothing: identities that hold to rounding."""

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from balancingvae import variance
from balancingvae.paper import pca


@pytest.fixture(scope="module")
def digits():
    return load_digits().images[:300, :, :, None] / 16.0


def test_variance_loss_of_pca_is_its_mse_at_every_number_of_components(digits):
    rows = pca.pca_losses(digits)
    assert [row["k"] for row in rows] == list(range(len(rows)))
    for row in rows:
        np.testing.assert_allclose(row["variance_loss_over_data"], row["mse"], atol=1e-14)
    assert rows[-1]["mse"] < 1e-20 < rows[0]["mse"]


def test_scikit_learns_pca_gives_the_same(digits):
    flat = digits.reshape(len(digits), -1)
    for k, x_hat in pca.pca_reconstructions(digits):
        if k in (1, 5, 30):
            fitted = PCA(k, svd_solver="full").fit(flat)
            theirs = fitted.inverse_transform(fitted.transform(flat)).reshape(digits.shape)
            np.testing.assert_allclose(x_hat, theirs, atol=1e-10)
            found = pca.losses(digits, theirs)
            np.testing.assert_allclose(found["variance_loss_over_data"], found["mse"], atol=1e-14)


def test_per_image_variance_loss_differs_by_the_brightness(digits):
    permutation = np.random.default_rng(0).permutation(len(digits))
    reconstructions = [x_hat for k, x_hat in pca.pca_reconstructions(digits) if k in (2, 10)]
    for x_hat in (*reconstructions, pca.pairs_averaged(digits, permutation)):
        rest = pca.brightness_difference(digits, x_hat)
        assert abs(rest) > 1e-6
        loss = variance.variance_loss(digits, x_hat)
        mse = pca.losses(digits, x_hat)["mse"]
        np.testing.assert_allclose(loss + rest, mse, atol=1e-14)


@pytest.mark.parametrize("seed", [0, 1])
def test_means_of_pairs_lose_as_much_variance_as_their_mse(digits, seed):
    permutation = np.random.default_rng(seed).permutation(len(digits))
    found = pca.losses(digits, pca.pairs_averaged(digits, permutation))
    np.testing.assert_allclose(found["variance_loss_over_data"], found["mse"], rtol=1e-12)


def test_smoothing_by_hand():
    signal = np.array([0.0, 3.0, 0.0, 0.0, 0.0, 0.0])
    np.testing.assert_allclose(pca.smoothed(signal, 3), [1, 1, 1, 0, 0, 0])
    (row,) = pca.smoothing_losses(signal, [3])
    assert row["mse"] == pytest.approx((1 + 4 + 1) / 6)
    assert row["variance_loss"] == pytest.approx((9 / 6 - 0.25) - (3 / 6 - 0.25))


def test_wider_smoothing_loses_more_and_all_of_it_in_the_end():
    signal = np.random.default_rng(0).normal(size=101)
    rows = pca.smoothing_losses(signal, [1, 11, 101])
    assert rows[0]["mse"] == 0 and rows[0]["variance_loss"] == 0
    assert 0 < rows[1]["variance_loss"] < rows[2]["variance_loss"]
    np.testing.assert_allclose(rows[2]["variance_loss"], rows[2]["mse"])


def test_line_through_points():
    line = pca.fitted_line([0, 1, 2], [1, 3, 5])
    assert line["slope"] == pytest.approx(2) and line["offset"] == pytest.approx(1)
    assert line["correlation"] == pytest.approx(1) and line["count"] == 3
