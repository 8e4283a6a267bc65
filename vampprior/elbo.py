"""The evidence lower bound, as pure functions; its densities are in `vaekit.distributions`."""


def elbo(reconstruction, kl, beta=1.0):
    """Bound on log p(x): reconstruction - beta * kl. Higher is better.

    Args:
        reconstruction: log p(x given z), `(batch,)`, nats.
        kl: in closed form or as one-sample estimate, `(batch,)`, nats.
        beta: weight of the KL term: 1 for the bound, less during warm-up.
    """
    return reconstruction - beta * kl


def warm_up_beta(epoch, warmup_epochs):
    """Weight of the KL term in `epoch`, counted from 0.

    It is 1/warmup_epochs in the first epoch and rises linearly to 1; without a warm-up it is 1.
    Tomczak & Welling (2018), section 5.
    """
    return 1.0 if warmup_epochs == 0 else min(1.0, (epoch + 1) / warmup_epochs)
