"""Densities that are fitted to the latents of a trained model, and then sampled.

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
            posterior, which a second stage would learn too.
        components: 1 for one Gaussian, 10 for the papers' mixture.
        seed: seed of the first assignment.
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
        mixture: result of `fit`.
        n: number of latents.
        seed: seed of the draws; None for different ones each time.
    """
    rng = np.random.RandomState(seed)
    z, _ = mixture.set_params(random_state=rng).sample(n)
    # scikit-learn sorts its samples by component, but the first few should be of all components.
    return rng.permutation(z).astype(np.float32)
