"""Densities fitted to the latents of a trained model, to sample from afterwards.

Ghosh et al., "From Variational to Deterministic Autoencoders", arXiv 1903.12436 (2019): one
Gaussian, or a mixture of ten with full covariances. Both are scikit-learn's `GaussianMixture`.
"""

import numpy as np

from vaekit.errors import UserError

COMPONENTS = {"gaussian": 1, "mixture": 10}


def fit(z, components, seed=0):
    """Fit a mixture of Gaussians by expectation-maximisation.

    Args:
        z: latents `(n, latent_dim)`: codes of a deterministic autoencoder, or samples of a VAE's
            posterior, which are what a second stage learns too.
        components: 1 for one Gaussian, 10 for the papers' mixture.
        seed: of the first assignment.
    Returns:
        A fitted `sklearn.mixture.GaussianMixture`; its `score_samples` gives log densities.
    Raises:
        UserError: there are fewer than two latents per component.
    """
    from sklearn.mixture import GaussianMixture

    if len(z) < 2 * components:
        raise UserError(
            f"A mixture of {components} Gaussians needs at least {2 * components} latents, got "
            f"{len(z)}. Train on more images."
        )
    mixture = GaussianMixture(components, random_state=seed, max_iter=100, reg_covar=1e-6)
    return mixture.fit(np.asarray(z, np.float64))


def sample(mixture, n, seed=None):
    """Draw n latents `(n, latent_dim)`, float32, in random order.

    Args:
        mixture: from `fit`.
        n: number of latents.
        seed: of the draws; None for fresh ones.
    """
    rng = np.random.RandomState(seed)
    z, _ = mixture.set_params(random_state=rng).sample(n)
    # scikit-learn sorts its samples by component; the first few should show all of them.
    return rng.permutation(z).astype(np.float32)
