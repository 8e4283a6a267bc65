"""The three models with the Keras interface: fit, callbacks, saving, own networks, errors."""

import copy
import importlib.util
import os
import pickle
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers, ops

import balancingvae
from balancingvae import networks
from vaekit.errors import UserError

ROOT = Path(__file__).resolve().parents[2]
SHAPE = (8, 8, 1)
TINY = networks.Dense(depth=1, width=6)


def grey_levels(n=10, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (n, *SHAPE), np.uint8)


def balanced(**options):
    keras.utils.set_random_seed(0)
    options = {"network": TINY, "image_shape": SHAPE, "latent_dim": 3, "seed": 0} | options
    model = balancingvae.BalancedVAE(**options)
    model.compile(keras.optimizers.Adam(0.01))
    return model


def two_stage(**options):
    keras.utils.set_random_seed(0)
    options = {"network": TINY, "latent_dim": 3, "second_width": 4, "seed": 0} | options
    model = balancingvae.TwoStageVAE(SHAPE, **options)
    model.compile(keras.optimizers.Adam(0.01))
    return model


def latent():
    model = balancingvae.LatentVAE(3, depth=1, width=4, balance="learned", seed=0)
    model.compile("adam")
    return model


def weights(model):
    return [ops.convert_to_numpy(v).copy() for v in model.weights]


def own_networks(output=1, name=None):
    encoder = keras.Sequential([keras.Input(SHAPE), layers.Flatten(), layers.Dense(6, "relu")])
    x = keras.Input(SHAPE)
    h = encoder(x)
    encoder = keras.Model(x, [layers.Dense(3)(h), layers.Dense(3)(h)])
    z = keras.Input((3,))
    penalty = keras.regularizers.L2(0.5)
    pixels = layers.Dense(64 * output, "sigmoid", kernel_regularizer=penalty, name=name)(z)
    return encoder, keras.Model(z, layers.Reshape((8, 8, output))(pixels))


def test_bytes_and_floats_give_the_same_model():
    images = grey_levels()
    one, other = balanced(), balanced()
    one.fit(images, epochs=2, batch_size=5, shuffle=False, verbose=0)
    floats = (images / np.float32(255)).astype(np.float32)
    other.fit(floats, epochs=2, batch_size=5, shuffle=False, verbose=0)
    for a, b in zip(weights(one), weights(other), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)
    np.testing.assert_allclose(one.reconstruct(images), other.reconstruct(floats), atol=1e-6)
    assert one.sample(200, seed=0).mean() == pytest.approx(0.5, abs=0.2)  # not black


def test_zeros_and_ones_are_what_their_type_says():
    pixels = grey_levels() > 127
    model = balanced()
    model.fit(pixels, epochs=1, batch_size=4, verbose=0)
    np.testing.assert_array_equal(model.encode(pixels)[0], model.encode(pixels * 1.0)[0])


def test_an_incomplete_last_batch_counts_by_its_images():
    images = grey_levels(10)
    model = balanced(balance="fixed")
    whole = model.evaluate(images, batch_size=10, return_dict=True, verbose=0)
    parts = model.evaluate(images, batch_size=4, return_dict=True, verbose=0)
    assert parts["loss"] == pytest.approx(parts["kl"] + parts["generation"], rel=1e-5)
    assert parts["kl"] == pytest.approx(whole["kl"], rel=1e-5)


def test_predict_reconstructs_from_posterior_means():
    images = grey_levels()
    for model in (balanced(), two_stage()):
        found = model.predict(images, batch_size=4, verbose=0)
        np.testing.assert_allclose(found, model.reconstruct(images), atol=1e-6)
        assert model.reconstruct(images, sample=True, seed=1).shape == images.shape
    z = np.zeros((5, 3))
    model = latent()
    np.testing.assert_allclose(
        model.predict(z, verbose=0), model.decode(model.encode(z)[0]), atol=1e-6
    )


def test_summaries_show_shapes(capsys):
    for model, shape in ((balanced(), "(None, 8, 8, 1)"), (two_stage(), "(None, 8, 8, 1)")):
        model.summary()
        text = capsys.readouterr().out
        assert "?" not in text and shape in text


