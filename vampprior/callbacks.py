"""Keras callbacks for the training of a `VAE`."""

import keras

from vaekit.errors import check_positive_integer
from vampprior.elbo import warm_up_beta


class WarmUp(keras.callbacks.Callback):
    """Raises the weight of the KL term linearly to 1 over the first epochs.

    Args:
        warmup_epochs: number of epochs until the weight is 1; with 0 it is 1 from the start.
            Tomczak & Welling (2018), section 5.
    """

    def __init__(self, warmup_epochs):
        super().__init__()
        self.warmup_epochs = check_positive_integer("warmup_epochs", warmup_epochs, least=0)

    def on_epoch_begin(self, epoch, logs=None):
        self.model.beta.assign(warm_up_beta(epoch, self.warmup_epochs))


class ValidationBound(keras.callbacks.Callback):
    """Adds the bound on the validation images to the epoch's logs.

    `validation_data` would encode the pseudo-inputs for every batch; this callback encodes them
    once. The noise depends on seed and epoch, so that a resumed run computes the same values.

    Args:
        images: `(n, height, width, channels)` inside the likelihood's support.
        seed: seed of the noise.
    """

    def __init__(self, images, seed):
        super().__init__()
        self.images, self.seed = images, seed

    def on_epoch_end(self, epoch, logs=None):
        reconstruction, kl = self.model.elbo_terms(self.images, seed=(self.seed, epoch))
        logs["val_reconstruction"] = float(reconstruction.mean())
        logs["val_kl"] = float(kl.mean())
        logs["val_elbo"] = logs["val_reconstruction"] - logs["val_kl"]
