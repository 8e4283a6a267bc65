"""The evidence lower bound and the Gaussian densities it is made of; pure functions."""

import math

from keras import ops

LOG_2PI = math.log(2 * math.pi)


def sample_posterior(mean, log_var, noise):
    """z = mean + exp(log_var / 2) * noise (reparameterisation; Kingma & Welling, 2014, 2.4).

    Args:
        mean, log_var, noise: `(batch, latent_dim)`; noise is standard normal.
    """
    return mean + ops.exp(0.5 * log_var) * noise


def gaussian_log_prob(z, mean, log_var):
    """log N(z; mean, exp(log_var)), summed over the last axis: `(batch,)`, nats."""
    quadratic = ops.square(z - mean) * ops.exp(-log_var)
    return -0.5 * ops.sum(quadratic + log_var + LOG_2PI, axis=-1)


def posterior_log_prob(log_var, noise):
    """log q(z given x) at z = mean + exp(log_var / 2) * noise: `(batch,)`, nats.

    From the noise itself, so that no difference z - mean is formed.
    """
    return -0.5 * ops.sum(ops.square(noise) + log_var + LOG_2PI, axis=-1)


def gaussian_kl(mean, log_var):
    """KL from N(mean, exp(log_var)) to N(0, I), closed form.

    Args:
        mean, log_var: `(batch, latent_dim)`.
    Returns:
        `(batch,)`, nats; zero exactly when mean = log_var = 0. Kingma & Welling (2014), App. B.
    """
    # expm1 keeps collapsed units (log_var near 0) accurate in float32.
    return 0.5 * ops.sum(ops.expm1(log_var) - log_var + ops.square(mean), axis=-1)


def elbo(reconstruction, kl, beta=1.0):
    """Bound on log p(x), higher is better: reconstruction - beta * kl.

    Args:
        reconstruction: log p(x given z), `(batch,)`, nats.
        kl: closed form or one-sample estimate, `(batch,)`, nats.
        beta: weight of the KL term, 1 for the bound, less during warm-up.
    """
    return reconstruction - beta * kl


def warm_up_beta(epoch, warmup_epochs):
    """Weight of the KL term in `epoch` (counted from 0): 1/warmup_epochs in the first, then rising
    linearly to 1. Tomczak & Welling (2018), section 5; no warm-up gives 1 at once."""
    return 1.0 if warmup_epochs == 0 else min(1.0, (epoch + 1) / warmup_epochs)