def test_history_of_two_stages():
    model, images = two_stage(), grey_levels()
    history = model.fit(images, 2, batch_size=4, validation_data=(images[:4],), verbose=0)
    assert model.history is history
    losses = {k: len(v) for k, v in history.history.items() if k.endswith("_loss")}
    assert losses == {
        "stage_one_loss": 2, "stage_one_val_loss": 2, "stage_two_loss": 4, "stage_two_val_loss": 4,
    }  # fmt: skip
    assert model.stage_two.optimizer is not model.stage_one.optimizer
    results = model.evaluate(images, batch_size=4, return_dict=True, verbose=0)
    assert len(model.evaluate(images, verbose=0)) == len(results) == 10
    assert next(iter(results)) == "stage_one_loss"
    before = weights(model.stage_two)
    model.fit(images, epochs=1, second_epochs=0, verbose=0)
    assert next(iter(model.history.history)).startswith("stage_one")
    for a, b in zip(before, weights(model.stage_two), strict=True):
        np.testing.assert_array_equal(a, b)


class Batches(keras.utils.PyDataset):
    """Ten images in batches of four."""

    def __len__(self):
        return 3

    def __getitem__(self, index):
        return (grey_levels(10)[4 * index : 4 * index + 4],)


def test_streams_train_both_stages():
    model = two_stage()
    history = model.fit(Batches(), 1, validation_data=Batches(), verbose=0)
    assert len(history.history["stage_two_val_loss"]) == 2
    if importlib.util.find_spec("tensorflow"):
        import tensorflow as tf

        data = tf.data.Dataset.from_tensor_slices(grey_levels()).batch(4)
        model.fit(data, 1, verbose=0)
        model.stage_one.evaluate(data, verbose=0)
    with pytest.raises(UserError, match="readable twice, once for each stage, got a generator"):
        model.fit((x for x in [grey_levels()]), verbose=0)


def test_callbacks(tmp_path):
    model = two_stage()
    stop = keras.callbacks.EarlyStopping("loss", patience=0, min_delta=1e9)
    best = keras.callbacks.ModelCheckpoint(tmp_path / "best.keras", "loss", save_best_only=True)
    rate = keras.callbacks.LearningRateScheduler(lambda epoch: 0.001)
    model.fit(
        grey_levels(), 5, batch_size=5, callbacks=[stop, best], second_callbacks=[rate], verbose=0
    )
    assert len(model.history.history["stage_one_loss"]) == 2
    assert len(model.history.history["stage_two_loss"]) == 10
    saved = keras.saving.load_model(tmp_path / "best.keras")
    assert isinstance(saved, balancingvae.BalancedVAE)
    saved.fit(grey_levels(), verbose=0)


def test_own_networks_and_their_regularisers(tmp_path):
    encoder, decoder = own_networks(name="pixels")
    model = balancingvae.BalancedVAE(encoder, decoder, balance=balancingvae.LearnedGamma(0.5))
    assert (model.image_shape, model.latent_dim) == (SHAPE, 3)
    model.compile("sgd")
    images = grey_levels()
    found = model.evaluate(images, batch_size=10, return_dict=True, verbose=0)
    kernel = ops.convert_to_numpy(decoder.get_layer("pixels").kernel)
    penalty = 0.5 * np.square(kernel).sum()
    assert found["loss"] - found["kl"] - found["generation"] == pytest.approx(penalty, rel=1e-3)
    model.fit(images, verbose=0)
    model.save(tmp_path / "own.keras")
    again = keras.saving.load_model(tmp_path / "own.keras")
    np.testing.assert_array_equal(again.sample(4, seed=0), model.sample(4, seed=0))
    two = balancingvae.TwoStageVAE(encoder=encoder, decoder=decoder, second_width=4)
    assert two.generate(2, seed=0).shape == (2, *SHAPE)
    assert two.stage_one.kl_weight == (2 * 8 / 3) ** 2


