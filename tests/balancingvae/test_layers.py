"""Batch norm, Adam and the stride-2 layers against the results of TensorFlow 1."""

from pathlib import Path

import keras
import numpy as np
import pytest
from keras import ops

from balancingvae.networks import BatchNorm

FIXTURES = Path(__file__).parents[1] / "fixtures"


@pytest.fixture(scope="module")
def numbers():
    return np.load(FIXTURES / "layers.npz")


def test_batch_norm_trains_and_infers_as_tensorflow_1(numbers):
    layer = BatchNorm()
    x = numbers["bn_x"]
    np.testing.assert_allclose(layer(x[0]), numbers["bn_y_eval_initial"], atol=1e-6)
    for step in range(3):
        np.testing.assert_allclose(
            layer(x[step], training=True), numbers["bn_y_train"][step], atol=3e-6
        )
        assert float(layer.updates) == numbers["bn_mean_local_step"][step]
        for ours, theirs in (
            (layer.mean, "bn_mean"),
            (layer.variance, "bn_variance"),
            (layer.mean_shadow, "bn_mean_biased"),
            (layer.variance_shadow, "bn_variance_biased"),
        ):
            np.testing.assert_allclose(ours, numbers[theirs][step], rtol=2e-6, atol=1e-8)
    np.testing.assert_allclose(layer(x[3]), numbers["bn_y_eval_after3"], atol=5e-6)


def test_first_update_makes_the_statistics_those_of_the_batch():
    layer = BatchNorm()
    x = np.random.default_rng(0).normal(3, 2, (50, 4, 4, 2)).astype("float32")
    layer(x, training=True)
    # 1 - 0.999 in float32 is good to about 1e-4.
    np.testing.assert_allclose(layer.mean, x.mean((0, 1, 2)), rtol=3e-4)
    np.testing.assert_allclose(layer.variance, x.var((0, 1, 2)), rtol=3e-4)


@pytest.mark.parametrize("offset", [0.0, 100.0])
def test_batch_norm_is_exact_far_from_zero(offset):
    x = np.random.default_rng(1).normal(offset, 1, (64, 8, 8, 3)).astype("float32")
    exact = x.astype("float64")
    exact = (exact - exact.mean((0, 1, 2))) / np.sqrt(exact.var((0, 1, 2)) + 1e-5)
    np.testing.assert_allclose(BatchNorm()(x, training=True), exact, atol=1e-6 * (1 + offset))


def test_batch_norm_in_bfloat16_keeps_float32_statistics():
    layer = BatchNorm(dtype="mixed_bfloat16")
    x = np.random.default_rng(2).normal(1, 1, (32, 4, 4, 3)).astype("float32")
    y = layer(x, training=True)
    assert keras.backend.standardize_dtype(y.dtype) == "bfloat16"
    assert {w.dtype for w in layer.weights} == {"float32"}
    rounded = ops.convert_to_numpy(ops.cast(ops.cast(x, "bfloat16"), "float32"))
    np.testing.assert_allclose(layer.mean, rounded.mean((0, 1, 2)), rtol=3e-4)


def test_adam_is_that_of_tensorflow_1(numbers):
    variable = keras.Variable(numbers["adam_w0"])
    optimizer = keras.optimizers.Adam(epsilon=1e-8)
    optimizer.build([variable])
    for step, gradient in enumerate(numbers["adam_grads"]):
        optimizer.learning_rate = numbers["adam_lr"][step]
        optimizer.apply([ops.convert_to_tensor(gradient)], [variable])
        np.testing.assert_allclose(variable, numbers["adam_w"][step], rtol=1e-6, atol=1.5e-7)


@pytest.mark.parametrize("size", [2, 3, 4, 5])
def test_transposed_convolution_is_the_adjoint_of_the_strided_one(size):
    rng = np.random.default_rng(3)
    kernel = rng.normal(size=(size, size, 2, 3)).astype("float32")
    x, y = rng.normal(size=(1, 8, 8, 2)), rng.normal(size=(1, 4, 4, 3))
    x, y = x.astype("float32"), y.astype("float32")
    down = keras.layers.Conv2D(3, size, 2, padding="same", use_bias=False)
    up = keras.layers.Conv2DTranspose(2, size, 2, padding="same", use_bias=False)
    down.build(x.shape)
    up.build(y.shape)
    for layer in (down, up):
        layer.kernel.assign(kernel)
    np.testing.assert_allclose(np.sum(down(x) * y), np.sum(x * up(y)), rtol=1e-4)
