"""The model: training, public methods, configurations, checkpoints."""

import dataclasses

import keras
import numpy as np
import pytest
from keras import ops

import vampprior
from vaekit import files
from vaekit.datasets import Dataset
from vaekit.errors import UserError
from vaekit.runs import Run
from vampprior import checkpoint, presets, train
from vampprior.config import Config, model_arguments
from vampprior.mixtures import mixture_log_prob
from vampprior.model import VAE
from vampprior.optimizer import NormalizedAdam

TINY = Config(
    "tiny",
    "bars",
    image_shape=(4, 5, 1),
    network="gated",
    hidden_units=(16, 16),
    latent_dim=2,
    num_pseudo_inputs=6,
    pseudo_input_mean=0.5,
    pseudo_input_std=0.1,
    batch_size=20,
    lr=5e-3,
    warmup_epochs=2,
    epochs=8,
)


def bars(n, seed, levels=1):
    """Images with one full row, and a little noise."""
    rng = np.random.default_rng(seed)
    images = (rng.random((n, 4, 5, 1)) < 0.05).astype("uint8")
    images[np.arange(n), rng.integers(0, 4, n)] = 1
    return images * np.uint8(levels)


def dataset(likelihood="bernoulli", levels=1):
    parts = [bars(n, seed, levels) for seed, n in enumerate((200, 40, 40))]
    return Dataset("bars", *parts, likelihood, "made", "0" * 64)


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def trained(config, folder, source=None):
    data = train.prepare(config, source or dataset())
    with Run(folder, {}) as run:
        return train.train(config, data, run, progress=False), run, data


@pytest.fixture(scope="module")
def vamp(tmp_path_factory):
    return trained(TINY, tmp_path_factory.mktemp("vamp"))


def test_training_raises_the_bound(vamp):
    _, run, _ = vamp
    records = run.records("training")
    assert len(records) == 8
    assert records[-1]["val/elbo"] > records[0]["val/elbo"] + 1
    for record in records[2:]:  # after warm-up the loss is minus the bound
        assert record["loss"] == pytest.approx(-record["elbo"], rel=1e-4)
        assert record["elbo"] == pytest.approx(record["reconstruction"] - record["kl"], rel=1e-4)
    first = records[0]  # beta = 1/2 in the first of two epochs
    assert first["loss"] == pytest.approx(0.5 * first["kl"] - first["reconstruction"], rel=1e-3)


def test_public_face_takes_and_gives_numpy(vamp):
    model, _, data = vamp
    x = data.test[:7]
    mean, log_var = model.encode(x)
    assert mean.shape == log_var.shape == (7, 2)
    assert log_var.min() >= -6 and log_var.max() <= 2
    decoded = model.decode(mean)
    assert decoded.shape == (7, 4, 5, 1) and decoded.min() >= 0 and decoded.max() <= 1
    np.testing.assert_allclose(model.reconstruct(x), decoded)
    assert model.prior.log_prob(mean).shape == (7,)
    assert model.prior.sample(3, seed=1).shape == (3, 2)
    assert model.sample(3, seed=1).shape == (3, 4, 5, 1)
    assert model.elbo(x, seed=0).shape == (7,)
    assert model.log_likelihood(x, 10, seed=0).shape == (7,)
    inputs = model.pseudo_inputs
    assert inputs.shape == (6, 4, 5, 1) and inputs.min() >= 0 and inputs.max() <= 1
    assert all(isinstance(a, np.ndarray) for a in (mean, decoded, inputs))


def test_prior_is_the_mean_of_the_pseudo_inputs_posteriors(vamp):
    model, _, _ = vamp
    z = model.prior.sample(9, seed=2)
    expected = mixture_log_prob(z, *model.encoder(model.pseudo_inputs))
    np.testing.assert_allclose(
        numpy(model.prior.log_prob(z)), numpy(expected), rtol=1e-5, atol=1e-5
    )


