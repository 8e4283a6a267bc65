"""Train one configuration in a run directory."""

import dataclasses

import keras
import numpy as np

from vaekit import training
from vaekit.datasets.binarize import binarize
from vaekit.errors import UserError
from vaekit.training import backend
from vampprior import checkpoint
from vampprior.elbo import warm_up_beta
from vampprior.model import VAE
from vampprior.optimizer import NormalizedAdam

PHASE = "training"
# Seeds of the one binarisation that validation and test keep, whatever the seed of the training.
VALIDATION_SEED, TEST_SEED, PSEUDO_SEED = 1, 2, 3


@dataclasses.dataclass(frozen=True)
class Data:
    """What a configuration makes of a dataset, uint8 `(n, height, width, channels)` each.

    `train` is what batches are cut from; `validation` and `test` lie in the likelihood's support.
    """

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


def prepare(config, dataset):
    """The arrays of a `vaekit.datasets.Dataset` as this configuration trains on them.

    Raises:
        UserError: the images do not fit the model's shape or likelihood.
    """
    if dataset.image_shape != config.image_shape:
        raise UserError(
            f"{dataset.name} has images of shape {dataset.image_shape}; {config.name} takes "
            f"{config.image_shape}. Take a preset of that dataset."
        )
    binary = dataset.likelihood == "bernoulli"
    if config.dynamic_binarization and binary:
        raise UserError(f"{dataset.name} is binary already; switch dynamic_binarization off.")
    if not config.dynamic_binarization and binary != (config.likelihood == "bernoulli"):
        raise UserError(
            f"{dataset.name} has {'0/1' if binary else '256-level'} pixels, outside the support of "
            f"the {config.likelihood} likelihood. Take a preset of that dataset"
            + ("." if binary else ", or switch dynamic_binarization on.")
        )
    if not config.dynamic_binarization:
        return Data(dataset.train, dataset.validation, dataset.test)
    validation = binarize(dataset.validation, seed=VALIDATION_SEED)
    return Data(dataset.train, validation, binarize(dataset.test, seed=TEST_SEED))


def build(config, data):
    """A fresh, compiled model; its weights depend on the seed alone."""
    keras.utils.set_random_seed(config.seed)
    model = VAE(config)
    if config.takes_images:
        _draw_pseudo_inputs(model, data.train)
    compile_model(model, len(data.train) // config.batch_size)
    return model


def _draw_pseudo_inputs(model, images):
    config = model.config
    if config.prior == "vampprior":
        grey = config.dynamic_binarization or config.likelihood != "bernoulli"
        model.pseudo.draw(images, config.seed, 1 / 255 if grey else 1.0, config.pseudo_input_std)
        return
    if config.dynamic_binarization:
        images = binarize(images, seed=PSEUDO_SEED)
    model.pseudo.draw(images, config.seed, 1.0 if config.likelihood == "bernoulli" else 1 / 255)


def compile_model(model, steps_per_epoch):
    """Attach the configuration's optimiser."""
    config = model.config
    optimizer = NormalizedAdam if config.normalize_gradients else keras.optimizers.Adam
    model.compile(
        optimizer=optimizer(learning_rate=config.lr, epsilon=config.adam_epsilon),
        jit_compile=backend.arithmetic("mlp").jit_compile,
        steps_per_execution=backend.steps_per_execution(max(1, steps_per_epoch)),
    )


def train(config, data, run, progress=True):
    """The trained model of a run; goes on where the run stopped, and is instant where it is done.

    Args:
        config: a `Config`.
        data: from `prepare`.
        run: a `vaekit.runs.Run`.
        progress: whether to show epochs, losses and the time left.
    """
    if config.patience and not len(data.validation):
        raise UserError(
            f"{config.dataset} has no validation images, which early stopping needs. "
            "Pass --patience 0 to train all epochs."
        )
    model = build(config, data)
    callbacks = [WarmUp(config.warmup_epochs)]
    if len(data.validation):
        callbacks.append(ValidationBound(data.validation, config.seed))
    early_stopping = training.EarlyStopping(
        "val/elbo", config.patience, maximize=True, warmup_epochs=config.warmup_epochs
    )
    training.fit(
        model,
        (data.train,),
        run=run,
        phase=PHASE,
        epochs=config.epochs,
        batch_size=config.batch_size,
        seed=config.seed,
        early_stopping=early_stopping if config.patience else None,
        callbacks=callbacks,
        progress=progress,
    )
    checkpoint.save(model, run.directory)
    return model


class WarmUp(keras.callbacks.Callback):
    """Sets the weight of the KL term for each epoch."""

    def __init__(self, warmup_epochs):
        super().__init__()
        self.warmup_epochs = warmup_epochs

    def on_epoch_begin(self, epoch, logs=None):
        self.model.beta.assign(warm_up_beta(epoch, self.warmup_epochs))


class ValidationBound(keras.callbacks.Callback):
    """Adds the bound on the validation images to the epoch's logs.

    Unlike `validation_data`, which would encode the pseudo-inputs for every batch, it encodes them
    once. The noise depends on seed and epoch, so that a resumed run sees the same values.
    """

    def __init__(self, images, seed):
        super().__init__()
        self.images, self.seed = images, seed

    def on_epoch_end(self, epoch, logs=None):
        reconstruction, kl = self.model.elbo_terms(self.images, seed=(self.seed, epoch))
        logs["val_reconstruction"] = float(reconstruction.mean())
        logs["val_kl"] = float(kl.mean())
        logs["val_elbo"] = logs["val_reconstruction"] - logs["val_kl"]
