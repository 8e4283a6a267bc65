"""Deterministic autoencoders and densities fitted to latents."""

import dataclasses

import keras
import numpy as np
import pytest
from keras import ops
from scipy.stats import multivariate_normal

from balancingvae import presets
from balancingvae.baselines import density, rae
from vaekit.errors import UserError

TINY = dataclasses.replace(
    presets.preset("digits"), network="dense", fc_dim=8, latent_dim=3, num_scale=1
)


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (20, 8, 8, 1), np.uint8)


def loss_of(model, images):
    outputs = model(images, training=False)
    return float(model.compute_loss(images, y_pred=outputs, training=False)), outputs


def test_plain_loss_is_the_mean_squared_error(images):
    loss, outputs = loss_of(rae.RAE(TINY, "ae"), images)
    error = np.square(images / 255.0 - ops.convert_to_numpy(outputs["reconstruction"]))
    assert loss == pytest.approx(error.mean(), rel=1e-5)


def test_latents_and_kernels_are_penalised_by_their_squares(images):
    model = rae.RAE(TINY, "l2", latent_weight=0.5, penalty_weight=2.0)
    loss, outputs = loss_of(model, images)
    model.latent_weight = model.penalty_weight = 0.0
    plain, _ = loss_of(model, images)
    z = ops.convert_to_numpy(outputs["z"])
    kernels = [ops.convert_to_numpy(kernel) for kernel in model.penalised_kernels()]
    assert len(kernels) == 2
    expected = 0.5 * np.square(z).mean() + 2 * sum(np.square(k).sum() for k in kernels)
    assert loss - plain == pytest.approx(expected, rel=1e-4)


def test_up_to_32_pixels_the_decoders_dense_kernel_is_not_penalised():
    for side, count in ((32, 3), (64, 5)):
        shape = (side, side, 3)
        config = dataclasses.replace(TINY, network="rae", base_dim=1, image_shape=shape)
        assert len(rae.RAE(config, "l2").penalised_kernels()) == count


def test_weights_are_the_published_ones_unless_given():
    assert rae.published_weights("l2", "cifar10", 3) == (1e-3, 1e-6)
    assert rae.published_weights("gp_jacobian", "celeba", 3) == (1e-4, 1e-7)
    assert rae.published_weights("sn", "digits", 1) == (9e-3, 0.0)
    assert rae.published_weights("ae", "mnist", 1) == (0.0, 0.0)
    model = rae.RAE(TINY, "l2", latent_weight=0.25)
    assert (model.latent_weight, model.penalty_weight) == (0.25, 1e-7)


def test_jacobian_norm_of_a_linear_decoder():
    """The sum of squares of the matrix, for a decoder x = W z."""
    rng = np.random.default_rng(1)
    matrix = rng.normal(size=(3, 64)).astype("float32")
    z, v = rng.normal(size=(2, 20_000, 3)).astype("float32")
    x_hat, moved = ((codes @ matrix).reshape(-1, 8, 8, 1) for codes in (z, z + 0.5 * v))
    norms = rae.jacobian_norm(x_hat, moved, step=0.5)
    assert float(ops.mean(norms)) == pytest.approx(np.square(matrix).sum(), rel=0.05)


def test_gradient_of_the_squared_image_of_a_linear_decoder():
    """d |W z|^2 / dz = 2 W^T W z."""
    rng = np.random.default_rng(4)
    matrix, z = rng.normal(size=(3, 64)), rng.normal(size=3)
    v = rng.normal(size=(200_000, 3))
    images = ((codes @ matrix).reshape(-1, 8, 8, 1) for codes in (z[None], z + 1e-4 * v))
    estimates = rae.gradient_of_square(*(one.astype("float64") for one in images), step=1e-4)
    expected = np.square(2 * matrix @ matrix.T @ z).sum()
    assert float(ops.mean(estimates)) == pytest.approx(expected, rel=0.02)


def test_which_parts_are_spectrally_normalised():
    config = dataclasses.replace(TINY, network="conv", base_dim=2, num_scale=2)
    for kind, parts in (("sn", (True, True)), ("sn_decoder", (False, True))):
        model = rae.RAE(config, kind)
        found = [
            any(layer.name.startswith("fc") and hasattr(layer, "u") for layer in part.layers)
            for part in (model.encoder, model.decoder)
        ]
        assert tuple(found) == parts


@pytest.mark.parametrize("kind", ["gp", "gp_jacobian", "sn"])
def test_a_training_step_lowers_the_loss(kind, images):
    config = dataclasses.replace(TINY, network="conv", base_dim=2, num_scale=2)
    model = rae.RAE(config, kind)
    model.compile(keras.optimizers.Adam(1e-2), run_eagerly=True)
    losses = [float(np.ravel(model.train_on_batch(images))[0]) for _ in range(8)]
    assert losses[-1] < losses[0]
    assert model.decode(model.codes(images)).shape == images.shape


def test_wrong_kinds_are_refused():
    with pytest.raises(UserError, match="Known: ae, rae, l2, sn, gp, sn_decoder, gp_jacobian"):
        rae.RAE(TINY, "l1")
    with pytest.raises(UserError, match="'draw' is recurrent"):
        rae.RAE(dataclasses.replace(TINY, network="draw"), "sn")


def test_one_gaussian_has_the_sample_moments_and_scipys_density(tmp_path):
    z = np.random.default_rng(2).normal(size=(500, 3)) @ np.diag([1, 2, 3]) + [1, 0, -1]
    fitted = density.fit(z, 1)
    np.testing.assert_allclose(fitted.means[0], z.mean(0))
    np.testing.assert_allclose(fitted.covariances[0], np.cov(z.T, ddof=0), atol=1e-5)
    expected = multivariate_normal(fitted.means[0], fitted.covariances[0]).logpdf(z)
    np.testing.assert_allclose(fitted.log_prob(z), expected, rtol=1e-9)
    samples = fitted.sample(20_000, seed=0)
    np.testing.assert_allclose(samples.mean(0), z.mean(0), atol=0.1)
    np.testing.assert_allclose(np.cov(samples.T), np.cov(z.T), atol=0.3)
    fitted.save(tmp_path / "density.npz")
    again = density.load(tmp_path / "density.npz")
    np.testing.assert_array_equal(again.sample(5, seed=1), fitted.sample(5, seed=1))


def test_a_mixture_beats_one_gaussian_on_two_clusters():
    rng = np.random.default_rng(3)
    z = np.concatenate([rng.normal(-4, 1, (200, 2)), rng.normal(4, 1, (200, 2))])
    one, two = density.fit(z, 1), density.fit(z, 2)
    assert two.log_prob(z).mean() > one.log_prob(z).mean() + 0.5
    assert set(np.sign(two.sample(100, seed=0)[:, 0])) == {-1, 1}


def test_too_few_latents_are_refused():
    with pytest.raises(UserError, match="19 latents are too few for a mixture of 10"):
        density.fit(np.zeros((19, 2)), 10)
