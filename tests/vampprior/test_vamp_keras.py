"""The model with the Keras interface: own arrays, streams, callbacks, own parts, saving."""

import copy
import os
import pickle
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers, ops

import vampprior
from vaekit.errors import UserError

ROOT = Path(__file__).resolve().parents[2]
SHAPE = (4, 5, 1)
rng = np.random.default_rng(0)
GREY = (rng.random((70, 1, 5, 1)) * rng.random((70, *SHAPE)) * 255).astype("uint8")
BINARY = rng.random((70, *SHAPE)) < 0.3


def small(prior="vampprior", likelihood="discretized_logistic", **keywords):
    keras.utils.set_random_seed(0)
    if prior == "vampprior":
        prior = vampprior.VampPrior(6, start_mean=0.5, seed=0)
    if prior == "mixture":
        prior = vampprior.MixtureOfGaussians(6, seed=0)
    settings = {"latent_dim": 2, "hidden_units": (8, 8), "seed": 0} | keywords
    vae = vampprior.VAE(SHAPE, prior=prior, likelihood=likelihood, **settings)
    vae.compile(keras.optimizers.Adam(1e-2))
    return vae


@pytest.mark.parametrize("prior", ["standard", "mixture", "vampprior"])
def test_fit_evaluate_and_predict_take_an_incomplete_last_batch(prior):
    vae = small(prior)
    history = vae.fit(
        GREY, batch_size=32, epochs=2, validation_data=(GREY[:33],), verbose=0
    ).history
    assert history["loss"][1] < history["loss"][0] and np.isfinite(history["val_elbo"]).all()
    results = vae.evaluate(GREY[:45], batch_size=32, verbose=0, return_dict=True)
    assert results["loss"] == pytest.approx(-results["elbo"], rel=1e-5)
    images = vae.predict(GREY[:45], batch_size=32, verbose=0)
    np.testing.assert_allclose(images, vae.reconstruct(GREY[:45]), atol=1e-6)


