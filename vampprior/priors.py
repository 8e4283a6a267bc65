"""Priors over z as layers: standard Gaussian, mixture of Gaussians, VampPrior.

The VampPrior and the mixture differ only in their components: posteriors of learned or fixed
pseudo-inputs, or trainable parameters of their own. The equations of the mixture are in `mixtures`.
"""

import math

import keras
import numpy as np
from keras import ops

from vaekit.distributions import gaussian_kl, posterior_log_prob, standard_log_prob
from vaekit.errors import UserError, check_choice, check_positive_integer
from vampprior.mixtures import component_log_probs, mixture_log_prob

STARTS = ("normal", "data")


class Prior(keras.layers.Layer):
    """p(z), as a layer from latents to their log density.

    For a prior of your own, write a subclass that implements `log_prob` and `sample`, and pass it
    as `VAE(prior=...)`. Weights that it adds in `build` are trained with the model. To save it with
    the model, register it with `keras.saving.register_keras_serializable` and return its arguments
    from `get_config`.

    Attributes:
        latent_dim: number of latents; set when a model builds the prior.
    """

    latent_dim = None

    def __init__(self, name="prior", dtype="float32", **kwargs):
        super().__init__(name=name, dtype=dtype, **kwargs)

    def connect(self, encode, image_shape):
        """Keep the encoder if the prior consists of posteriors; a model calls this before `build`.

        Args:
            encode: function from images `(k, *image_shape)` to (mean, log_var).
            image_shape: `(height, width, channels)`.
        """

    def build(self, input_shape):
        """Create the weights; `input_shape` is `(None, latent_dim)`."""
        self.latent_dim = input_shape[-1]

    def get_build_config(self):
        return None  # its model builds it

    def log_prob(self, z):
        """Latents `(batch, latent_dim)` -> log p(z), `(batch,)`, nats, constants included."""
        raise NotImplementedError

    def sample(self, n, seed=None):
        """Draw `n` latents, float32 `(n, latent_dim)`; equal seeds give equal draws."""
        raise NotImplementedError

    def kl(self, mean, log_var, z, noise):
        """KL from the posterior to the prior, `(batch,)`, nats, estimated with the one sample z.

        Args:
            mean, log_var: the posterior, `(batch, latent_dim)`.
            z: mean + exp(log_var / 2) * noise.
            noise: standard normal, `(batch, latent_dim)`.
        """
        return posterior_log_prob(log_var, noise) - self.log_prob(z)

    def check_ready(self):
        """Raise a UserError if training would be meaningless, for example before `adapt`."""

    def call(self, z):
        return self.log_prob(z)

    def compute_output_shape(self, input_shape):
        return input_shape[:1]


@keras.saving.register_keras_serializable("vampprior")
class StandardNormal(Prior):
    """N(0, I); its KL is in closed form."""

    def log_prob(self, z):
        return standard_log_prob(z)

    def sample(self, n, seed=None):
        shape = (n, self.latent_dim)
        return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)

    def kl(self, mean, log_var, z, noise):
        return gaussian_kl(mean, log_var)


class Mixture(Prior):
    """Equal-weight mixture of diagonal Gaussians; subclasses define its `components`."""

    num_components = None

    def components(self):
        """Means and log-variances, each a tensor `(num_components, latent_dim)`."""
        raise NotImplementedError

    def log_prob(self, z):
        return mixture_log_prob(z, *self.components())

    def responsibilities(self, z):
        """p(k given z), `(batch, latent_dim)` -> `(batch, num_components)`, rows sum to one."""
        return ops.softmax(component_log_probs(z, *self.components()))

    def sample(self, n, seed=None):
        """Draw `n` latents, float32 `(n, latent_dim)`, from components chosen uniformly."""
        means, log_vars = (ops.convert_to_numpy(part) for part in self.components())
        rng = np.random.default_rng(seed)
        chosen = rng.integers(len(means), size=n)
        noise = rng.standard_normal((n, self.latent_dim), dtype=np.float32)
        return means[chosen] + np.exp(0.5 * log_vars[chosen]) * noise


