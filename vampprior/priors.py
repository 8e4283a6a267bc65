"""Priors over z: standard Gaussian, and mixtures whose components come from anywhere.

The VampPrior, VampPrior-data and the mixture of Gaussians differ only in where their components
come from: posteriors of learned or fixed pseudo-inputs, or trainable parameters of their own.
"""

import math

import numpy as np
from keras import constraints, layers, ops

from vaekit.errors import UserError
from vampprior.elbo import LOG_2PI


def standard_log_prob(z):
    """log N(z; 0, I): `(batch, latent_dim)` -> `(batch,)`, nats."""
    return -0.5 * ops.sum(ops.square(z) + LOG_2PI, axis=-1)


def mixture_log_prob(z, means, log_vars):
    """log of the equal-weight mixture (1/K) sum_k N(z; means_k, exp(log_vars_k)).

    Tomczak & Welling (2018), equation 9.

    Args:
        z: `(batch, latent_dim)`.
        means, log_vars: `(K, latent_dim)`.
    Returns:
        `(batch,)`, nats.
    """
    logs = component_log_probs(z, means, log_vars)
    return ops.logsumexp(logs, axis=-1) - math.log(means.shape[0])


def component_log_probs(z, means, log_vars):
    """log N(z; means_k, exp(log_vars_k)) for every component k.

    The quadratic form is expanded into two matrix products, so that no `(batch, K, latent_dim)`
    tensor is ever made. It rounds as its summands do: by some 2^-24 of sum_d z_d^2 / variance_d,
    without a preferred sign. On a trained Frey Faces model, all of whose log-variances are near -6
    (summands up to 1e4), that is 4e-5 nats per sample and 4e-6 in the mean over samples. With
    TensorFloat-32 products it would be nats: see `compiled.full_precision_products`.

    Args:
        z: `(batch, latent_dim)`.
        means, log_vars: `(K, latent_dim)`.
    Returns:
        `(batch, K)`, nats.
    """
    # The density does not move when z and the means shift together; centred, the expanded squares
    # are small and lose few digits where they cancel.
    centre = ops.stop_gradient(ops.mean(means, axis=0, keepdims=True))
    z, means = z - centre, means - centre
    precisions = ops.exp(-log_vars)
    scaled_means = means * precisions
    offsets = ops.sum(means * scaled_means + log_vars + LOG_2PI, axis=-1)
    quadratics = ops.matmul(ops.square(z), ops.transpose(precisions)) - 2.0 * ops.matmul(
        z, ops.transpose(scaled_means)
    )
    return -0.5 * (quadratics + offsets)


def effective_components(responsibilities):
    """How many components a mixture makes use of: the perplexity of their mean responsibilities.

    Args:
        responsibilities: p(k given z), numpy `(n, K)`, rows that sum to one.
    Returns:
        float from 1 (one component does all) to K (all do the same share).
    """
    shares = np.asarray(responsibilities, np.float64).mean(axis=0)
    return float(np.exp(-(shares * np.log(np.maximum(shares, 1e-300))).sum()))


class UnitInterval(constraints.Constraint):
    """Keeps weights in [0, 1]."""

    def __call__(self, value):
        return ops.clip(value, 0.0, 1.0)


class PseudoInputs(layers.Layer):
    """K images in [0, 1] as a weight matrix `(num_pseudo_inputs, pixels)`.

    A one-layer network without bias fed with the identity is its own weight matrix, so the matrix
    is the layer. Trainable entries are projected onto [0, 1] after every step; a clip in the
    forward pass would stop the gradient of every pixel that ever leaves the range.

    Args:
        num_pseudo_inputs, pixels: shape of the matrix.
        mean, std: entries start as N(mean, std^2), projected onto [0, 1].
        trainable: False for VampPrior-data, whose images are assigned once.
    """

    def __init__(self, num_pseudo_inputs, pixels, mean=0.0, std=0.01, seed=None, trainable=True):
        super().__init__(name="pseudo_inputs")
        start = np.random.default_rng(seed).normal(mean, std, (num_pseudo_inputs, pixels))
        self.matrix = self.add_weight(
            name="matrix",
            shape=(num_pseudo_inputs, pixels),
            initializer="zeros",
            trainable=trainable,
            constraint=UnitInterval() if trainable else None,
        )
        self.matrix.assign(np.clip(start, 0, 1).astype("float32"))
        self.built = True

    def draw(self, images, seed, scale=1.0, std=0.0):
        """Take K different training images, drawn with `seed`, as pseudo-inputs.

        Args:
            images: `(n, height, width, channels)`; times `scale` they lie in [0, 1].
            std: deviation of Gaussian noise on top, projected onto [0, 1].
        """
        k = self.matrix.shape[0]
        if k > len(images):
            raise UserError(
                f"VampPrior-data with {k} pseudo-inputs came, but the training set has only "
                f"{len(images)} images. Take num_pseudo_inputs of at most {len(images)}."
            )
        rng = np.random.default_rng(seed)
        chosen = images[np.sort(rng.choice(len(images), k, replace=False))]
        values = chosen.reshape(k, -1).astype("float32") * scale
        if std > 0:
            values = np.clip(rng.normal(values, std), 0, 1).astype("float32")
        self.matrix.assign(values)


