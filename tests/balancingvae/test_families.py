"""Network families: shapes at every size, refusals, gradients, spectral normalisation."""

import dataclasses

import keras
import numpy as np
import pytest
from keras import ops

import balancingvae
from balancingvae import checkpoint, networks, presets
from balancingvae.networks.spectral import (
    SPECTRAL,
    SpectralConv2D,
    SpectralDense,
    power_iteration,
    with_spectral_norm,
)
from vaekit.errors import UserError

TINY = dataclasses.replace(
    presets.preset("digits"), base_dim=1, fc_dim=8, latent_dim=4, second_dim=8, num_scale=3
)


@pytest.mark.parametrize("network", networks.NETWORKS)
def test_every_network_fits_8_to_64_pixels_in_one_and_three_channels(network):
    for side, channels in ((8, 1), (64, 3)):
        shape = (side, side, channels)
        builder = presets.network(dataclasses.replace(TINY, network=network))
        encoder, decoder = builder.build(shape, 4)
        assert [tuple(one) for one in encoder.output_shape] == [(None, 4), (None, 4)]
        assert decoder.output_shape == (None, *shape)
    images = np.random.default_rng(0).uniform(size=(2, *shape)).astype("float32")
    x_hat = ops.convert_to_numpy(decoder(encoder(images)[0]))
    assert x_hat.min() >= 0 and x_hat.max() <= 1


@pytest.mark.parametrize(
    ("network", "shape", "message"),
    [
        ("wae", (28, 28, 1), "8 to 64 in steps of 8.*got 28 x 28"),
        ("infogan", (30, 32, 3), "8 to 64 in steps of 4.*got 30 x 32"),
        ("conv", (32, 20, 1), "8 to 64 in steps of 8.*got 32 x 20"),
        ("dense", (128, 128, 3), "8 to 64.*got 128 x 128"),
        ("draw", (4, 4, 1), "8 to 64.*got 4 x 4"),
    ],
)
def test_sizes_that_do_not_fit_a_network_are_refused(network, shape, message):
    with pytest.raises(UserError, match=message):
        balancingvae.BalancedVAE(network=network, image_shape=shape)


@pytest.mark.parametrize("network", ["draw", "infogan"])
def test_a_training_step_reaches_every_trainable_weight(network):
    config = dataclasses.replace(TINY, network=network)
    stage = presets.model(config).stage_one
    stage.compile(keras.optimizers.Adam(1e-3), run_eagerly=True)
    before = [ops.convert_to_numpy(v).copy() for v in stage.trainable_variables]
    stage.train_on_batch(np.random.default_rng(1).integers(0, 256, (16, 8, 8, 1), np.uint8))
    still = [
        variable.path
        for variable, old in zip(stage.trainable_variables, before, strict=True)
        if np.array_equal(ops.convert_to_numpy(variable), old)
    ]
    assert not still


def test_encoder_and_decoder_of_draw_share_weights_and_come_back_as_saved(tmp_path):
    config = dataclasses.replace(TINY, network="draw")
    model = presets.model(config)
    images = np.random.default_rng(1).integers(0, 256, (5, 8, 8, 1), np.uint8)
    checkpoint.save(model, tmp_path, config)
    again = checkpoint.load(tmp_path)
    np.testing.assert_array_equal(again.encode(images)[0], model.encode(images)[0])
    np.testing.assert_array_equal(again.reconstruct(images), model.reconstruct(images))


def test_power_iterations_find_the_largest_singular_value():
    rng = np.random.default_rng(2)
    matrix, u = rng.normal(size=(7, 5)).astype("float32"), rng.normal(size=7).astype("float32")
    for _ in range(200):
        sigma, u = power_iteration(matrix, u)
    largest = np.linalg.svd(matrix, compute_uv=False)[0]
    np.testing.assert_allclose(float(sigma), largest, rtol=1e-5)


@pytest.mark.parametrize("kind", list(SPECTRAL))
def test_spectral_layers_are_the_plain_ones_over_sigma(kind):
    keras.utils.set_random_seed(3)  # how fast the iteration converges depends on the kernel
    arguments = (3,) if kind is keras.layers.Dense else (3, 4, 2, "same")
    x = np.random.default_rng(3).normal(size=(2, 6, 6, 2)).astype("float32")
    plain = kind(*arguments, use_bias=False)
    spectral = SPECTRAL[kind](*arguments, use_bias=False)
    expected = ops.convert_to_numpy(plain(x))
    spectral(x)
    spectral.kernel.assign(plain.kernel)
    matrix = ops.convert_to_numpy(plain.kernel).reshape(-1, plain.kernel.shape[-1])
    before = ops.convert_to_numpy(spectral.u).copy()
    spectral(x, training=False)
    np.testing.assert_array_equal(ops.convert_to_numpy(spectral.u), before)
    for _ in range(100):
        y = spectral(x, training=True)
    sigma = np.linalg.svd(matrix, compute_uv=False)[0]
    np.testing.assert_allclose(y, expected / sigma, atol=1e-5)


def test_a_copy_with_spectral_norm_holds_no_plain_kernel():
    _, decoder = presets.network(TINY).build(TINY.image_shape, TINY.latent_dim)
    copy = with_spectral_norm(decoder)
    assert copy.output_shape == decoder.output_shape
    kinds = {type(layer) for layer in copy.layers}
    assert SpectralDense in kinds and SpectralConv2D in kinds
    assert not kinds & set(SPECTRAL)
