"""Densities fitted to the latents of a trained model, to sample from afterwards.

Ghosh et al., "From Variational to Deterministic Autoencoders", arXiv 1903.12436 (2019): one
Gaussian, or a mixture of ten with full covariances, by scikit-learn.
"""

import dataclasses

import numpy as np

from vaekit import files
from vaekit.errors import UserError

COMPONENTS = {"gaussian": 1, "mixture": 10}


@dataclasses.dataclass(frozen=True)
class Density:
    """A mixture of Gaussians over latents.

    Attributes:
        weights: `(components,)`, summing to 1.
        means: `(components, latent_dim)`.
        covariances: `(components, latent_dim, latent_dim)`.
    """

    weights: np.ndarray
    means: np.ndarray
    covariances: np.ndarray

    def sample(self, n, seed=None):
        """n latents `(n, latent_dim)`, float32."""
        rng = np.random.default_rng(seed)
        which = rng.choice(len(self.weights), size=n, p=self.weights)
        noise = rng.standard_normal((n, self.means.shape[1]))
        roots = np.linalg.cholesky(self.covariances)
        return (self.means[which] + np.einsum("nij,nj->ni", roots[which], noise)).astype(np.float32)

    def log_prob(self, z):
        """Log density of latents `(n, latent_dim)`: `(n,)`, nats."""
        parts = []
        for weight, mean, covariance in zip(
            self.weights, self.means, self.covariances, strict=True
        ):
            root = np.linalg.cholesky(covariance)
            y = np.linalg.solve(root, (z - mean).T)
            log_det = 2 * np.log(np.diag(root)).sum()
            constant = log_det + len(mean) * np.log(2 * np.pi)
            parts.append(np.log(weight) - 0.5 * (constant + np.square(y).sum(axis=0)))
        return np.logaddexp.reduce(parts, axis=0)

    def save(self, path):
        """Write the three arrays as an .npz file."""
        files.save_npz(path, dataclasses.asdict(self))


def load(path):
    """The `Density` of an .npz file."""
    return Density(**files.load_npz(path))


def fit(z, components, seed=0):
    """Fit a mixture of `components` Gaussians by scikit-learn's expectation-maximisation.

    Args:
        z: latents `(n, latent_dim)`: codes of a deterministic autoencoder, or samples of a VAE's
            posterior (its aggregate posterior is what a second stage learns, too).
        components: 1 for one Gaussian, 10 for the papers' mixture.
        seed: of the first assignment.
    Raises:
        UserError: fewer latents than two per component.
    """
    from sklearn.mixture import GaussianMixture

    if len(z) < 2 * components:
        raise UserError(
            f"{len(z)} latents are too few for a mixture of {components} Gaussians; at least "
            f"{2 * components} are taken. Train on more images."
        )
    model = GaussianMixture(components, random_state=seed, max_iter=100, reg_covar=1e-6)
    model.fit(np.asarray(z, np.float64))
    return Density(model.weights_, model.means_, model.covariances_)