@keras.saving.register_keras_serializable("vampprior")
class MixtureOfGaussians(Mixture):
    """K trainable means and log-variances. KTH report, 4.2.

    Means start as N(0, 1) draws and variances at 1, so the mixture starts near the standard prior.

    Args:
        num_components: K.
        seed: seed of the initial means; None draws one.
    """

    def __init__(self, num_components=500, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.num_components = check_positive_integer("num_components", num_components)
        self.seed = seed

    def build(self, input_shape):
        super().build(input_shape)
        shape = (self.num_components, self.latent_dim)
        start = np.random.default_rng(self.seed).normal(size=shape)
        self.means = self.add_weight(name="means", shape=shape, initializer="zeros")
        self.means.assign(start.astype("float32"))
        self.log_vars = self.add_weight(name="log_vars", shape=shape, initializer="zeros")

    def components(self):
        return self.means, self.log_vars

    def get_config(self):
        return {**super().get_config(), "num_components": self.num_components, "seed": self.seed}


@keras.saving.register_keras_serializable("vampprior")
class UnitInterval(keras.constraints.Constraint):
    """Keeps weights in [0, 1]."""

    def __call__(self, value):
        return ops.clip(value, 0.0, 1.0)


@keras.saving.register_keras_serializable("vampprior")
class VampPrior(Mixture):
    """Mixture of the posteriors of K pseudo-inputs. Tomczak & Welling (2018), section 3.

    In Tomczak & Welling's code a layer without bias maps the identity to the pseudo-inputs; here
    they are a weight themselves. Trainable entries are projected onto [0, 1] after every step. A
    clip in the forward pass would stop the gradient of every pixel that leaves the range.

    Args:
        num_pseudo_inputs: K.
        start: with "normal", entries start as N(start_mean, start_std^2), projected onto [0, 1];
            with "data", pseudo-inputs start as different training images, drawn by `adapt`, plus
            N(0, start_std^2). `start="data", trainable=False` is the report's VampPrior-data.
        start_mean, start_std: mean and deviation of the start. By default the deviation is 0.01, or
            0 with start="data".
        seed: seed of the start; None draws one.
    """

    def __init__(
        self,
        num_pseudo_inputs=500,
        start="normal",
        start_mean=0.0,
        start_std=None,
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.num_components = check_positive_integer("num_pseudo_inputs", num_pseudo_inputs)
        self.start = check_choice("start", start, STARTS)
        self.start_mean = start_mean
        self.start_std = (0.01 if start == "normal" else 0.0) if start_std is None else start_std
        self.seed, self._encode, self._drawn = seed, None, None

    def connect(self, encode, image_shape):
        self._encode, self.image_shape = encode, tuple(image_shape)

    def build(self, input_shape):
        super().build(input_shape)
        shape = (self.num_components, math.prod(self.image_shape))
        self.matrix = self.add_weight(
            name="matrix",
            shape=shape,
            initializer="zeros",
            trainable=self.trainable,
            constraint=UnitInterval() if self.trainable else None,
        )
        if self._drawn is not None:
            self._assign(self._drawn)
        elif self.start == "normal":
            rng = np.random.default_rng(self.seed)
            self._assign(np.clip(rng.normal(self.start_mean, self.start_std, shape), 0, 1))
        else:
            self._assign(np.full(shape, np.nan))  # until `adapt`

    def adapt(self, images):
        """Draw K different images as pseudo-inputs, like `adapt` of Keras' preprocessing layers.

        Args:
            images: `(n, height, width, channels)`: uint8 0..255, bool, 0/1, or floats in [0, 1].
        Raises:
            UserError: there are fewer images than pseudo-inputs, or pixels outside the range.
        """
        images = np.asarray(images)
        k = self.num_components
        if k > len(images):
            raise UserError(
                f"num_pseudo_inputs must be at most the number of images, {len(images)}, when "
                f"they start from data, got {k}."
            )
        rng = np.random.default_rng(self.seed)
        chosen = images[np.sort(rng.choice(len(images), k, replace=False))]
        grey = images.dtype == np.uint8 and images.max() > 1
        values = chosen.reshape(k, -1).astype("float32") * np.float32(1 / 255 if grey else 1)
        if not (values.min() >= 0 and values.max() <= 1):
            raise UserError(
                f"Expected images in [0, 1] or uint8, got values from {values.min():g} to "
                f"{values.max():g}. Divide by 255 if they are 0..255."
            )
        if self.start_std > 0:
            values = np.clip(rng.normal(values, self.start_std), 0, 1)
        if self.built:
            self._assign(values)
        else:
            self._drawn = values

    def check_ready(self):
        if np.isnan(ops.convert_to_numpy(self.matrix[:1, :1])).any():
            raise UserError(
                'VampPrior(start="data") has no pseudo-inputs yet. Call adapt(images) with the '
                "training images, on the prior or on its model, before fit."
            )

    @property
    def pseudo_inputs(self):
        """numpy `(num_pseudo_inputs, height, width, channels)` in [0, 1]."""
        return ops.convert_to_numpy(self.matrix).reshape(-1, *self.image_shape)

    def components(self):
        return self._encode(ops.reshape(self.matrix, (-1, *self.image_shape)))

    def get_config(self):
        return {
            **super().get_config(),
            "num_pseudo_inputs": self.num_components,
            "start": self.start,
            "start_mean": self.start_mean,
            "start_std": self.start_std,
            "seed": self.seed,
        }

    def _assign(self, values):
        if values.shape != tuple(self.matrix.shape):
            raise UserError(
                f"Expected images of shape {(len(values), *self.image_shape)}, got "
                f"{values.shape[1]} pixel values each."
            )
        self.matrix.assign(values.astype("float32"))


PRIORS = {
    "standard": StandardNormal,
    "mixture": MixtureOfGaussians,
    "vampprior": VampPrior,
}


def get(prior):
    """The prior for a short name, with default arguments; an object is returned unchanged."""
    if isinstance(prior, str):
        return PRIORS[check_choice("prior", prior, PRIORS)]()
    if not isinstance(prior, Prior):
        raise UserError(
            f"prior must be one of {', '.join(PRIORS)}, or a vampprior.priors.Prior, got {prior!r}."
        )
    return prior
