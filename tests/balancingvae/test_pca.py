"""The PCA theorem, means of pairs and smoothing: identities that hold to rounding."""

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from balancingvae import variance
from balancingvae.paper import pca_theorem, smoothing_figure3
from balancingvae.paper.variance_losses import losses


@pytest.fixture(scope="module")
def digits():
    return load_digits().images[:300, :, :, None] / 16.0


def brightness_difference(x, x_hat):
    """Closed form of the difference between the two variance losses of a projection.

    A variance over the features of an image leaves out the mean of the image, so the difference is
    the mean over data of m^2 - m_hat^2, with m and m_hat the means over features.
    """
    m, m_hat = (np.mean(images, axis=(1, 2, 3)) for images in (x, x_hat))
    return np.mean(np.square(m) - np.square(m_hat))


def test_by_hand():
    """Two points (1, 0) and (-1, 0): one component explains them; without any, the mean remains."""
    none, one = pca_theorem.pca_losses(np.array([[1.0, 0.0], [-1.0, 0.0]]))
    assert (none["k"], none["mse"], none["variance_loss_over_data"]) == (0, 0.5, 0.5)
    assert none["variance_loss"] == 0.25
    assert (one["k"], one["mse"], one["variance_loss_over_data"]) == pytest.approx((1, 0, 0))


def test_the_error_is_the_sum_of_the_smallest_eigenvalues(digits):
    rows = digits.reshape(len(digits), -1)
    eigenvalues = np.sort(np.linalg.eigvalsh(np.cov(rows.T, ddof=0)))[::-1]
    for row in pca_theorem.pca_losses(digits)[:40]:
        rest = eigenvalues[row["k"] :].sum() / rows.shape[1]
        assert row["mse"] == pytest.approx(rest) == row["variance_loss_over_data"]


def test_variance_loss_of_pca_is_its_mse_at_every_number_of_components(digits):
    rows = pca_theorem.pca_losses(digits)
    assert [row["k"] for row in rows] == list(range(len(rows)))
    for row in rows:
        np.testing.assert_allclose(row["variance_loss_over_data"], row["mse"], atol=1e-14)
    assert rows[-1]["mse"] < 1e-20 < rows[0]["mse"]


def test_scikit_learns_pca_gives_the_same(digits):
    flat = digits.reshape(len(digits), -1)
    for k, x_hat in pca_theorem.pca_reconstructions(digits):
        if k in (1, 5, 30):
            fitted = PCA(k, svd_solver="full").fit(flat)
            theirs = fitted.inverse_transform(fitted.transform(flat)).reshape(digits.shape)
            np.testing.assert_allclose(x_hat, theirs, atol=1e-10)
            ours = pca_theorem.sklearn_reconstruction(digits, k)
            np.testing.assert_allclose(ours, theirs, atol=1e-12)
            found = losses(digits, theirs)
            np.testing.assert_allclose(found["variance_loss_over_data"], found["mse"], atol=1e-14)


def test_per_image_variance_loss_differs_by_the_brightness(digits):
    permutation = np.random.default_rng(0).permutation(len(digits))
    reconstructions = [
        x_hat for k, x_hat in pca_theorem.pca_reconstructions(digits) if k in (2, 10)
    ]
    for x_hat in (*reconstructions, pca_theorem.pairs_averaged(digits, permutation)):
        rest = brightness_difference(digits, x_hat)
        assert abs(rest) > 1e-6
        loss = variance.variance_loss(digits, x_hat)
        np.testing.assert_allclose(loss + rest, losses(digits, x_hat)["mse"], atol=1e-14)


@pytest.mark.parametrize("seed", [0, 1])
def test_means_of_pairs_lose_as_much_variance_as_their_mse(digits, seed):
    permutation = np.random.default_rng(seed).permutation(len(digits))
    found = losses(digits, pca_theorem.pairs_averaged(digits, permutation))
    np.testing.assert_allclose(found["variance_loss_over_data"], found["mse"], rtol=1e-12)


def test_the_section_on_projections(digits, tmp_path):
    curve = pca_theorem.pca_losses(digits)
    found = {
        "dataset": "digits", "images": 300, "curve": curve, "components": 20,
        "sklearn": curve[20], "pairs": curve[1],
    }  # fmt: skip
    section = pca_theorem.section([found], tmp_path / "figures")
    assert (tmp_path / section.figures[0].file).exists()
    assert [row[1] for row in section.tables[0].rows] == [
        0,
        1,
        2,
        5,
        10,
        20,
        50,
        "20, scikit-learn",
    ]
    assert "300 of digits" in section.text[0]


def test_smoothing_by_hand():
    signal = np.array([0.0, 3.0, 0.0, 0.0, 0.0, 0.0])
    np.testing.assert_allclose(smoothing_figure3.smoothed(signal, 3), [1, 1, 1, 0, 0, 0])
    (row,) = smoothing_figure3.smoothing_losses(signal, [3])
    assert row["mse"] == pytest.approx((1 + 4 + 1) / 6)
    assert row["variance_loss"] == pytest.approx((9 / 6 - 0.25) - (3 / 6 - 0.25))


def test_wider_smoothing_loses_more_and_all_of_it_in_the_end():
    signal = np.random.default_rng(0).normal(size=101)
    rows = smoothing_figure3.smoothing_losses(signal, [1, 11, 101])
    assert rows[0]["mse"] == 0 and rows[0]["variance_loss"] == 0
    assert 0 < rows[1]["variance_loss"] < rows[2]["variance_loss"]
    np.testing.assert_allclose(rows[2]["variance_loss"], rows[2]["mse"])


def test_the_section_on_smoothing(tmp_path):
    section = smoothing_figure3.section(tmp_path / "figures")
    assert (tmp_path / section.figures[0].file).exists()
    assert [row[0] for row in section.tables[0].rows] == list(smoothing_figure3.WIDTHS)
