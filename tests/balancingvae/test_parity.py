"""Both stages against the results of the original TensorFlow 1 graph, within float32.

This runs on the Keras backend of the process; `test_the_other_backend` runs it on JAX. The weights
are those of the checkpoints, or of the .keras files in the folder $PARITY_MODELS.
"""

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import ops

import balancingvae
from balancingvae import renormalization, variance
from balancingvae.checkpoint import assign, to_arrays
from balancingvae.model import BalancedVAE, LatentVAE
from balancingvae.renormalization import prior_latents, renormalized_latents
from balancingvae.tf1.importer import canonical_names, our_names
from vaekit.images import scaled
from vaekit.training import halved_every

FIXTURES = Path(__file__).parents[1] / "fixtures"
MODELS = ("cifar10", "celeba")
# About ten times the largest differences seen between TensorFlow versions.
INFERENCE, TRAINING, LOSS = 1e-5, 5e-5, 2e-5


class FedStageOne(BalancedVAE):
    """Stage one, which gets the noise in addition to the images."""

    def call(self, inputs, training=False):
        images, noise = inputs
        return self.autoencode(scaled(images), noise, training)


class FedStageTwo(LatentVAE):
    """Stage two, which gets latents and noise."""

    def call(self, inputs, training=False):
        z, noise = inputs
        return self.autoencode(z, noise, training)


@pytest.fixture(scope="module", params=MODELS)
def case(request):
    return read_case(request.param)


@pytest.fixture(scope="module")
def cifar10():
    return read_case("cifar10")


def read_case(name):
    """Fixture name -> (the model, function that reads a fixture file as a dict)."""
    if "PARITY_MODELS" in os.environ:
        model = keras.saving.load_model(Path(os.environ["PARITY_MODELS"]) / f"{name}.keras")
    else:
        model = balancingvae.import_tf1_checkpoint(FIXTURES / name / "stage2")
    return model, lambda part: dict(np.load(FIXTURES / name / f"{part}.npz"))


def fed_copy(stage, fed_class, gamma):
    """A copy of a stage that gets the noise, compiled as in training."""
    copy = fed_class.from_config(stage.get_config())
    assign(copy, to_arrays(stage), "copy")
    copy.balance.running_error.assign(gamma**2)
    # Eager TensorFlow avoids tracing a step that is made only twice.
    optimizer = keras.optimizers.Adam(1e-4, epsilon=1e-8)
    copy.compile(optimizer, jit_compile=is_jax(), run_eagerly=not is_jax())
    return copy


def is_jax():
    return keras.backend.backend() == "jax"


def test_inference(case):
    model, read = case
    io = read("io")
    count = len(io["x_hat"])
    mean, log_var = model.encode(io["images"])
    np.testing.assert_allclose(mean, io["mu_z"], atol=INFERENCE)
    np.testing.assert_allclose(log_var / 2, io["logsd_z"], atol=INFERENCE)
    np.testing.assert_allclose(model.reconstruct(io["images"])[:count], io["x_hat"], atol=INFERENCE)
    z = mean + np.exp(log_var / 2) * io["noise_z"]
    np.testing.assert_allclose(z, io["z_sampled"], atol=INFERENCE)
    for latents, key in ((z, "x_hat_sampled_first2"), (io["z_prior"], "x_hat_from_prior_first2")):
        np.testing.assert_allclose(model.decode(latents)[:2], io[key], atol=INFERENCE)
    np.testing.assert_allclose(model.stage_two.decode(io["u_in"]), io["z_hat"], atol=INFERENCE)
    mean, log_var = model.stage_two.encode(io["z_in"])
    np.testing.assert_allclose(mean, io["mu_u"], atol=INFERENCE)
    np.testing.assert_allclose(log_var / 2, io["logsd_u"], atol=INFERENCE)
    u = mean + np.exp(log_var / 2) * io["noise_u"]
    np.testing.assert_allclose(model.stage_two.decode(u), io["z_hat_sampled"], atol=INFERENCE)


