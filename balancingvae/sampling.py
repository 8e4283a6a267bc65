"""The layer that draws latents from a Gaussian posterior."""

import keras
from keras import ops

from vaekit.distributions import sample_posterior
from vaekit.errors import UserError
from vaekit.training import devices


@keras.saving.register_keras_serializable("balancingvae")
class Sampling(keras.layers.Layer):
    """From `[mean, log_var]`, each `(batch, latent_dim)`, draws one sample z per row, float32.

    z = mean + exp(log_var / 2) * noise. Kingma & Welling (2014), section 2.4.

    Args:
        seed: seed of the noise; None for a random one.
    """

    def __init__(self, seed=None, name=None, **options):
        super().__init__(name=name, **(options | {"dtype": "float32"}))
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, posterior):
        mean, log_var = posterior
        return sample_posterior(mean, log_var, self.noise(mean))

    def noise(self, like):
        """Standard normal noise `(batch, latent_dim)` for a tensor of that shape.

        Replicas have the same seeds, so each one draws for the whole batch and uses its part.
        """
        shape = (ops.shape(like)[0] * devices.replicas(), like.shape[-1])
        noise = keras.random.normal(shape, dtype="float32", seed=self.seed_generator)
        return devices.replica_part(noise)

    def compute_output_shape(self, input_shape):
        return input_shape[0]

    def get_config(self):
        return {"name": self.name, "seed": self.seed}


def check_seed(seed):
    """Return a seed, or raise a UserError unless it is None or an integer of at least 0."""
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int) or seed < 0):
        raise UserError(f"seed must be None or a non-negative integer, got {seed!r}.")
    return seed
