"""The VAE: networks, prior and likelihood wired to the formulas of elbo.py and priors.py."""

import math

import keras
import numpy as np
from keras import ops

from vaekit import random
from vaekit.errors import UserError
from vaekit.images import check_images
from vaekit.training import checkpoints, predict
from vaekit.training.compiled import compiled, full_precision_products
from vampprior import importance
from vampprior.elbo import (
    elbo,
    gaussian_kl,
    posterior_log_prob,
    sample_posterior,
)
from vampprior.likelihoods import likelihood
from vampprior.networks import Decoder, Encoder
from vampprior.priors import (
    MIXTURES,
    Mixture,
    PseudoInputs,
    StandardGaussian,
    check_latents,
    mixture_log_prob,
    standard_log_prob,
)

BATCH = 500  # rows at a time in encode, decode and elbo
DEFAULT_MEMORY_MIB = 64


class VAE(keras.Model):
    """Dense VAE with a standard, mixture, VampPrior or VampPrior-data prior.

    `fit` takes batches of images as the dataset holds them: uint8, 0/1 under a Bernoulli
    likelihood, else 0..255; with dynamic binarisation 0..255 in training and 0/1 in validation.

    Args:
        config: a `presets.Config`.
        keep_images: False for a model that holds the posteriors of its pseudo-inputs in place of
            pseudo-inputs taken from training images; see `without_images`.
    """

    def __init__(self, config, keep_images=True):
        super().__init__(name="vae")
        full_precision_products()
        self.config = config
        self.image_shape = config.image_shape
        pixels = math.prod(self.image_shape)
        self.likelihood = likelihood(config)
        # q(z given x)
        self.encoder = Encoder(
            config.network, config.hidden_units, config.latent_dim, name="encoder"
        )
        self.encoder.build((None, pixels))
        # p(x given z)
        outputs = pixels * self.likelihood.outputs_per_pixel
        self.decoder = Decoder(config.network, config.hidden_units, outputs, name="decoder")
        self.decoder.build((None, config.latent_dim))
        # p(z)
        self._build_prior(pixels, keep_images)
        # training: KL weight of the epoch, randomness, means over an epoch
        self.beta = self.add_weight(name="beta", shape=(), initializer="ones", trainable=False)
        self.noise = keras.random.SeedGenerator(config.seed, name="noise")
        self.trackers = [keras.metrics.Mean(name=n) for n in ("elbo", "reconstruction", "kl")]
        self.built = True
        self._log_weight_sum = self._terms_of_batch = None  # compiled when first used

    def _build_prior(self, pixels, keep_images):
        config, self.pseudo, self.mixture = self.config, None, None
        if config.prior == "standard":
            self.prior = StandardGaussian(config.latent_dim)
            return
        posteriors_only = config.takes_images and not keep_images
        if config.prior in MIXTURES or posteriors_only:
            components = MIXTURES["mixture" if posteriors_only else config.prior]
            self.mixture = components(config.num_pseudo_inputs, config.latent_dim, config.seed)
            self.mixture.trainable = not posteriors_only
        else:
            self.pseudo = PseudoInputs(
                config.num_pseudo_inputs,
                pixels,
                config.pseudo_input_mean,
                config.pseudo_input_std,
                seed=config.seed,
                trainable=config.prior == "vampprior",
            )
        self.prior = Mixture(config.latent_dim, self.components)

    # training

    def call(self, images, training=False):
        """Batch of images -> (reconstruction, kl), each `(batch,)`, nats, with one sample of z."""
        x = self._pixels(images, training)
        if self.pseudo is None:
            (mean, log_var), components = self.encoder(x), self._own_components()
        else:
            (mean, log_var), components = self.encoder.encode_both(x, self.pseudo.matrix)
        noise = random.normal(self.noise, ops.shape(mean))
        return self._bound_terms(x, mean, log_var, noise, components)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Minus the ELBO, nats per image; in training the KL term is weighted by `beta`."""
        reconstruction, kl = y_pred
        for tracker, values in zip(
            self.trackers, (elbo(reconstruction, kl), reconstruction, kl), strict=True
        ):
            tracker.update_state(values)
        beta = self.beta if training else 1.0
        return -ops.mean(elbo(reconstruction, kl, beta))

    def _pixels(self, images, training):
        x = ops.cast(ops.reshape(images, (-1, math.prod(self.image_shape))), "float32")
        if self.config.dynamic_binarization and training:
            draws = random.uniform(self.noise, ops.shape(x))
            return ops.cast(draws * 255.0 < x, "float32")
        return x if self.config.likelihood == "bernoulli" else x / 255.0

    def _bound_terms(self, x, mean, log_var, noise, components):
        z = sample_posterior(mean, log_var, noise)
        reconstruction = self.likelihood.log_prob(x, self.decoder(z))
        if components is None:
            return reconstruction, gaussian_kl(mean, log_var)
        return reconstruction, posterior_log_prob(log_var, noise) - mixture_log_prob(z, *components)

    def _own_components(self):
        return None if self.mixture is None else (self.mixture.means, self.mixture.log_vars)

    # public: numpy in, numpy out

    def components(self):
        """Means and log-variances of the prior's mixture, each `(K, latent_dim)`; None for the
        standard Gaussian. VampPrior: the posteriors of the pseudo-inputs."""
        return (
            self._own_components()
            if self.pseudo is None
            else self.encoder(self.pseudo.matrix.value)
        )

    @property
    def pseudo_inputs(self):
        """numpy `(num_pseudo_inputs, height, width, channels)` in [0, 1], or None."""
        if self.pseudo is None:
            return None
        return _numpy(self.pseudo.matrix.value).reshape(-1, *self.image_shape)

    def encode(self, images):
        """Posterior (mean, log_var) of images, each numpy `(n, latent_dim)`.

        Floats anywhere in [0, 1] are taken under either likelihood, so that pseudo-inputs can be
        encoded too.
        """
        grey = np.asarray(images).dtype.kind == "f"
        binary = self.likelihood.name == "bernoulli" and not grey
        x = check_images(images, self.image_shape, binary=binary)
        return self._encode(x.reshape(len(x), -1))

    def decode(self, z):
        """Pixel means of latents `(n, latent_dim)`, numpy `(n, height, width, channels)`."""
        z = check_latents(z, self.config.latent_dim)
        means = predict(lambda part: _numpy(self.likelihood.mean(self.decoder(part))), z, BATCH)
        return means.reshape(-1, *self.image_shape)

    def reconstruct(self, images):
        """Pixel means at the posterior's mean, numpy `(n, height, width, channels)`."""
        return self.decode(self.encode(images)[0])

    def sample(self, n, seed=None):
        """Pixel means of `n` draws from the prior, numpy `(n, height, width, channels)`."""
        if n < 1:
            raise UserError(f"n={n} samples were asked for; n must be at least 1.")
        return self.decode(self.prior.sample(n, seed))

    def elbo(self, images, seed=None):
        """The bound on log p(x) with one sample of z per image, numpy `(n,)`, nats."""
        return elbo(*self.elbo_terms(images, seed))

    def elbo_terms(self, images, seed=None):
        """(reconstruction, kl) of the bound, each numpy `(n,)`, nats."""
        x = self._checked(images)
        noise_shape = (len(x), self.config.latent_dim)
        noise = np.random.default_rng(seed).standard_normal(noise_shape, dtype=np.float32)
        if self._terms_of_batch is None:
            variables = [*self.encoder.variables, *self.decoder.variables]
            self._terms_of_batch = compiled(self._elbo_terms_of_batch, variables)
        components = self.components() or ()

        def terms(rows):
            x, noise = np.split(rows, [-self.config.latent_dim], axis=1)
            return tuple(map(_numpy, self._terms_of_batch(x, noise, *components)))

        return predict(terms, np.concatenate([x, noise], axis=1), BATCH)

    def _elbo_terms_of_batch(self, x, noise, *components):
        return self._bound_terms(x, *self.encoder(x), noise, components or None)

    def log_likelihood(
        self,
        images,
        num_samples=500,
        seed=None,
        memory_mib=DEFAULT_MEMORY_MIB,
        progress=False,
        partial_path=None,
    ):
        """log p(x) by importance sampling, numpy float64 `(n,)`, nats.

        Args:
            images: `(n, height, width, channels)` inside the likelihood's support.
            num_samples: S, samples of z per image.
            seed: of the samples; None draws one.
            memory_mib: memory for one chunk's activations, in MiB.
            progress: whether to show a bar.
            partial_path: file to keep finished images in and to resume from; needs a seed.
        """
        if num_samples < 1:
            raise UserError(f"num_samples={num_samples} came; at least 1 is needed.")
        x = self._checked(images)
        mean, log_var = self._encode(x)
        partial = None
        if partial_path is not None:
            weights = (_numpy(variable.value) for variable in self._lasting())
            key = {"seed": seed, "num_samples": num_samples}
            key |= {"images": importance.digest([x]), "weights": importance.digest(weights)}
            partial = importance.Partial(partial_path, key)
        if seed is None:
            seed = int(np.random.default_rng().integers(2**32))
        chunks = importance.plan_chunks(len(x), num_samples, self._bytes_per_row(), memory_mib)
        return importance.log_likelihood(
            self._chunk_function(),
            (x, mean, log_var),
            num_samples,
            seed,
            chunks,
            progress=progress,
            partial=partial,
        )

    def _chunk_function(self):
        """(x, mean, log_var, noise, log_mask) -> logsumexp over samples, numpy `(batch,)`.

        The prior's components are computed here, once per evaluation, and go in as arguments.
        """
        if self._log_weight_sum is None:
            self._log_weight_sum = compiled(self._log_weight_sum_of_chunk, self.decoder.variables)
        components = self.components() or ()
        return lambda *arguments: _numpy(self._log_weight_sum(*arguments, *components))

    def _log_weight_sum_of_chunk(self, x, mean, log_var, noise, log_mask, *components):
        def log_conditional(x, z):
            outputs = self.decoder(z)
            outputs = ops.reshape(outputs, (*noise.shape[:2], outputs.shape[-1]))
            return self.likelihood.log_prob(x, outputs)

        def log_prior(z):
            return mixture_log_prob(z, *components) if components else standard_log_prob(z)

        weights = importance.log_weights(x, mean, log_var, noise, log_conditional, log_prior)
        return ops.logsumexp(weights + log_mask, axis=-1)

    def _bytes_per_row(self):
        hidden = 3 * max(self.config.hidden_units)
        components = 0 if self.config.prior == "standard" else 2 * self.config.num_pseudo_inputs
        return 4 * (2 * self.decoder.outputs + hidden + components + 4 * self.config.latent_dim)

    def _checked(self, images):
        x = self.likelihood.check(images, self.image_shape)
        return x.reshape(len(x), -1)

    def _encode(self, x):
        return predict(lambda part: tuple(map(_numpy, self.encoder(part))), x, BATCH)

    # weights

    def without_images(self):
        """A copy that holds the posteriors of its pseudo-inputs, not the pseudo-inputs, where these
        were taken from training images: every density is the same, `pseudo_inputs` is None."""
        copy = VAE(self.config, keep_images=False)
        for part, original in ((copy.encoder, self.encoder), (copy.decoder, self.decoder)):
            part.set_weights(original.get_weights())
        copy.mixture.set_weights([_numpy(part) for part in self.components()])
        return copy

    def weight_arrays(self):
        """The weights that make the model, as a dict of arrays by name."""
        return checkpoints.to_arrays(self._lasting())

    def assign_weight_arrays(self, arrays, source):
        """Set the weights from `weight_arrays`; `source` is named where they do not fit."""
        checkpoints.assign(self._lasting(), arrays, source)

    def _lasting(self):
        parts = [self.encoder, self.decoder, self.pseudo, self.mixture]
        return [variable for part in parts if part is not None for variable in part.variables]


def _numpy(tensor):
    return ops.convert_to_numpy(tensor)
