"""A Gaussian VAE as a Keras model: the base of the VAE of images and the VAE of latents."""

import keras
import numpy as np
from keras import ops

from balancingvae import gamma as gamma_rules
from balancingvae import losses
from balancingvae.sampling import Sampling
from vaekit.distributions import gaussian_kl, sample_posterior
from vaekit.errors import UserError, check_choice, check_positive_number
from vaekit.images import scaled
from vaekit.training import devices, predict

RECONSTRUCTIONS = ("gaussian", "cross_entropy")
METRICS = ("kl", "generation", "mse", "gamma")


class GaussianVAE(keras.Model):
    """A VAE with a Gaussian posterior, decoder noise N(0, gamma^2 I), and a rule for gamma.

    Calling it gives a dict of `target` (the data to reconstruct), `mean` and `log_var` of the
    posterior, and `reconstruction` from one sample per datum. The loss of a batch is the mean of
    kl_weight * kl + generation, in nats per datum, plus the regularisers of the networks.

    Args:
        encoder: network from target to mean and log_var, each `(batch, latent_dim)`.
        decoder: network from latents `(batch, latent_dim)` to a reconstruction of target's shape.
        target_shape: shape of one datum.
        balance: the short name or object of a rule in `gamma`.
        kl_weight: factor k of the KL.
        reconstruction: "gaussian", or "cross_entropy" for values in [0, 1].
        original_constant: whether log(2 pi) / 2 is truncated to 0.91893 as in the published code.
        seed: seed of the noise.
    """

    def __init__(
        self,
        encoder,
        decoder,
        target_shape,
        balance="computed",
        kl_weight=1.0,
        reconstruction="gaussian",
        original_constant=False,
        seed=None,
        name=None,
    ):
        super().__init__(name=name, dtype="float32")
        self.kl_weight = check_positive_number("kl_weight", kl_weight)
        self.reconstruction = check_choice("reconstruction", reconstruction, RECONSTRUCTIONS)
        self.original_constant = bool(original_constant)
        # Checkpoints of unfinished runs contain the variables in this order.
        self.balance = gamma_rules.get(balance)
        self.sampling = Sampling(seed, name="sampling")
        self.encoder, self.decoder = encoder, decoder
        if reconstruction == "cross_entropy":
            self.balance.trainable = False  # the loss does not depend on gamma
        self.trackers = {key: keras.metrics.Mean(key) for key in METRICS}
        self._inference = Inference(encoder, decoder)
        self.build((None, *target_shape))

    def build(self, input_shape):
        """Call the parts once, so that their shapes are known, and check that they fit."""
        target = keras.Input(input_shape[1:], name="target")
        posterior = self.encoder(target)
        if not isinstance(posterior, (list, tuple)) or len(posterior) != 2:
            raise UserError("The encoder must give two outputs, mean and log_var of the posterior.")
        shapes = [tuple(part.shape) for part in posterior]
        if shapes[0] != shapes[1] or len(shapes[0]) != 2:
            raise UserError(
                "The encoder must give mean and log_var, each of shape (None, latent_dim), got "
                f"{shapes[0]} and {shapes[1]}."
            )
        self.latent_dim = shapes[0][1]
        output = self.decoder(self.sampling(list(posterior)))
        if tuple(output.shape) != tuple(input_shape):
            raise UserError(
                f"The decoder must give {tuple(input_shape)} from latents (None, "
                f"{self.latent_dim}), got {tuple(output.shape)}."
            )
        self.balance(keras.Input(batch_shape=(), name="batch_error"))

    @property
    def gamma(self):
        """Standard deviation of the decoder's noise, a scalar tensor, unit of the target."""
        return self.balance.gamma

    def autoencode(self, target, noise, training=False):
        """Encode `target`, sample z = mean + exp(log_var / 2) * noise, decode.

        Args:
            target: float32 tensor `(batch, ...)`.
            noise: standard normal draws `(batch, latent_dim)`, or None to draw them here.
        """
        mean, log_var = map(_float32, self.encoder(target, training=training))
        if noise is None:
            noise = self.sampling.noise(mean)
        reconstruction = self.decoder(sample_posterior(mean, log_var, noise), training=training)
        return {
            "target": target,
            "mean": mean,
            "log_var": log_var,
            "reconstruction": _float32(reconstruction),
        }

    def losses_of(self, outputs):
        """Scalars `kl` and `generation` (nats per datum), `mse`, `gamma` and `loss` of one batch.

        loss = kl_weight * kl + generation, averaged over the batch. Gradients flow into gamma if it
        is learned or computed from the batch.
        """
        target, reconstruction = outputs["target"], outputs["reconstruction"]
        kl = ops.mean(gaussian_kl(outputs["mean"], outputs["log_var"]))
        mse = losses.squared_error(target, reconstruction)
        gamma = self.balance.for_batch(devices.replica_mean(mse))
        if self.reconstruction == "cross_entropy":
            generation = losses.cross_entropy_loss(target, reconstruction)
        else:
            original = self.original_constant
            constant = losses.ORIGINAL_HALF_LOG_2PI if original else losses.HALF_LOG_2PI
            generation = losses.generation_loss(target, reconstruction, gamma, constant)
        generation = ops.mean(generation)
        loss = self.kl_weight * kl + generation
        return {"kl": kl, "generation": generation, "mse": mse, "gamma": gamma, "loss": loss}

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The loss of one batch; x, y and weights are ignored, since `call` returns the target."""
        values = self.losses_of(y_pred)
        size = ops.shape(y_pred["mean"])[0]  # an incomplete batch has less weight
        for key, tracker in self.trackers.items():
            tracker.update_state(values[key], sample_weight=size)
        if training:
            self.balance.update(devices.replica_mean(values["mse"]))
        penalties = [ops.sum(penalty) for penalty in self.losses]
        # TensorFlow sums the gradients of its replicas.
        return sum(penalties, values["loss"]) / devices.replicas()

    def predict(self, x, *args, **keywords):
        """Reconstructions from the posterior means; arguments as for `keras.Model.predict`."""
        x = self._checked(x, training=False)
        return self.reconstruction_model().predict(x, *args, **keywords)

    def reconstruction_model(self):
        """The `keras.Model` that `predict` uses, compiled once."""
        return self._inference.model("reconstruct")

    def _checked(self, x, training):
        """Return x as the model's step expects it, or raise a UserError."""
        raise NotImplementedError

    def named_weights(self):
        """All weights that inference and resuming need, as a dict of name -> variable.

        Names are `encoder/<layer>/<weight>`, `decoder/<layer>/<weight>`, and those of the rule.
        """
        named = {variable.name: variable for variable in self.balance.weights}
        for part, network in (("encoder", self.encoder), ("decoder", self.decoder)):
            named |= {f"{part}/{variable.path}": variable for variable in network.weights}
        return named

    def _settings(self):
        """The part of `get_config` that all subclasses share."""
        return {
            "balance": keras.saving.serialize_keras_object(self.balance),
            "original_constant": self.original_constant,
            "seed": self.sampling.seed,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config):
        """The model from `get_config`; nested objects are created first."""
        return cls(**keras.saving.deserialize_keras_object(config))