def test_losses(case):
    model, read = case
    io = read("io")
    stage = fed_copy(model.stage_one, FedStageOne, io["gamma_x"])
    assert stage.kl_weight == io["k"]
    inputs = (io["images"], io["noise_z"])
    check_losses(stage, stage(inputs, training=False), io, "eval_{}_loss1")
    outputs = stage(inputs, training=True)
    check_losses(stage, outputs, io, "train_{}_loss1")
    np.testing.assert_allclose(outputs["mean"], io["train_mu_z"], atol=1e-4)
    np.testing.assert_allclose(outputs["log_var"] / 2, io["train_logsd_z"], atol=TRAINING)
    np.testing.assert_allclose(
        outputs["reconstruction"][:2], io["train_x_hat_first2"], atol=TRAINING
    )
    stage_two = fed_copy(model.stage_two, FedStageTwo, io["gamma_z"])
    outputs = stage_two((io["z_in"], io["noise_u"]), training=True)
    check_losses(stage_two, outputs, io, "train_{}_loss2")


def test_fed_latents_in_training_mode(case):
    model, read = case
    io = read("io")
    stage = fed_copy(model.stage_one, FedStageOne, io["gamma_x"])
    outputs = stage((io["images"], io["noise_z"]), training=True)
    outputs["reconstruction"] = stage.decoder(io["z_prior"], training=True)
    check_losses(stage, outputs, io, "train_zfed_{}_loss1")


def check_losses(stage, outputs, io, pattern):
    values = stage.losses_of(outputs)
    for ours, theirs in (("kl", "kl"), ("generation", "gen"), ("mse", "mse")):
        np.testing.assert_allclose(values[ours], io[pattern.format(theirs)], rtol=LOSS)
    np.testing.assert_allclose(values["loss"], io[pattern.replace("{}_", "")], rtol=LOSS)


STAGES = [
    ("stage1", "stage_one", FedStageOne, ("images", "noise_z"), "gamma_x"),
    ("stage2", "stage_two", FedStageTwo, ("z_in", "noise_u"), "gamma_z"),
]


@pytest.mark.parametrize("scope, attribute, fed_class, keys, gamma", STAGES)
def test_one_step_of_adam(case, scope, attribute, fed_class, keys, gamma):
    model, read = case
    io, step = read("io"), read("step")
    stage = fed_copy(getattr(model, attribute), fed_class, io[gamma])
    inputs = tuple(io[key] for key in keys)
    names = our_names(stage, scope)
    before = {names[name]: array for name, array in to_arrays(stage).items() if name in names}
    loss = stage.train_on_batch(inputs, return_dict=True)["loss"]
    np.testing.assert_allclose(loss, step[f"{scope}_loss_before"], rtol=LOSS)
    after = {names[name]: array for name, array in to_arrays(stage).items() if name in names}
    for index, name in enumerate(step[f"{scope}_names"]):
        name = canonical(str(name), step)
        np.testing.assert_array_equal(before[name], step[f"{scope}_before_{index}"])
        np.testing.assert_allclose(after[name], step[f"{scope}_after_fresh_{index}"], atol=5e-7)
    if scope == "stage1":
        check_statistics(after, step)
    stage.balance.running_error.assign(io[gamma] ** 2)
    stage.reset_metrics()
    loss = stage.train_on_batch(inputs, return_dict=True)["loss"]
    np.testing.assert_allclose(loss, step[f"{scope}_loss_after_fresh"], rtol=LOSS)


def check_statistics(after, step):
    for index, name in enumerate(step["bn_names"]):
        for key in ("mean", "variance", "mean_biased", "variance_biased", "mean_local_step"):
            np.testing.assert_allclose(
                after[f"{canonical(name, step)}/{key}"],
                step[f"bn{index}_{key}_after"],
                rtol=2e-5,
                atol=1e-7,
            )


def canonical(name, step):
    """Canonical name of a variable, or of a batch norm (without its weight), of a fixture."""
    names = canonical_names([*step["stage1_all_names"], *step["stage2_all_names"], f"{name}/mean"])
    return names[name] if name in names else names[f"{name}/mean"].removesuffix("/mean")


