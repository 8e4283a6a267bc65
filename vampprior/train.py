"""Train one configuration in a run directory."""

import dataclasses

import keras
import numpy as np

from vaekit import training
from vaekit.datasets.binarize import binarize
from vaekit.errors import UserError
from vaekit.training import backend
from vampprior import checkpoint
from vampprior.callbacks import ValidationBound, WarmUp
from vampprior.config import model_arguments
from vampprior.model import VAE
from vampprior.optimizer import NormalizedAdam

PHASE = "training"
# Seeds of the binarisation of validation and test images, whatever the seed of the training.
VALIDATION_SEED, TEST_SEED, PSEUDO_SEED = 1, 2, 3


@dataclasses.dataclass(frozen=True)
class Data:
    """A dataset prepared for a configuration, each part uint8 `(n, height, width, channels)`.

    Batches are drawn from `train`; `validation` and `test` are in the likelihood's support.
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
            f"{config.name} expects images of shape {config.image_shape}, and {dataset.name} has "
            f"{dataset.image_shape}. Use a preset of that dataset."
        )
    binary = dataset.likelihood == "bernoulli"
    if config.dynamic_binarization and binary:
        raise UserError(f"{dataset.name} has 0/1 pixels already. Switch dynamic_binarization off.")
    if not config.dynamic_binarization and binary != (config.likelihood == "bernoulli"):
        raise UserError(
            f"{dataset.name} has {'0/1' if binary else '256-level'} pixels, outside the support of "
            f"the {config.likelihood} likelihood. Use a preset of that dataset"
            + ("." if binary else ", or switch dynamic_binarization on.")
        )
    if not config.dynamic_binarization:
        return Data(dataset.train, dataset.validation, dataset.test)
    validation = binarize(dataset.validation, seed=VALIDATION_SEED)
    return Data(dataset.train, validation, binarize(dataset.test, seed=TEST_SEED))


def build(config, data):
    """A new, compiled model; its weights depend only on the seed."""
    keras.utils.set_random_seed(config.seed)
    model = VAE(**model_arguments(config))
    if config.takes_images:
        drawn = config.prior == "vampprior_data" and config.dynamic_binarization
        model.prior.adapt(binarize(data.train, seed=PSEUDO_SEED) if drawn else data.train)
    compile_model(model, config, len(data.train) // config.batch_size)
    return model


def compile_model(model, config, steps_per_epoch):
    """Compile the model with the configuration's optimiser."""
    optimizer = NormalizedAdam if config.normalize_gradients else keras.optimizers.Adam
    model.compile(
        optimizer=optimizer(learning_rate=config.lr, epsilon=config.adam_epsilon),
        jit_compile=backend.arithmetic("mlp").jit_compile,
        steps_per_execution=backend.steps_per_execution(max(1, steps_per_epoch)),
    )


def train(config, data, run, progress=True):
    """Train the model of a run; an interrupted run resumes, and a finished one is only loaded.

    Args:
        config: a `Config`.
        data: result of `prepare`.
        run: a `vaekit.runs.Run`.
        progress: whether to show epochs, losses and the time left.
    """
    if config.patience and not len(data.validation):
        raise UserError(
            f"Early stopping needs validation images, and {config.dataset} has none. "
            "Pass --patience 0 to train all epochs."
        )
    backend.full_precision_products()
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
    checkpoint.save(model, run.directory, config)
    return model