def _float32(x):
    return ops.cast(x, "float32")


class Inference:
    """Compiled inference with two networks, from numpy arrays to numpy arrays.

    Models are created when they are first used. This is not a Keras object, so they do not become
    parts of the VAE, and the networks themselves stay unchanged.
    """

    def __init__(self, encoder, decoder):
        self._chains = {
            "encode": (encoder,),
            "decode": (decoder,),
            "reconstruct": (encoder, decoder),
        }

    def model(self, name):
        """The `keras.Model` for "encode", "decode" or "reconstruct"."""
        if isinstance(self._chains[name], tuple):
            self._chains[name] = Chain(*self._chains[name])
        return self._chains[name]

    def __call__(self, name, array):
        """The results for an array, in batches of one size."""

        def function(batch):
            found = self.model(name).predict_on_batch(batch)
            return tuple(found) if isinstance(found, (list, tuple)) else found

        return predict(function, np.asarray(array))


class Chain(keras.Model):
    """Networks in sequence; each gets the first output of the one before."""

    def __init__(self, *parts):
        super().__init__(dtype="float32")
        self.parts = list(parts)
        # On TensorFlow, XLA would not use oneDNN's convolutions, and would take long to compile.
        self.jit_compile = keras.backend.backend() == "jax"

    def call(self, x):
        x = scaled(x)
        for part in self.parts:
            x = part(x[0] if isinstance(x, (list, tuple)) else x, training=False)
        return x