class Batches(keras.utils.PyDataset):
    def __init__(self, images):
        super().__init__()
        self.images = images

    def __len__(self):
        return -(-len(self.images) // 32)

    def __getitem__(self, index):
        return self.images[32 * index : 32 * (index + 1)]


def streams(images):
    tf = pytest.importorskip("tensorflow")
    yield tf.data.Dataset.from_tensor_slices(images).batch(32)
    yield tf.data.Dataset.from_tensor_slices((images, np.zeros(len(images)))).batch(32)
    yield Batches(images)
    try:
        from torch.utils.data import DataLoader
    except ImportError:
        return
    yield DataLoader(list(images), batch_size=32)


def test_streams_train_as_the_array_does():
    expected = small().fit(GREY, batch_size=32, shuffle=False, epochs=2, verbose=0).history
    for stream in streams(GREY):
        vae = small()
        history = vae.fit(stream, epochs=2, shuffle=False, verbose=0).history
        np.testing.assert_allclose(history["loss"], expected["loss"], rtol=1e-5)
        assert np.isfinite(vae.evaluate(stream, verbose=0)).all()
        assert vae.predict(stream, verbose=0).shape == GREY.shape


def test_uint8_and_floats_give_the_same_model():
    for likelihood in (
        "discretized_logistic",
        "gaussian",
        vampprior.Bernoulli(dynamic_binarization=True),
    ):
        found = []
        for images in (GREY, GREY.astype("float32") / 255):
            vae = small(likelihood=likelihood)
            vae.fit(images, batch_size=32, epochs=2, shuffle=False, verbose=0)
            found.append(vae.sample(20, seed=1))
        np.testing.assert_allclose(found[0], found[1], atol=1e-5)


def test_a_model_learns_how_bright_its_images_are():
    images = np.full((200, *SHAPE), 51, "uint8")
    for likelihood in ("gaussian", vampprior.Bernoulli(dynamic_binarization=True)):
        vae = small("standard", likelihood)
        vae.compile(keras.optimizers.Adam(0.05))
        vae.fit(images.astype("float32") / 255, epochs=100, batch_size=100, verbose=0)
        assert vae.sample(50, seed=0).mean() == pytest.approx(0.2, abs=0.03)


def test_zero_one_pixels_in_any_dtype_are_the_same_under_bernoulli():
    found = []
    for dtype in ("bool", "uint8", "float32", "int64"):
        vae = small(likelihood="bernoulli")
        vae.fit(BINARY.astype(dtype), batch_size=32, shuffle=False, verbose=0)
        found.append(vae.log_likelihood(BINARY[:5].astype(dtype), 20, seed=0))
    assert all((values == found[0]).all() for values in found)


@pytest.mark.parametrize(
    "images, likelihood, message",
    [
        (GREY * 1.0, "gaussian", r"Expected float images in \[0, 1\], got values from 0 to 2\d\d"),
        (GREY, "bernoulli", "Expected pixels of exactly 0 or 1 for a Bernoulli likelihood"),
        (GREY / 255 / 2, "discretized_logistic", "Expected pixels on 256 levels"),
        (np.full((9, *SHAPE), np.nan), "gaussian", "Expected finite pixels, got 180 of 180"),
        (GREY[..., 0], "gaussian", r"shape \(n, 4, 5, 1\), got \(70, 4, 5\). Add a channel axis"),
        (GREY[:, :3], "gaussian", r"shape \(n, 4, 5, 1\), got \(70, 3, 5, 1\)"),
        (GREY.astype("int64"), "gaussian", "got int64"),
        (np.uint8(BINARY), "gaussian", "grey levels 0..255, got only the values 0 and 1"),
        (GREY[:0], "gaussian", "got no images"),
    ],
)
def test_images_outside_the_door_are_refused_everywhere(images, likelihood, message):
    vae = small(likelihood=likelihood)
    methods = [vae.fit, vae.evaluate, vae.predict, vae.encode, vae.reconstruct, vae.elbo]
    good = BINARY if likelihood == "bernoulli" else GREY
    methods += [vae.log_likelihood, lambda x: vae.fit(good, validation_data=(x,), verbose=0)]
    for method in methods:
        with pytest.raises(UserError, match=message):
            method(images)


def test_a_bad_batch_of_a_stream_is_refused_before_the_first_step():
    for stream in streams(np.float32(GREY)):
        with pytest.raises(UserError, match=r"Expected float images in \[0, 1\]"):
            small().fit(stream, verbose=0)


def test_callbacks_of_keras_and_warm_up(tmp_path):
    vae = small()
    history = vae.fit(
        GREY, epochs=30, verbose=0, validation_data=(GREY,),
        callbacks=[
            vampprior.WarmUp(4),
            keras.callbacks.EarlyStopping("val_elbo", mode="max", patience=0, min_delta=1e9),
            keras.callbacks.LearningRateScheduler(lambda epoch: 0.1 / (epoch + 1)),
            keras.callbacks.ModelCheckpoint(tmp_path / "best.keras"),
        ],
    )  # fmt: skip
    assert len(history.epoch) == 2 and float(vae.beta.numpy()) == 0.5
    assert history.history["learning_rate"] == pytest.approx([0.1, 0.05])
    loaded = keras.saving.load_model(tmp_path / "best.keras")
    np.testing.assert_array_equal(loaded.sample(3, seed=0), vae.sample(3, seed=0))


def test_vamp_prior_data_needs_its_images_and_says_so():
    vae = small(vampprior.VampPrior(6, start="data", trainable=False))
    for method in (vae.fit, vae.evaluate, vae.elbo, vae.log_likelihood, lambda _: vae.sample(2)):
        with pytest.raises(UserError, match=r"Call adapt\(images\) with the training images"):
            method(GREY)
    assert vae.predict(GREY, verbose=0).shape == GREY.shape  # no prior is involved
    vae.adapt(GREY)
    vae.fit(GREY, verbose=0)
    rows = {row.tobytes() for row in GREY.reshape(70, -1)}
    levels = np.rint(vae.pseudo_inputs * 255).astype("uint8").reshape(6, -1)
    assert all(row.tobytes() in rows for row in levels)
    with pytest.raises(UserError, match="StandardNormal does not adapt to images"):
        small("standard").adapt(GREY)


def test_summary_shows_shapes_and_an_empty_constructor_needs_only_a_shape(capsys):
    vae = vampprior.VAE(image_shape=SHAPE)
    vae.summary()
    shown = capsys.readouterr().out
    assert "?" not in shown and "(None, 40)" in shown
    assert isinstance(vae.prior, vampprior.VampPrior) and vae.pseudo_inputs.shape == (500, *SHAPE)


@keras.saving.register_keras_serializable("test_vamp_keras")
class Shifted(vampprior.Prior):
    """N(shift, I) with a trainable shift."""

    def build(self, input_shape):
        super().build(input_shape)
        self.shift = self.add_weight(name="shift", shape=(self.latent_dim,), initializer="ones")

    def log_prob(self, z):
        return -0.5 * ops.sum(ops.square(z - self.shift) + np.log(2 * np.pi), axis=-1)

    def sample(self, n, seed=None):
        noise = np.random.default_rng(seed).standard_normal((n, self.latent_dim))
        return np.float32(noise) + ops.convert_to_numpy(self.shift)


def own_networks(outputs_per_pixel=1):
    x = images = keras.Input(SHAPE)
    x = layers.Conv2D(4, 3, padding="same", activation="relu")(x)
    x = layers.BatchNormalization()(x)
    x = layers.Flatten()(x)
    log_var = layers.Dense(3, kernel_regularizer=keras.regularizers.L2(0.1))(x)
    encoder = keras.Model(images, [layers.Dense(3)(x), log_var])
    z = keras.Input((3,))
    x = layers.Reshape(SHAPE)(layers.Dense(20)(z))
    x = layers.Conv2D(outputs_per_pixel, 3, padding="same")(x)
    return encoder, keras.Model(z, x)


@pytest.mark.parametrize("likelihood", ["bernoulli", "discretized_logistic"])
def test_own_networks_and_an_own_prior(likelihood, tmp_path):
    encoder, decoder = own_networks(1 if likelihood == "bernoulli" else 2)
    vae = vampprior.VAE(encoder=encoder, decoder=decoder, prior=Shifted(), likelihood=likelihood)
    assert vae.latent_dim == 3 and vae.image_shape == SHAPE
    vae.compile("adam")
    images = BINARY if likelihood == "bernoulli" else GREY
    vae.fit(images, batch_size=32, verbose=0)
    results = vae.evaluate(images, verbose=0, return_dict=True)
    penalty = sum(float(ops.convert_to_numpy(value)) for value in encoder.losses)
    assert penalty > 0
    assert results["loss"] == pytest.approx(penalty - results["elbo"], rel=1e-4)
    values = vae.log_likelihood(images[:4], 200, seed=0)
    assert (values > vae.elbo(images[:4], seed=0) - 5).all()
    assert (vae.prior.shift.numpy() != 1).all()
    vae.save(tmp_path / "own.keras")
    loaded = keras.saving.load_model(tmp_path / "own.keras")
    np.testing.assert_array_equal(loaded.log_likelihood(images[:4], 200, seed=0), values)


def test_a_vamp_prior_works_with_own_networks_too():
    encoder, decoder = own_networks()
    prior = vampprior.VampPrior(5, start_mean=0.5)
    vae = vampprior.VAE(encoder=encoder, decoder=decoder, prior=prior, likelihood="bernoulli")
    vae.compile("adam")
    before = vae.pseudo_inputs
    vae.fit(BINARY, batch_size=32, verbose=0)
    assert (vae.pseudo_inputs != before).any()


@pytest.mark.parametrize(
    "keywords, message",
    [
        ({}, "image_shape must be"),
        ({"image_shape": (4, 5)}, r"image_shape must be \(height, width, channels\), got \(4, 5\)"),
        ({"image_shape": (4, 0, 1)}, "each size of image_shape must be a positive integer, got 0"),
        ({"image_shape": SHAPE, "latent_dim": 0}, "latent_dim must be a positive integer, got 0"),
        ({"image_shape": SHAPE, "prior": "vamp"}, "Unknown prior 'vamp'. Did you mean vampprior"),
        ({"image_shape": SHAPE, "prior": layers.Dense(2)}, r"or a vampprior\.priors\.Prior, got"),
        ({"image_shape": SHAPE, "likelihood": "bernouli"}, "Did you mean bernoulli"),
        ({"image_shape": SHAPE, "decoder": layers.Dense(7)}, "The decoder must give 40 values"),
        ({"image_shape": SHAPE, "encoder": layers.Flatten()}, "The encoder must give two outputs"),
    ],
)
def test_parts_that_do_not_fit_are_refused(keywords, message):
    with pytest.raises(UserError, match=message):
        vampprior.VAE(**keywords)


def test_a_prior_belongs_to_one_model():
    prior = vampprior.StandardNormal()
    small(prior)
    with pytest.raises(UserError, match="This prior belongs to another model"):
        small(prior)


@pytest.mark.parametrize("prior", ["standard", "mixture", "vampprior"])
def test_copies_of_a_trained_model(prior):
    vae = small(prior, vampprior.Bernoulli(1e-5))
    vae.fit(BINARY, batch_size=32, verbose=0)
    values = vae.log_likelihood(BINARY[:5], 20, seed=0)
    for other in (copy.deepcopy(vae), pickle.loads(pickle.dumps(vae))):
        np.testing.assert_array_equal(other.log_likelihood(BINARY[:5], 20, seed=0), values)
        assert float(other.optimizer.learning_rate) == pytest.approx(1e-2)
        other.fit(BINARY, batch_size=32, verbose=0)
    clone = keras.models.clone_model(vae)
    clone.set_weights(vae.get_weights())
    np.testing.assert_array_equal(clone.log_likelihood(BINARY[:5], 20, seed=0), values)


SAVE = """
import keras, numpy as np, sys, vampprior
folder, made = sys.argv[1:]
x = np.load(folder + "/x.npy")
if made == "save":
    vae = vampprior.VAE((4, 5, 1), 2, vampprior.VampPrior(6, start_mean=0.5), "bernoulli", seed=0)
    vae.compile("adam")
    vae.fit(x, batch_size=32, epochs=2, verbose=0)
    vae.save(folder + "/vae.keras")
else:
    vae = keras.saving.load_model(folder + "/vae.keras")
np.save(f"{folder}/{made}.npy", vae.log_likelihood(x, 50, seed=0))
vae.fit(x[:32], verbose=0)
"""


def run(backend, folder, made):
    environment = os.environ | {"KERAS_BACKEND": backend, "PYTHONPATH": str(ROOT)}
    environment["JAX_DISABLE_MOST_OPTIMIZATIONS"] = "1"  # compiles in half the time
    done = subprocess.run(
        [sys.executable, "-c", SAVE, str(folder), made],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return np.load(folder / f"{made}.npy")


@pytest.mark.parametrize(
    "backend, module", [("tensorflow", "tensorflow"), ("jax", "jax"), ("torch", "torch")]
)
def test_a_file_of_any_backend_loads_in_a_fresh_process_of_any(backend, module, tmp_path):
    pytest.importorskip(module)
    np.save(tmp_path / "x.npy", BINARY)
    saved = run(backend, tmp_path, "save")
    np.testing.assert_array_equal(run(backend, tmp_path, "load"), saved)
    here = keras.saving.load_model(tmp_path / "vae.keras").log_likelihood(BINARY, 50, seed=0)
    np.testing.assert_allclose(here, saved, atol=2e-4)


def test_building_a_model_changes_nothing_global():
    tf = pytest.importorskip("tensorflow")
    enabled = tf.config.experimental.tensor_float_32_execution_enabled
    before = enabled()
    try:
        tf.config.experimental.enable_tensor_float_32_execution(True)
        vampprior.VAE(SHAPE)
        assert enabled()
    finally:
        tf.config.experimental.enable_tensor_float_32_execution(before)