def test_a_penalty_of_the_package_own_networks_is_in_the_loss():
    conv = networks.Conv(num_scale=1, base_dim=2, fc_dim=4, l2=0.1)
    model = balanced(network=conv)
    found = model.evaluate(grey_levels(), batch_size=10, return_dict=True, verbose=0)
    kernels = [model.encoder.get_layer("downsample0").kernel, model.decoder.get_layer("up0").kernel]
    penalty = 0.1 * sum(np.square(ops.convert_to_numpy(k)).sum() for k in kernels)
    assert found["loss"] - found["kl"] - found["generation"] == pytest.approx(penalty, rel=1e-3)


def test_copies():
    model = two_stage(balance="learned")
    model.latent_std = None
    model.fit(grey_levels(), 1, batch_size=5, verbose=0)
    for again in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(again.generate(3, seed=0), model.generate(3, seed=0))
        assert again.latent_std is None
        assert int(again.stage_two.optimizer.iterations) == 4
    clone = keras.models.clone_model(model)
    assert clone.get_config() == model.get_config()
    assert not np.array_equal(clone.generate(3, seed=0), model.generate(3, seed=0))


@pytest.mark.parametrize("network", networks.NETWORKS)
def test_networks_are_saved_alone_and_in_a_model(network, tmp_path):
    small = {"base_dim": 1, "fc_dim": 4, "num_scale": 2, "units": 4, "width": 4, "depth": 1}
    kind = networks.NETWORKS[network]
    names = kind.__dataclass_fields__
    builder = kind(**{k: v for k, v in small.items() if k in names})
    model = balanced(network=builder, latent_dim=4, dtype="mixed_bfloat16")
    images = (grey_levels(3) / 255).astype("float32")
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert again.network == builder
    np.testing.assert_array_equal(again.reconstruct(images), model.reconstruct(images))
    model.encoder.save(tmp_path / "encoder.keras")
    encoder = keras.saving.load_model(tmp_path / "encoder.keras")
    np.testing.assert_allclose(encoder(images)[1], model.encoder(images)[1], atol=1e-6)


REFUSED = [
    (np.zeros((4, 8, 8), np.uint8), r"shape \(n, 8, 8, 1\), got \(4, 8, 8\)"),
    (np.full((4, *SHAPE), 200.0), r"in \[0, 1\], got values from 200 to 200"),
    (np.full((4, *SHAPE), np.nan), "finite pixels, got 256 of 256"),
    (np.zeros((4, *SHAPE), np.int64), "uint8, bool or float images, got int64"),
]


@pytest.mark.parametrize("images, message", REFUSED)
def test_images_that_are_refused_everywhere(images, message):
    one, two = balanced(), two_stage()
    for method in (one.fit, one.evaluate, one.predict, one.encode, one.reconstruct, two.fit,
                   two.evaluate, two.predict, two.encode):  # fmt: skip
        with pytest.raises(UserError, match=message):
            method(images)
    with pytest.raises(UserError, match=message):
        one.fit(grey_levels(), validation_data=(images,), verbose=0)


@pytest.mark.parametrize(
    "options, message",
    [
        ({}, r"image_shape must be \(height, width, channels\)"),
        ({"encoder": own_networks()[0]}, "the decoder is missing"),
        ({"image_shape": SHAPE, "latent_dim": 0}, "latent_dim must be a positive integer, got 0"),
        ({"image_shape": SHAPE, "network": "resnt"}, "Unknown network 'resnt'. Did you mean"),
        ({"image_shape": SHAPE, "network": TINY, "seed": -1}, "seed must be None or a non-neg"),
        ({"image_shape": SHAPE, "network": TINY, "reconstruction": "l1"}, "Unknown reconstruction"),
        ({"image_shape": SHAPE, "network": TINY, "kl_weight": 0}, "kl_weight must be a positive"),
    ],
)
def test_arguments_that_are_refused(options, message):
    with pytest.raises(UserError, match=message):
        balancingvae.BalancedVAE(**options)