def test_one_sample_estimate_is_the_bound_and_more_samples_rise(vamp):
    model, _, data = vamp
    elbo = np.mean([model.elbo(data.test, seed=s).mean() for s in range(40)])
    values = {s: model.log_likelihood(data.test, s, seed=1).mean() for s in (1, 30, 900)}
    assert values[1] == pytest.approx(elbo, abs=0.5)
    assert values[1] < values[30] < values[900] + 0.02
    again = model.log_likelihood(data.test, 900, seed=1, memory_mib=0.5)
    np.testing.assert_allclose(again.mean(), values[900], atol=1e-4)


def test_log_likelihood_agrees_with_quadrature_over_the_latents(vamp):
    model, _, data = vamp
    axis = np.linspace(-6, 6, 241, dtype="float32")
    grid = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
    p = np.clip(model.decode(grid).reshape(len(grid), -1).astype(np.float64), 1e-9, 1 - 1e-9)
    x = data.test[:5].reshape(5, -1)
    log_joint = x @ np.log(p).T + (1 - x) @ np.log1p(-p).T + numpy(model.prior.log_prob(grid))
    truth = np.logaddexp.reduce(log_joint, axis=1) + 2 * np.log(axis[1] - axis[0])
    np.testing.assert_allclose(
        model.log_likelihood(data.test[:5], 20_000, seed=3), truth, atol=0.05
    )


def test_evaluate_uses_the_whole_kl_and_images_as_they_are(vamp):
    model, _, data = vamp
    model.beta.assign(0.0)
    results = model.evaluate(data.test, batch_size=40, verbose=0, return_dict=True)
    model.beta.assign(1.0)
    assert results["loss"] == pytest.approx(-results["elbo"], rel=1e-4)


def test_a_saved_model_comes_back_and_gives_the_same_figure(vamp, tmp_path):
    model, _, data = vamp
    vampprior.save(model, tmp_path / "copy", TINY)
    loaded = vampprior.load(tmp_path / "copy")
    assert checkpoint.read_config(tmp_path / "copy") == TINY
    np.testing.assert_array_equal(
        loaded.log_likelihood(data.test, 50, seed=0), model.log_likelihood(data.test, 50, seed=0)
    )


@pytest.mark.parametrize(
    "changes", [{"prior": "vampprior_data"}, {"pseudo_input_start": "data"}], ids=str
)
def test_weights_for_passing_on_hold_no_image_and_give_the_same_figure(changes, tmp_path):
    config = dataclasses.replace(TINY, **changes)
    data = train.prepare(config, dataset())
    model = train.build(config, data)
    vampprior.save(model, tmp_path / "run", config)
    files.write_json(tmp_path / "released" / "config.json", checkpoint.describe(config))
    (tmp_path / "run" / checkpoint.WITHOUT_IMAGES).rename(tmp_path / "released" / "model.npz")
    loaded = vampprior.load(tmp_path / "released")
    assert loaded.pseudo_inputs is None and model.pseudo_inputs is not None
    shapes = {tuple(variable.shape) for variable in loaded.density_variables()}
    assert (6, 20) in {tuple(variable.shape) for variable in model.density_variables()} - shapes
    assert not loaded.prior.trainable_variables
    np.testing.assert_array_equal(loaded.sample(5, seed=1), model.sample(5, seed=1))
    np.testing.assert_array_equal(
        loaded.log_likelihood(data.test, 50, seed=0), model.log_likelihood(data.test, 50, seed=0)
    )
    vampprior.save(loaded, tmp_path / "again", config)
    assert vampprior.load(tmp_path / "again").pseudo_inputs is None


