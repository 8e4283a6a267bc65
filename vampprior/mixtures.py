"""The density of a mixture of diagonal Gaussians with equal weights; pure functions."""

import math

import numpy as np
from keras import ops

from vaekit.distributions import LOG_2PI


def mixture_log_prob(z, means, log_vars):
    """log of the equal-weight mixture (1/K) sum_k N(z; means_k, exp(log_vars_k)).

    Tomczak & Welling (2018), equation 9.

    Args:
        z: `(batch, latent_dim)`.
        means, log_vars: `(K, latent_dim)`.
    Returns:
        `(batch,)`, nats.
    """
    count = means.shape[0]  # None while tracing a batch of unknown size
    log_count = math.log(count) if count else ops.log(ops.cast(ops.shape(means)[0], "float32"))
    return ops.logsumexp(component_log_probs(z, means, log_vars), axis=-1) - log_count


def component_log_probs(z, means, log_vars):
    """log N(z; means_k, exp(log_vars_k)) for every component k.

    The quadratic form is expanded into two matrix products, so there is never a
    `(batch, K, latent_dim)` tensor. Its rounding error is that of its summands: some 2^-24 of
    sum_d z_d^2 / variance_d, without a preferred sign. On a trained Frey Faces model, all of whose
    log-variances are near -6 (summands up to 1e4), this is 4e-5 nats per sample and 4e-6 in the
    mean over samples. With TensorFloat-32 products it would be whole nats: on GPUs that use them,
    call `vaekit.training.backend.full_precision_products` before training.

    Args:
        z: `(batch, latent_dim)`.
        means, log_vars: `(K, latent_dim)`.
    Returns:
        `(batch, K)`, nats.
    """
    # The density does not change when z and the means shift together. After centring, the expanded
    # squares are small and lose few digits when they cancel.
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
    """How many components a mixture uses: the perplexity of their mean responsibilities.

    Args:
        responsibilities: p(k given z), numpy `(n, K)`, whose rows sum to one.
    Returns:
        float from 1 (a single component is used) to K (all are used equally).
    """
    shares = np.asarray(responsibilities, np.float64).mean(axis=0)
    return float(np.exp(-(shares * np.log(np.maximum(shares, 1e-300))).sum()))
