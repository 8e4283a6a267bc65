"""The two stages as Keras models: networks wired to the losses of `balance`, and metrics."""

import keras
import numpy as np
from keras import ops

from balancingvae import balance
from balancingvae.networks import build_networks, dense_decoder_two, dense_encoder_two
from vaekit.errors import UserError
from vaekit.training import devices, predict

# `Config.apply_l2` -> part of the network -> beginnings of the names of its penalised layers.
L2_LAYERS = {
    True: {"encoder": ("downsample",), "decoder": ("up",)},
    "encoder": {"encoder": ("downsample",)},
    "decoder": {"decoder": ("up", "scale")},
}


class Stage(keras.Model):
    """A Gaussian VAE whose gamma follows `config.gamma_policy`; what both stages share.

    `call` returns a dict of `target` (what the decoder should give), `mean` and `log_std` of the
    posterior, and `reconstruction` of one sample per datum. `running_error` is the mean squared
    error behind the computed gamma: a non-trainable weight, 1 at first, that training updates after
    the loss, so that the next batch uses it.
    """

    def __init__(self, config, encoder, decoder, seed, name):
        super().__init__(name=name)
        self.config = config
        self.encoder, self.decoder = encoder, decoder
        for part in (encoder, decoder):
            part.jit_compile = keras.backend.backend() == "jax"
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.running_error = self._scalar("running_error", "ones", trainable=False)
        if config.gamma_policy == "learned":
            self.log_gamma = self._scalar("log_gamma", "zeros", trainable=not self.cross_entropy)
        self.trackers = {
            key: keras.metrics.Mean(key) for key in ("kl", "generation", "mse", "gamma")
        }
        self.build()

    @property
    def k(self):
        """Weight of the KL in the loss."""
        return 1.0

    @property
    def cross_entropy(self):
        """Whether the generation loss is Dai & Wipf's cross-entropy."""
        return False

    def build(self, input_shape=None):
        """Nothing is left to build: all weights exist from the start."""

    @property
    def gamma(self):
        """Standard deviation of the decoder's noise, a scalar tensor, unit of the target."""
        policy = self.config.gamma_policy
        if policy == "learned":
            return ops.exp(self.log_gamma)
        if policy == "fixed":
            return ops.convert_to_tensor(self.config.gamma, "float32")
        return ops.sqrt(self.running_error)

    def forward(self, target, noise, training=False):
        """Encode `target`, sample z = mean + std * noise, decode.

        Args:
            target: float32 tensor, images `(batch, height, width, channels)` in [0, 1] or latents
                `(batch, latent_dim)`.
            noise: standard normal draws `(batch, latent_dim)`.
        """
        mean, log_std = self.encoder(target, training=training)
        reconstruction = self.decoder(mean + ops.exp(log_std) * noise, training=training)
        return {
            "target": target,
            "mean": mean,
            "log_std": log_std,
            "reconstruction": reconstruction,
        }

    def draw_noise(self, target):
        """Standard normal `(batch, latent_dim)` from the model's seed generator.

        Replicas have the same seeds, so each draws for the whole batch and takes its part.
        """
        shape = (ops.shape(target)[0] * devices.replicas(), self.config.latent_dim)
        noise = keras.random.normal(shape, dtype="float32", seed=self.seed_generator)
        return devices.replica_part(noise)

    def losses_of(self, outputs):
        """Scalars `kl` and `generation` (nats per image), `mse` and `loss` of one batch.

        loss = k * kl + generation, averaged over the batch; gradients do not flow into a computed
        gamma.
        """
        target, reconstruction = outputs["target"], outputs["reconstruction"]
        kl = ops.mean(balance.gaussian_kl(outputs["mean"], 2 * outputs["log_std"]))
        if self.cross_entropy:
            generation = balance.cross_entropy_loss(target, reconstruction)
        else:
            generation = balance.generation_loss(
                target, reconstruction, self.gamma, self.config.half_log_2pi
            )
        generation = ops.mean(generation)
        return {
            "kl": kl,
            "generation": generation,
            "mse": balance.squared_error(target, reconstruction),
            "loss": self.k * kl + generation,
        }

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        values = self.losses_of(y_pred) | {"gamma": self.gamma}
        for key, tracker in self.trackers.items():
            tracker.update_state(values[key])
        if training:
            self.update_running_error(devices.replica_mean(values["mse"]))
        # TensorFlow adds the gradients of its replicas up.
        return (values["loss"] + self.penalty()) / devices.replicas()

    def update_running_error(self, batch_error):
        """Let the batch's mean squared error into the running one, by the policy's rule."""
        computed = self.config.gamma_policy != "computed_average"
        rule = balance.running_minimum if computed else balance.running_average
        self.running_error.assign(rule(self.running_error, ops.stop_gradient(batch_error)))

    def penalty(self):
        """What the loss holds beside likelihood and KL."""
        return 0.0

    def posterior(self, target):
        """numpy `(mean, log_std)` of float32 `target`, each `(n, latent_dim)`; inference mode."""
        return predict(lambda batch: tuple(self.encoder.predict_on_batch(batch)), target)

    def reconstruction(self, z):
        """numpy output of the decoder for latents `(n, latent_dim)`, in inference mode."""
        return predict(self.decoder.predict_on_batch, z)

    def named_weights(self):
        """Every weight that inference and resuming need: dict of name -> variable.

        Names are `encoder/<layer>/<weight>`, `decoder/<layer>/<weight>` and the stage's scalars.
        """
        named = {"running_error": self.running_error}
        if self.config.gamma_policy == "learned":
            named["log_gamma"] = self.log_gamma
        for part in (self.encoder, self.decoder):
            named |= {f"{part.name}/{variable.path}": variable for variable in part.weights}
        return named

    def _scalar(self, name, initializer, trainable):
        return self.add_weight(
            name=name,
            shape=(),
            initializer=initializer,
            trainable=trainable,
            dtype="float32",
            autocast=False,
            aggregation="mean",
        )