class GaussianComponents(layers.Layer):
    """K trainable means and log-variances, each `(num_components, latent_dim)`. KTH report, 4.2.

    Means start as N(0, 1) and variances at 1: the mixture starts spread over the standard prior.
    """

    def __init__(self, num_components, latent_dim, seed=None):
        super().__init__(name="components")
        start = np.random.default_rng(seed).normal(size=(num_components, latent_dim))
        shape = (num_components, latent_dim)
        self.means = self.add_weight(name="means", shape=shape, initializer="zeros")
        self.means.assign(start.astype("float32"))
        self.log_vars = self.add_weight(name="log_vars", shape=shape, initializer="zeros")
        self.built = True


# name of a prior with components of its own -> the layer that holds `means` and `log_vars`
MIXTURES = {"mixture": GaussianComponents}


class StandardGaussian:
    """N(0, I) over `latent_dim` latents."""

    def __init__(self, latent_dim):
        self.latent_dim = latent_dim

    def log_prob(self, z):
        """numpy `(batch, latent_dim)` -> numpy `(batch,)`, nats."""
        return ops.convert_to_numpy(standard_log_prob(check_latents(z, self.latent_dim)))

    def sample(self, n, seed=None):
        """`n` draws, float32 `(n, latent_dim)`."""
        rng = np.random.default_rng(seed)
        return rng.standard_normal((n, self.latent_dim), dtype=np.float32)


class Mixture:
    """Equal-weight Gaussian mixture.

    Args:
        latent_dim: number of latents.
        components: function without arguments that gives (means, log_vars), each
            `(K, latent_dim)`; called once per `log_prob` or `sample`.
    """

    def __init__(self, latent_dim, components):
        self.latent_dim, self.components = latent_dim, components

    def log_prob(self, z):
        """numpy `(batch, latent_dim)` -> numpy `(batch,)`, nats."""
        z = check_latents(z, self.latent_dim)
        return ops.convert_to_numpy(mixture_log_prob(z, *self.components()))

    def responsibilities(self, z):
        """p(k given z), numpy `(batch, latent_dim)` -> numpy `(batch, K)`, rows sum to one."""
        z = check_latents(z, self.latent_dim)
        return ops.convert_to_numpy(ops.softmax(component_log_probs(z, *self.components())))

    def sample(self, n, seed=None):
        """`n` draws, float32 `(n, latent_dim)`, from components chosen uniformly at random."""
        means, log_vars = (ops.convert_to_numpy(part) for part in self.components())
        rng = np.random.default_rng(seed)
        chosen = rng.integers(len(means), size=n)
        noise = rng.standard_normal((n, self.latent_dim), dtype=np.float32)
        return means[chosen] + np.exp(0.5 * log_vars[chosen]) * noise


def check_latents(z, latent_dim):
    """Latents as float32 `(n, latent_dim)`, or a UserError."""
    z = np.asarray(z)
    if z.ndim != 2 or z.shape[1] != latent_dim or z.dtype.kind not in "fiu":
        raise UserError(
            f"Latents of shape {z.shape} and dtype {z.dtype} came; this model takes numbers of "
            f"shape (n, {latent_dim})."
        )
    if not np.isfinite(z).all():
        raise UserError("Latents with NaN or infinite values came; only finite numbers are taken.")
    return z.astype(np.float32)
