"""Deterministic autoencoders and densities fitted to latents."""

import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import ops
from scipy.stats import multivariate_normal

from balancingvae import networks
from balancingvae.baselines import density, rae
from vaekit.errors import UserError

SHAPE = (8, 8, 1)


def model_of(kind, network=None, shape=SHAPE, **options):
    network = network or networks.Dense(depth=1, width=8)
    return rae.RAE(*network.build(shape, 3), kind=kind, seed=0, **options)


def convolutional(kind):
    return model_of(kind, networks.Conv(num_scale=2, base_dim=2, fc_dim=8))


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (20, *SHAPE), np.uint8)


def loss_of(model, images):
    outputs = model(images, training=False)
    return float(model.compute_loss(images, y_pred=outputs, training=False)), outputs


def test_a_vaes_encoder_gives_its_mean_and_trains_no_variance(images):
    encoder, decoder = networks.Dense(depth=1, width=8).build(SHAPE, 3)
    model = rae.RAE(encoder, decoder, kind="ae")
    mean, _ = encoder(images / np.float32(255))
    np.testing.assert_allclose(model.codes(images), ops.convert_to_numpy(mean), atol=1e-6)
    assert len(model.encoder.weights) == len(encoder.weights) - 2


def test_predict_gives_reconstructions(images):
    model = model_of("l2")
    predicted = model.predict(images, verbose=0)
    np.testing.assert_allclose(predicted, model.reconstruct(images), atol=1e-6)


def test_plain_loss_is_the_mean_squared_error(images):
    loss, outputs = loss_of(model_of("ae"), images)
    error = np.square(images / 255.0 - ops.convert_to_numpy(outputs["reconstruction"]))
    assert loss == pytest.approx(error.mean(), rel=1e-5)


def test_latents_and_kernels_are_penalised_by_their_squares(images):
    model = model_of("l2", latent_weight=0.5, penalty_weight=2.0)
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
        model = model_of("l2", networks.RAE(base_dim=1), (side, side, 3))
        assert len(model.penalised_kernels()) == count


def test_weights_are_the_published_ones_unless_given():
    assert rae.published_weights("l2", 3, "cifar10") == (1e-3, 1e-6)
    assert rae.published_weights("gp_jacobian", 3, "celeba") == (1e-4, 1e-7)
    assert rae.published_weights("sn", 1, "digits") == (9e-3, 0.0)
    assert rae.published_weights("sn", 3) == (3e-2, 0.0)
    assert rae.published_weights("ae", 1, "mnist") == (0.0, 0.0)
    model = model_of("l2", latent_weight=0.25)
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


@pytest.mark.parametrize(
    ("kind", "parts"), [("sn", (True, True)), ("sn_decoder", (False, True)), ("l2", (False, False))]
)
def test_which_parts_are_spectrally_normalised(kind, parts):
    model = convolutional(kind)
    found = [
        any(weight.name == "u" for weight in part.weights)
        for part in (model.encoder, model.decoder)
    ]
    assert tuple(found) == parts


@pytest.mark.parametrize("kind", ["gp", "gp_jacobian", "sn"])
def test_a_training_step_lowers_the_loss(kind, images):
    model = convolutional(kind)
    model.compile(keras.optimizers.Adam(1e-2), run_eagerly=True)
    losses = [float(np.ravel(model.train_on_batch(images))[0]) for _ in range(8)]
    assert losses[-1] < losses[0]
    assert model.reconstruct(images).shape == images.shape


def test_fit_takes_images_of_every_dtype_alike(images):
    histories = []
    for x in (images, images.astype("float32") / 255):
        keras.utils.set_random_seed(0)
        model = model_of("l2")
        model.compile(keras.optimizers.Adam(1e-2))
        fitted = model.fit(x, batch_size=8, epochs=2, shuffle=False, verbose=0)
        histories.append(fitted.history)
    assert set(histories[0]) >= {"loss", "mse", "latents", "penalty"}
    np.testing.assert_allclose(histories[0]["mse"], histories[1]["mse"], rtol=1e-5)
    with pytest.raises(UserError, match="Expected float images in \\[0, 1\\]"):
        model.fit(images.astype("float32"), verbose=0)
    with pytest.raises(UserError, match="Expected images of shape \\(n, 8, 8, 1\\), got"):
        model.codes(images[..., 0])
    with pytest.raises(UserError, match="Expected latents of shape \\(n, 3\\)"):
        model.decode(np.zeros((2, 4)))


def test_a_saved_autoencoder_is_the_same_in_a_fresh_process(images, tmp_path):
    """This includes the vectors u of spectral norm, which Keras' own layers would not save."""
    model = convolutional("sn")
    model.compile(keras.optimizers.Adam(1e-2))
    model.fit(images, batch_size=10, epochs=1, verbose=0)
    model.save(tmp_path / "rae.keras")
    np.save(tmp_path / "images.npy", images)
    program = (
        "import keras, numpy as np, balancingvae.baselines.rae\n"
        "model = keras.saving.load_model('rae.keras')\n"
        "assert (model.kind, model.seed, model.latent_weight) == ('sn', 0, 9e-3)\n"
        "np.save('found.npy', model.reconstruct(np.load('images.npy')))\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True, capture_output=True)
    np.testing.assert_array_equal(np.load(tmp_path / "found.npy"), model.reconstruct(images))


def test_wrong_kinds_are_refused():
    with pytest.raises(UserError, match=r"Unknown kind of autoencoder 'l1'\. Known: ae, gp"):
        model_of("l1")
    with pytest.raises(UserError, match="recurrent network 'draw'"):
        model_of("sn", networks.Draw(units=4))


def test_one_gaussian_has_the_sample_moments_and_scipys_density():
    z = np.random.default_rng(2).normal(size=(500, 3)) @ np.diag([1, 2, 3]) + [1, 0, -1]
    fitted = density.fit(z, 1)
    np.testing.assert_allclose(fitted.means_[0], z.mean(0))
    np.testing.assert_allclose(fitted.covariances_[0], np.cov(z.T, ddof=0), atol=1e-5)
    expected = multivariate_normal(fitted.means_[0], fitted.covariances_[0]).logpdf(z)
    np.testing.assert_allclose(fitted.score_samples(z), expected, rtol=1e-9)
    samples = density.sample(fitted, 20_000, seed=0)
    assert samples.dtype == np.float32
    np.testing.assert_allclose(samples.mean(0), z.mean(0), atol=0.1)
    np.testing.assert_allclose(np.cov(samples.T), np.cov(z.T), atol=0.3)
    np.testing.assert_array_equal(density.sample(fitted, 20_000, seed=0), samples)
    assert (density.sample(fitted, 5, seed=1) != samples[:5]).any()


def test_a_mixture_beats_one_gaussian_on_two_clusters():
    rng = np.random.default_rng(3)
    z = np.concatenate([rng.normal(-4, 1, (200, 2)), rng.normal(4, 1, (200, 2))])
    one, two = density.fit(z, 1), density.fit(z, 2)
    assert two.score(z) > one.score(z) + 0.5
    # They are not sorted by component, so the first few are a sample of the mixture.
    assert set(np.sign(density.sample(two, 100, seed=0)[:20, 0])) == {-1, 1}


def test_too_few_latents_are_refused():
    with pytest.raises(UserError, match="10 Gaussians needs at least 20 latents, got 19"):
        density.fit(np.zeros((19, 2)), 10)