def test_networks_that_do_not_fit():
    encoder, decoder = own_networks(output=3)
    with pytest.raises(UserError, match=r"must give \(None, 8, 8, 1\) from latents.*8, 8, 3\)"):
        balancingvae.BalancedVAE(encoder, decoder)
    with pytest.raises(UserError, match="two outputs, mean and log_var"):
        balancingvae.BalancedVAE(keras.Model(encoder.input, encoder.outputs[0]), decoder)
    with pytest.raises(UserError, match="not both"):
        balancingvae.BalancedVAE(encoder, decoder, network="dense")
    with pytest.raises(UserError, match="latent_dim is 5, but the encoder gives 3"):
        balancingvae.BalancedVAE(*own_networks(), latent_dim=5)
    model = two_stage()
    with pytest.raises(UserError, match="n must be a positive integer, got 0"):
        model.generate(0)
    with pytest.raises(UserError, match="Unknown stage 3"):
        model.generate(1, stage=3)
    with pytest.raises(UserError, match=r"latents of shape \(n, 3\)"):
        model.stage_two.fit(np.zeros((4, 2)), verbose=0)


FRESH = """
import sys
import keras, numpy as np
import balancingvae
folder, train = sys.argv[1], sys.argv[2] == "train"
two = keras.saving.load_model(f"{folder}/two.keras")
one = keras.saving.load_model(f"{folder}/one.keras")
latent = keras.saving.load_model(f"{folder}/latent.keras")
images = np.load(f"{folder}/images.npy")
np.savez(f"{folder}/found.npz", two=two.generate(6, seed=1), rec=two.predict(images, verbose=0),
         one=one.sample(6, seed=1), latent=latent.sample(6, seed=1), std=two.latent_std,
         gamma=two.stage_one.gamma.tolist() if hasattr(two.stage_one.gamma, "tolist")
         else float(two.stage_one.gamma))
if train:
    two.fit(images, 1, batch_size=4, verbose=0)
    assert np.isfinite(two.evaluate(images, verbose=0)).all()
    two.save(f"{folder}/two.keras")
    np.save(f"{folder}/trained.npy", two.generate(6, seed=1))
"""


def in_a_fresh_process(folder, backend, train=False):
    """Outputs of the saved models in a fresh process, as a dict of arrays."""
    environment = os.environ | {"KERAS_BACKEND": backend, "PYTHONPATH": str(ROOT)}
    environment["JAX_DISABLE_MOST_OPTIMIZATIONS"] = "1"
    done = subprocess.run(
        [sys.executable, "-c", FRESH, str(folder), "train" if train else ""],
        capture_output=True, text=True, env=environment, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    with np.load(folder / "found.npz") as found:
        return dict(found)


@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
def test_models_in_a_fresh_process_on_every_backend(backend, tmp_path):
    pytest.importorskip(backend)
    resnet = networks.ResNet(num_scale=1, base_dim=2, fc_dim=3, depth_per_block=1)
    two, one, second = two_stage(network=resnet, latent_std=0.7), balanced(), latent()
    images = grey_levels()
    two.fit(images, 1, batch_size=5, verbose=0)
    for name, model in (("two", two), ("one", one), ("latent", second)):
        model.save(tmp_path / f"{name}.keras")
    np.save(tmp_path / "images.npy", images)
    found = in_a_fresh_process(tmp_path, backend, train=backend != keras.backend.backend())
    expected = {
        "two": two.generate(6, seed=1), "rec": two.predict(images, verbose=0),
        "one": one.sample(6, seed=1), "latent": second.sample(6, seed=1),
        "std": two.latent_std, "gamma": float(two.stage_one.gamma),
    }  # fmt: skip
    tolerance = 0 if backend == keras.backend.backend() else 1e-5
    for name, array in expected.items():
        np.testing.assert_allclose(found[name], array, rtol=tolerance, atol=tolerance, err_msg=name)
    if backend != keras.backend.backend():
        back = keras.saving.load_model(tmp_path / "two.keras")
        trained = np.load(tmp_path / "trained.npy")
        np.testing.assert_allclose(back.generate(6, seed=1), trained, atol=1e-5)