def _break(folder, what):
    config = files.read_json(folder / "config.json")
    if what == "missing":
        (folder / "model.npz").unlink()
    elif what == "damaged":
        (folder / "model.npz").write_bytes(b"PK\x03\x04 nothing")
    elif what == "foreign":
        files.write_json(folder / "config.json", config | {"package": "balancingvae"})
    elif what == "other shape":
        config["config"]["num_pseudo_inputs"] = 7
        files.write_json(folder / "config.json", config)
    elif what == "unknown field":
        config["config"]["typo"] = 1
        files.write_json(folder / "config.json", config)


@pytest.mark.parametrize(
    "what, message",
    [
        ("missing", "contains no finished vampprior model"),
        ("damaged", "is damaged"),
        ("foreign", "does not describe a run of vampprior, but of balancingvae"),
        ("other shape", r"has shape \(6, 20\), expected \(7, 20\)"),
        ("unknown field", "unknown field typo"),
    ],
)
def test_checkpoints_that_do_not_fit_are_refused(vamp, tmp_path, what, message):
    vampprior.save(vamp[0], tmp_path / "m", TINY)
    _break(tmp_path / "m", what)
    with pytest.raises(UserError, match=message):
        vampprior.load(tmp_path / "m")


def test_bad_calls_are_refused(vamp):
    model, _, data = vamp
    with pytest.raises(UserError, match=r"num_samples must be a positive integer, got 0\."):
        model.log_likelihood(data.test, 0)
    with pytest.raises(UserError, match="exactly 0 or 1"):
        model.elbo(np.full((2, 4, 5, 1), 0.5))
    with pytest.raises(
        UserError, match=r"Expected images of shape \(n, 4, 5, 1\), got \(2, 5, 4, 1\)"
    ):
        model.encode(np.zeros((2, 5, 4, 1), "uint8"))
    with pytest.raises(UserError, match=r"n must be a positive integer, got 0\."):
        model.sample(0)


@pytest.mark.parametrize("prior", ["standard", "mixture", "vampprior_data"])
def test_the_other_priors_train(prior, tmp_path):
    config = dataclasses.replace(TINY, prior=prior, epochs=1, network="plain")
    model, run, data = trained(config, tmp_path)
    assert np.isfinite(run.records("training")[0]["loss"])
    assert np.isfinite(model.log_likelihood(data.test[:3], 20, seed=0)).all()
    if prior == "vampprior_data":
        rows = {row.tobytes() for row in data.train.astype("float32").reshape(200, -1)}
        assert all(row.tobytes() in rows for row in model.pseudo_inputs.reshape(6, -1))


def test_pseudo_inputs_start_from_training_images_when_told():
    config = dataclasses.replace(TINY, pseudo_input_start="data", pseudo_input_std=0.0)
    for changes, source in (
        ({}, dataset()),
        ({"dynamic_binarization": True}, dataset("discretized_logistic", levels=200)),
    ):
        data = train.prepare(dataclasses.replace(config, **changes), source)
        model = train.build(dataclasses.replace(config, **changes), data)
        rows = (data.train / (255 if changes else 1)).reshape(200, -1)
        apart = np.abs(model.pseudo_inputs.reshape(6, 1, -1) - rows).max(-1)
        assert apart.min(1).max() < 1e-6
        assert model.prior.trainable_variables


def test_dynamic_binarization_trains_on_grey_and_scores_one_fixed_binarization(tmp_path):
    config = dataclasses.replace(TINY, dynamic_binarization=True, prior="standard", epochs=1)
    source = dataset("discretized_logistic", levels=200)
    data = train.prepare(config, source)
    assert data.train.max() == 200 and set(np.unique(data.test)) == {0, 1}
    np.testing.assert_array_equal(data.test, train.prepare(config, source).test)
    lit = data.test[source.test > 0].mean()
    assert lit == pytest.approx(200 / 255, abs=0.07)
    model, _, _ = trained(config, tmp_path, source)
    x = ops.convert_to_numpy(
        model._flat_pixels(np.full((500, 4, 5, 1), 51, "uint8"), training=True)
    )
    assert set(np.unique(x)) == {0, 1} and x.mean() == pytest.approx(0.2, abs=0.02)


