"""The rules for gamma: closed forms, gradients, configurations and names."""

import keras
import numpy as np
import pytest
from keras import ops

import balancingvae
from balancingvae import gamma, losses
from balancingvae.gamma import optimal_gamma
from vaekit.errors import UserError


def tensor(number):
    return ops.convert_to_tensor(number, "float32")


def value(tensor):
    return float(ops.convert_to_numpy(tensor))


def test_computed_gamma_follows_the_running_minimum_one_step_late():
    rule = gamma.ComputedGamma()
    assert value(rule(tensor(0.5))) == value(rule.gamma) == 1.0
    rule.update(0.5)
    assert value(rule.gamma) == pytest.approx(np.sqrt(0.99 + 0.005), rel=1e-6)
    rule.update(9.0)
    assert value(rule.gamma) == pytest.approx(np.sqrt(0.995), rel=1e-6)


def test_running_average_also_grows_and_the_rate_is_used():
    rule = gamma.RunningAverageGamma(rate=0.5)
    rule.update(9.0)
    assert value(rule.gamma) == pytest.approx(np.sqrt(5.0), rel=1e-6)


def test_learned_and_fixed_gamma():
    learned, fixed = gamma.LearnedGamma(initial=0.3), gamma.FixedGamma(0.2)
    for rule, expected in ((learned, 0.3), (fixed, 0.2)):
        rule.update(0.01)
        assert value(rule(tensor(0.7))) == value(rule.gamma) == pytest.approx(expected, rel=1e-6)
    assert [w.name for w in learned.trainable_weights] == ["log_gamma"]
    assert not fixed.trainable_weights


def test_batch_gamma_is_the_root_of_the_batch_error_with_a_soft_floor():
    rule = gamma.BatchGamma()
    # softplus(log gamma + 6) - 6 exceeds log gamma by exp(-6) / gamma.
    for error in (1.0, 0.04):
        assert value(rule(tensor(error))) == pytest.approx(error**0.5 + np.exp(-6), rel=1e-5)
    assert value(rule(tensor(1e-30))) == pytest.approx(np.exp(-6), rel=1e-4)
    rule.update(0.5)
    assert value(rule.gamma) == pytest.approx(value(optimal_gamma(0.995)), rel=1e-6)


def gradient(function, x):
    """Gradient of a scalar function of a numpy array, on the current backend."""
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        return np.asarray(jax.grad(function)(x))
    if backend == "torch":
        import torch

        x = torch.tensor(x, requires_grad=True)
        function(x).backward()
        return x.grad.numpy()
    import tensorflow as tf

    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = function(x)
    return tape.gradient(y, x).numpy()


def test_gradient_with_batch_gamma_is_that_of_a_constant_gamma_of_the_same_batch():
    x, x_hat = np.random.default_rng(0).random((2, 6, 4, 4, 1)).astype("float32")
    constant = float(np.mean(np.square(x - x_hat)) ** 0.5)

    def loss(x_hat, fixed):
        error = losses.squared_error(x, x_hat)
        # A very low floor makes the clip irrelevant.
        sigma = constant if fixed else optimal_gamma(error, min_log_gamma=-30.0)
        return ops.mean(losses.generation_loss(x, x_hat, sigma))

    found, expected = (gradient(lambda y, f=f: loss(y, f), x_hat) for f in (False, True))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    "rule",
    [
        gamma.ComputedGamma(0.02),
        gamma.RunningAverageGamma(0.1),
        gamma.LearnedGamma(0.5),
        gamma.FixedGamma(0.1),
        gamma.BatchGamma(-4.0),
    ],
    ids=lambda rule: type(rule).__name__,
)
def test_every_rule_comes_back_from_its_configuration(rule):
    saved = keras.saving.serialize_keras_object(rule)
    again = keras.saving.deserialize_keras_object(saved)
    assert type(again) is type(rule) and again.get_config() == rule.get_config()
    assert value(again(tensor(0.3))) == value(rule(tensor(0.3)))
    assert "running_error" in [w.name for w in again.weights]
    assert gamma.copy(rule).get_config().keys() == rule.get_config().keys()


def test_names_of_rules():
    kinds = {name: type(gamma.get(name)) for name in gamma.RULES}
    assert kinds["computed"] is gamma.ComputedGamma and kinds["batch"] is gamma.BatchGamma
    with pytest.raises(UserError, match=r"Unknown balance 'computd'\. Did you mean computed"):
        gamma.get("computd")
    with pytest.raises(UserError, match=r"must be a name or a balancingvae.gamma.GammaRule, got 3"):
        gamma.get(3)
    with pytest.raises(UserError, match="gamma must be a positive number, got -1"):
        gamma.FixedGamma(-1)


@keras.saving.register_keras_serializable("test")
class Halved(gamma.GammaRule):
    """gamma is half the root of the batch's error."""

    def for_batch(self, batch_error):
        return 0.5 * ops.sqrt(ops.stop_gradient(batch_error))


@pytest.mark.parametrize("rule", [*gamma.RULES, "own"])
def test_a_training_step_with_every_rule(rule):
    rule = Halved() if rule == "own" else rule
    vae = balancingvae.BalancedVAE(
        network=balancingvae.networks.Dense(1, 4), image_shape=(8, 8, 1), latent_dim=2, balance=rule
    )
    vae.compile("sgd")
    vae.fit(np.random.default_rng(0).random((8, 8, 8, 1)), batch_size=4, verbose=0)
    assert np.isfinite(vae.history.history["loss"]).all()
    assert 0.9 < value(vae.balance.running_error) < 1
    gammas = vae.history.history["gamma"][0]
    if isinstance(rule, Halved) or rule == "batch":
        mse = vae.history.history["mse"][0]
        assert gammas == pytest.approx(mse**0.5 * (0.5 if rule != "batch" else 1.0), rel=0.02)
