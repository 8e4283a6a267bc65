"""The bound and log p(x) of a model for arrays of images."""

import math

import numpy as np
from keras import ops

from vaekit.errors import check_positive_integer
from vaekit.training import predict
from vaekit.training.compiled import compiled
from vampprior import importance, priors
from vampprior.elbo import elbo
from vampprior.mixtures import mixture_log_prob

BATCH = 500  # rows at a time in the bound
DEFAULT_MEMORY_MIB = 64


class Scoring:
    """Mixin for a model with `encoder`, `decoder`, `prior` and `likelihood`."""

    _log_weight_sum = _terms_of_batch = None  # compiled when first used

    def elbo(self, images, seed=None):
        """The bound on log p(x) with one sample of z per image, numpy `(n,)`, nats."""
        return elbo(*self.elbo_terms(images, seed))

    def elbo_terms(self, images, seed=None):
        """(reconstruction, kl) of the bound, each numpy `(n,)`, nats."""
        x = self.likelihood.check(images, self.image_shape).reshape(-1, self.pixels)
        noise_shape = (len(x), self.latent_dim)
        noise = np.random.default_rng(seed).standard_normal(noise_shape, dtype=np.float32)
        if self._terms_of_batch is None:
            self._terms_of_batch = compiled(self._elbo_terms_of_batch, self.density_variables())
        components = self._components()

        def terms(rows):
            x, noise = np.split(rows, [-self.latent_dim], axis=1)
            return tuple(map(_numpy, self._terms_of_batch(x, noise, *components)))

        return predict(terms, np.concatenate([x, noise], axis=1), BATCH)

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
            num_samples: S, the number of samples of z per image.
            seed: seed of the samples; None draws one.
            memory_mib: memory for one chunk's activations, in MiB.
            progress: whether to show a bar.
            partial_path: file that saves finished images, to resume from; it needs a seed.
        """
        check_positive_integer("num_samples", num_samples)
        x = self.likelihood.check(images, self.image_shape)
        mean, log_var = self._encode(x)
        arrays = (x.reshape(len(x), -1), mean, log_var)
        partial = None
        if partial_path is not None:
            partial = importance.partial_of(
                partial_path, arrays[0], self.density_variables(), num_samples, seed
            )
        if seed is None:
            seed = int(np.random.default_rng().integers(2**32))
        chunks = importance.plan_chunks(len(x), num_samples, self._bytes_per_row(), memory_mib)
        return importance.log_likelihood(
            self._chunk_function(), arrays, num_samples, seed, chunks,
            progress=progress, partial=partial,
        )  # fmt: skip

    def _chunk_function(self):
        """(x, mean, log_var, noise, log_mask) -> logsumexp over samples, numpy `(batch,)`.

        The components of a mixture are computed once per evaluation and passed as arguments.
        """
        if self._log_weight_sum is None:
            self._log_weight_sum = compiled(self._log_weight_sum_of_chunk, self.density_variables())
        components = self._components()
        return lambda *arguments: _numpy(self._log_weight_sum(*arguments, *components))

    def _log_weight_sum_of_chunk(self, x, mean, log_var, noise, log_mask, *components):
        def log_conditional(x, z):
            outputs = self._decoded(z)
            outputs = ops.reshape(outputs, (*noise.shape[:2], outputs.shape[-1]))
            return self.likelihood.log_prob(x, outputs)

        def log_prior(z):
            return mixture_log_prob(z, *components) if components else self.prior.log_prob(z)

        weights = importance.log_weights(x, mean, log_var, noise, log_conditional, log_prior)
        return ops.logsumexp(weights + log_mask, axis=-1)

    def _elbo_terms_of_batch(self, x, noise, *components):
        mean, log_var = self.encoder(ops.reshape(x, (-1, *self.image_shape)))
        return self._bound_terms(x, mean, log_var, noise, components or None)

    def _components(self):
        self.prior.check_ready()
        return tuple(self.prior.components()) if isinstance(self.prior, priors.Mixture) else ()

    def _bytes_per_row(self):
        outputs = self.pixels * self.likelihood.outputs_per_pixel
        components = 2 * (getattr(self.prior, "num_components", None) or 0)
        return 4 * (2 * outputs + 3 * _widest(self.decoder) + components + 4 * self.latent_dim)

    def density_variables(self):
        """The variables of encoder, decoder and prior, on which every density depends."""
        return [v for part in (self.encoder, self.decoder, self.prior) for v in part.variables]


def _widest(decoder):
    """Largest number of activations of one decoder layer, per latent vector."""
    if hasattr(decoder, "hidden_units"):
        return max(decoder.hidden_units)
    layers = getattr(decoder, "layers", [])
    sizes = [math.prod(layer.output.shape[1:]) for layer in layers if hasattr(layer, "output")]
    return max(sizes, default=0)


def _numpy(tensor):
    return ops.convert_to_numpy(tensor)