def test_data_that_do_not_fit_the_configuration_are_refused():
    grey = dataset("discretized_logistic", levels=200)
    with pytest.raises(UserError, match="256-level pixels, outside the support of the bernoulli"):
        train.prepare(TINY, grey)
    logistic = dataclasses.replace(TINY, likelihood="discretized_logistic")
    with pytest.raises(UserError, match="0/1 pixels, outside the support"):
        train.prepare(logistic, dataset())
    with pytest.raises(UserError, match="0/1 pixels already"):
        train.prepare(dataclasses.replace(TINY, dynamic_binarization=True), dataset())
    with pytest.raises(UserError, match=r"has \(4, 5, 1\)"):
        train.prepare(dataclasses.replace(TINY, image_shape=(4, 4, 1)), dataset())
    many = dataclasses.replace(TINY, prior="vampprior_data", num_pseudo_inputs=201)
    with pytest.raises(UserError, match=r"at most the number of images, 200, .*got 201"):
        train.build(many, train.prepare(many, dataset()))


@pytest.mark.parametrize(
    "changes",
    [
        {"prior": "vamp"},
        {"network": "conv"},
        {"num_pseudo_inputs": 0},
        {"epochs": 1.5},
        {"lr": 0.0},
        {"lr": float("nan")},
        {"adam_epsilon": 0.0},
        {"pseudo_input_mean": float("nan")},
        {"pseudo_input_std": -0.1},
        {"pseudo_input_start": "zeros"},
        {"hidden_units": (0, 5)},
        {"likelihood": "discretized_logistic", "dynamic_binarization": True},
    ],
)
def test_configurations_that_make_no_sense_are_refused(changes):
    with pytest.raises(UserError):
        dataclasses.replace(TINY, **changes)


def test_every_preset_is_consistent_and_unknown_names_get_the_near_ones():
    assert len(presets.PRESETS) == 4 + 2 * 7 * 4
    for name, config in presets.PRESETS.items():
        assert config.name == name and config.dataset in name and name.endswith(config.prior)
    with pytest.raises(UserError, match="Did you mean report_frey_faces_vampprior"):
        presets.preset("report_frey_face_vampprior")
    assert [c.prior for c in presets.row("frey_faces", "tomczak")] == list(presets.PRIORS)


@pytest.mark.parametrize("name", [n for n in presets.PRESETS if n.endswith("_vampprior")])
def test_every_row_builds_a_model_of_its_published_size(name):
    model = VAE(**model_arguments(presets.PRESETS[name]))
    count = sum(int(np.prod(v.shape)) for v in model.trainable_variables)
    if name == "tomczak_static_mnist_vampprior":
        assert count == 1_116_864 + 500 * 784  # pythae's, less the bias of its pseudo-inputs
    assert count > 0


def test_normalized_adam_ignores_the_scale_of_gradients():
    steps = []
    for scale in (1.0, 1000.0):
        variable = keras.Variable(np.float32([1.0, -2.0]))
        optimizer = NormalizedAdam(0.1)
        for gradient in ([3.0, 4.0], [-1.0, 0.5]):
            optimizer.apply([ops.convert_to_tensor(np.float32(gradient) * scale)], [variable])
            scale *= 10  # with plain Adam, growing gradients would matter
        steps.append(ops.convert_to_numpy(variable.value))
    np.testing.assert_allclose(steps[0], steps[1], rtol=1e-5)


@pytest.mark.parametrize("normalize", [True, False])
def test_adams_settings_take_effect(normalize):
    config = dataclasses.replace(TINY, lr=0.25, adam_epsilon=1e-8, normalize_gradients=normalize)
    optimizer = train.build(config, train.prepare(config, dataset())).optimizer
    assert isinstance(optimizer, NormalizedAdam) == normalize
    assert optimizer.epsilon == 1e-8 and float(optimizer.learning_rate) == 0.25