def gradients_of(stage, inputs):
    """Gradient of the training loss for every trainable weight, by name."""
    variables = stage.trainable_variables
    if is_jax():
        import jax

        state = [variable.value for variable in stage.non_trainable_variables]

        def loss_of(values):
            outputs, _ = stage.stateless_call(values, state, inputs, training=True)
            return stage.losses_of(outputs)["loss"]

        found = jax.grad(loss_of)([variable.value for variable in variables])
    else:
        import tensorflow as tf

        with tf.GradientTape() as tape:
            loss = stage.losses_of(stage(inputs, training=True))["loss"]
        found = tape.gradient(loss, [variable.value for variable in variables])
    ids = {id(weight): name for name, weight in stage.named_weights().items()}
    pairs = zip(variables, found, strict=True)
    return {ids[id(variable)]: ops.convert_to_numpy(gradient) for variable, gradient in pairs}


@pytest.mark.parametrize("scope, attribute, fed_class, keys, gamma", STAGES)
def test_gradients(case, scope, attribute, fed_class, keys, gamma):
    model, read = case
    io, step = read("io"), read("step")
    stage = fed_copy(getattr(model, attribute), fed_class, io[gamma])
    found = gradients_of(stage, tuple(io[key] for key in keys))
    names = our_names(stage, scope)
    found = {names[name]: gradient for name, gradient in found.items()}
    for index, name in enumerate(step[f"{scope}_names"]):
        expected = step[f"{scope}_grad_{index}"]
        np.testing.assert_allclose(
            found[canonical(name, step)], expected, atol=1e-3 * np.abs(expected).max()
        )
    every = canonical_names(step[f"{scope}_all_names"])
    norms = dict(zip(every.values(), step[f"{scope}_all_grad_l2"], strict=True))
    assert norms.keys() == found.keys()
    # A bias before a batch norm has a true gradient of 0: what is there is rounding noise, in
    # proportion to what cancels, and never above 2e-3.
    noise = min(2e-6 * max(norms.values()), 2e-3)
    for name, norm in norms.items():
        np.testing.assert_allclose(np.linalg.norm(found[name]), norm, rtol=2e-3, atol=noise)


def run_trace(stage, trace, scope, batches):
    """Make nine updates as in the original loop, and check every figure of the trace."""
    stage.balance.running_error.assign(1)
    for index, batch in enumerate(batches):
        stage.optimizer.learning_rate = trace[f"{scope}_lr"][index]
        np.testing.assert_allclose(stage.gamma, trace[f"{scope}_gamma_used"][index], rtol=2e-5)
        logs = stage.train_on_batch(batch, return_dict=True)
        np.testing.assert_allclose(logs["loss"], trace[f"{scope}_loss"][index], rtol=2e-4)
        np.testing.assert_allclose(logs["mse"], trace[f"{scope}_batch_mse"][index], rtol=2e-4)
        np.testing.assert_allclose(
            stage.balance.running_error, trace[f"{scope}_mse_state_after"][index], rtol=2e-5
        )
        np.testing.assert_allclose(stage.gamma, trace[f"{scope}_gamma_after"][index], rtol=2e-5)
        stage.reset_metrics()


def test_trace_of_the_training_loop(cifar10):
    model, read = cifar10
    trace = read("trace")
    stage = fed_copy(model.stage_one, FedStageOne, 1.0)
    images = trace["train_images"]
    batches = zip(images[trace["stage1_batch_index"]], trace["stage1_noise"], strict=True)
    run_trace(stage, trace, "stage1", batches)
    mean, log_var = stage.encode(images[trace["posterior_index"]])
    # Biases before a batch norm drift: Adam turns rounding noise of a zero gradient into steps.
    np.testing.assert_allclose(mean, trace["posterior_mu"], atol=0.1)
    np.testing.assert_allclose(np.exp(log_var / 2), trace["posterior_sd"], atol=0.1)
    stage_two = fed_copy(model.stage_two, FedStageTwo, 1.0)
    batches = zip(trace["stage2_batch"], trace["stage2_noise"], strict=True)
    run_trace(stage_two, trace, "stage2", batches)


def test_learning_rates_of_the_trace(cifar10):
    trace = cifar10[1]("trace")
    for scope, halving in (("stage1", 2), ("stage2", 1)):
        rate = halved_every(2e-4, halving)
        rates = [rate(int(epoch)) for epoch in trace[f"{scope}_epoch"]]
        np.testing.assert_allclose(rates, trace[f"{scope}_lr"], rtol=1e-12)