class StageOne(Stage):
    """Images to latents z and back.

    Takes uint8 images 0..255 (0/1 if `config.binary`) straight from a dataset, or floats in [0, 1].
    """

    def __init__(self, config, dtype="float32", seed=None):
        encoder, decoder = build_networks(config, dtype)
        super().__init__(config, encoder, decoder, seed, "stage_one")

    @property
    def k(self):
        return self.config.k

    @property
    def cross_entropy(self):
        return self.config.cross_entropy

    def call(self, images, training=False):
        images = self.scaled(images)
        return self.forward(images, self.draw_noise(images), training)

    def scaled(self, images):
        """Images as float32 in [0, 1]."""
        eight_bits = keras.backend.standardize_dtype(images.dtype) == "uint8"
        images = ops.cast(images, "float32")
        return images / 255.0 if eight_bits and not self.config.binary else images

    def penalty(self):
        if not (self.config.apply_l2 and self.config.l2_reg):
            return 0.0
        kernels = (
            layer.kernel
            for part, beginnings in L2_LAYERS[self.config.apply_l2].items()
            for layer in getattr(self, part).layers
            if layer.name.startswith(beginnings) and hasattr(layer, "kernel")
        )
        return self.config.l2_reg * sum(ops.sum(ops.square(kernel)) for kernel in kernels)


class StageTwo(Stage):
    """Latents z to latents u and back, trained on samples of the first stage's posterior.

    Takes a pair (mean, std) of the first stage, each `(batch, latent_dim)`, and samples z anew from
    it for every batch.
    """

    def __init__(self, config, dtype="float32", seed=None):
        encoder, decoder = dense_encoder_two(config, dtype), dense_decoder_two(config, dtype)
        super().__init__(config, encoder, decoder, seed, "stage_two")

    def call(self, posterior, training=False):
        mean, std = posterior
        z = mean + std * self.draw_noise(mean)
        return self.forward(z, self.draw_noise(z), training)

    def encode(self, z):
        """Posterior of u: `(mean, log_var)` from latents z, each `(n, latent_dim)`."""
        mean, log_std = self.posterior(check_latents(z, self.config.latent_dim))
        return mean, 2 * log_std

    def decode(self, u):
        """Latents z from u, each `(n, latent_dim)`."""
        return self.reconstruction(check_latents(u, self.config.latent_dim))


def check_latents(z, latent_dim):
    """Latents as float32 `(n, latent_dim)`, or an error that says what came and what is taken."""
    z = np.asarray(z)
    if z.ndim != 2 or z.shape[1] != latent_dim or not len(z):
        raise UserError(
            f"Latents of shape {z.shape} came; (n, {latent_dim}) is taken, n at least 1."
        )
    if z.dtype.kind not in "fiu" or not np.isfinite(z).all():
        raise UserError("Latents must be finite numbers; NaN, infinity or another type came.")
    return z.astype(np.float32)