def test_evaluation_block(case):
    model, read = case
    expected = read("eval")
    first = 4 if "rec_raw_first4" in expected else 2
    suffix = f"first{first}"
    real = expected["test_images"].astype("float32") / 255
    mean, log_var = model.encode(expected["test_images"])
    np.testing.assert_allclose(mean, expected["zmean"], atol=INFERENCE)
    np.testing.assert_allclose(log_var / 2, expected["zlogsd"], atol=INFERENCE)
    law = variance.original_variance_law(mean, log_var)
    np.testing.assert_allclose(law, expected["variance_law"], rtol=LOSS)
    np.testing.assert_allclose(variance.mean_sigma(log_var), expected["mean_exp_logsd"], rtol=LOSS)
    assert variance.original_inactive_units(log_var).sum() == expected["inactive_count"]

    rec = model.decode(mean + np.exp(log_var / 2) * expected["noise_rec"])
    np.testing.assert_allclose(rec[:first], expected[f"rec_raw_{suffix}"], atol=INFERENCE)
    moved = renormalization.renormalize_images(rec, renormalization.mean_pixel_std(real))
    np.testing.assert_allclose(moved[:first], expected[f"rec_renormalised_{suffix}"], atol=3e-5)
    mean_rgb = moved.mean((0, 1, 2))
    np.testing.assert_allclose(mean_rgb, expected["rec_renormalised_mean_rgb"], atol=INFERENCE)
    np.testing.assert_allclose(np.mean((real - moved) ** 2), expected["mse_reported"], rtol=1e-4)

    mean_u, log_var_u = model.stage_two.encode(mean)
    mean_hat = model.stage_two.decode(mean_u + np.exp(log_var_u / 2) * expected["noise_rec2"])
    np.testing.assert_allclose(mean_hat, expected["z_hat_rec2"], atol=2e-5)
    loss = variance.variance_loss_over_data(mean, mean_hat)
    np.testing.assert_allclose(loss, expected["var_loss2"], rtol=1e-4)
    np.testing.assert_allclose(np.mean((mean - mean_hat) ** 2), expected["mse2"], rtol=1e-4)
    target = renormalization.original_target_std(mean, log_var, mean_hat)
    if np.isnan(expected["adjust2"]):
        assert target is None
    else:
        np.testing.assert_allclose(target, expected["adjust2"], rtol=LOSS)
    check_generation(model, expected, target, suffix, "")


def test_generation_without_adjustment(cifar10):
    model, read = cifar10
    check_generation(model, read("eval"), None, "first4", "_noadjust")


def check_generation(model, expected, target, suffix, ending):
    count = int(suffix[-1])
    one = prior_latents(expected["gen1_noise"], target)
    two = model.stage_two.decode(expected["gen2_noise_u"])
    two = renormalized_latents(two, target, batch_size=10)
    for z, name in ((one, "gen1"), (two, "gen2")):
        np.testing.assert_allclose(z, expected[f"{name}_z{ending}"], rtol=LOSS, atol=INFERENCE)
        images = model.decode(z[:count])
        np.testing.assert_allclose(images, expected[f"{name}_x_{suffix}{ending}"], atol=2e-5)


@pytest.mark.skipif("PARITY_MODELS" in os.environ, reason="this is the other backend")
def test_the_other_backend(tmp_path):
    for name in MODELS:
        read_case(name)[0].save(tmp_path / f"{name}.keras")
    other = "tensorflow" if is_jax() else "jax"
    settings = {"KERAS_BACKEND": other, "PARITY_MODELS": str(tmp_path)}
    settings["JAX_DISABLE_MOST_OPTIMIZATIONS"] = "1"  # compiles in half the time
    # XLA takes seconds to compile a network, so only two tests run here; the whole file
    # passes with KERAS_BACKEND=jax too.
    chosen = "(inference and cifar10) or training_loop"
    command = [sys.executable, "-m", "pytest", "-q", "-x", __file__, "-k", chosen]
    done = subprocess.run(
        command, env=os.environ | settings, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
