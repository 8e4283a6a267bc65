"""First stages that are trained alone and measured during training, for several studies."""

import contextlib
import dataclasses
from pathlib import Path

import keras
import numpy as np

from balancingvae import checkpoint, train, variance
from balancingvae.networks import BatchNorm
from balancingvae.paper import runner
from balancingvae.paper.variance_losses import losses
from balancingvae.run import unit_images
from vaekit import training
from vaekit.distributions import draw_posterior, gaussian_kl
from vaekit.images import scaled
from vaekit.runs import open_run, run_name

MEASURED = "measured"
# Number of batches of training images for the batch-norm statistics of a measurement.
STATISTICS_BATCHES = 10


def small_config(dataset, network, latent_dim, epochs, *, base_dim, fc_dim, seed, **changes):
    """The `Config` of one small VAE.

    The KL has weight 1 everywhere, so that latent sizes are comparable.

    Args:
        dataset: name of a preset and its dataset.
        network: name of the first stage's network.
        latent_dim, epochs, base_dim, fc_dim, seed: as in `Config`.
        **changes: further fields.
    """
    return dataclasses.replace(
        runner.preset_named(dataset),
        name=f"{dataset}-{network}",
        network=network,
        latent_dim=latent_dim,
        base_dim=base_dim,
        fc_dim=fc_dim,
        num_scale=2,
        kl_factor=1.0,
        batch_size=50,
        lr=1e-3,
        lr_epochs=0,
        epochs=epochs,
        epochs2=0,
        seed=seed,
        **changes,
    )


def fit(config, dataset, run, callback, options):
    """Train the first stage of a run while `callback` watches it; an interrupted run resumes.

    Args:
        config: a `Config`.
        dataset: from `run.load_dataset`.
        run: a `vaekit.runs.Run`.
        callback: a Keras callback that keeps no state of its own.
        options: `run.Options`.
    """
    train.check_dataset(config, dataset)
    stage = train.build(config, options.precision).stage_one
    training.fit(
        stage,
        (dataset.train,),
        run=run,
        phase="stage_one",
        callbacks=[callback],
        progress=options.progress,
        **train.first_plan(config),
    )
    return stage


def train_and_measure(config, dataset, budgets, options, suffix=""):
    """Train one small VAE (or resume, or reuse its run) and measure it after each of the budgets.

    Args:
        config: from `small_config`.
        dataset: from `run.load_dataset`; its test images are measured.
        budgets: numbers of epochs; the last one is `config.epochs`.
        options: `run.Options`.
        suffix: addition to the name of the run directory.
    Returns:
        list of dicts, one per budget: `dataset`, `network`, `latent_dim`, `epochs`, `images`,
        `test_images`, `hardware` and `seconds` of the training, and what `measure` returns.
    """
    names = ("latent_dim", "base_dim", "fc_dim", "epochs", "gamma_policy")
    changes = {name: getattr(config, name) for name in names} | {"images": len(dataset.train)}
    directory = Path(options.runs) / checkpoint.PACKAGE / "variance"
    directory /= run_name(config.name + suffix, changes)
    directory /= f"seed{config.seed}"
    described = checkpoint.describe(
        config, data_fingerprint=dataset.fingerprint, images=len(dataset.train), budgets=budgets
    )
    with open_run(directory, described, type(config), options) as run:
        if not set(budgets) <= set(_measured(run)):
            quiet = dataclasses.replace(options, progress=False)
            watcher = _Measure(run, budgets, dataset, config.batch_size)
            stage = fit(config, dataset, run, watcher, quiet)
            if max(budgets) not in _measured(run):  # stopped between last epoch and measurement
                watcher.set_model(stage)
                watcher.log(max(budgets) - 1)
        found = _measured(run)
    shared = {
        "dataset": config.dataset,
        "network": config.network,
        "latent_dim": config.latent_dim,
        "images": len(dataset.train),
        "test_images": len(dataset.test),
        "hardware": run.hardware,
        "seconds": run.seconds,
    }
    return [{**shared, "epochs": epochs, **found[epochs]} for epochs in budgets]


def _measured(run):
    """Measurements of a run: dict of epochs trained -> what `measure` returned."""
    skipped = ("phase", "epoch")
    return {
        record["epoch"] + 1: {k: v for k, v in record.items() if k not in skipped}
        for record in run.records(MEASURED)
    }


class _Measure(keras.callbacks.Callback):
    """Logs what `measure` returns after some of the epochs."""

    def __init__(self, run, budgets, dataset, batch_size):
        super().__init__()
        self.run, self.budgets, self.dataset = run, budgets, dataset
        self.batch_size = batch_size

    def on_epoch_end(self, epoch, logs=None):
        if epoch + 1 in self.budgets:
            self.log(epoch)

    def log(self, epoch):
        """Measure and log one epoch."""
        dataset = self.dataset
        images = dataset.train
        with fresh_statistics(self.model, images, self.batch_size):
            record = measure(self.model, unit_images(dataset.test))
        self.run.log({"phase": MEASURED, "epoch": epoch, **record})


@contextlib.contextmanager
def fresh_statistics(stage, images, batch_size, seed=0):
    """Batch norm with the statistics of a few batches of the present, then those of training again.

    The original moving statistics remember about a thousand updates, which is more than a short
    training has; with them a ResNet of a few hundred updates gives no sensible image.

    Args:
        stage: a `BalancedVAE`.
        images: training images `(n, height, width, channels)`: uint8, bool, or floats in [0, 1].
        batch_size: images per batch.
        seed: of batches and noise.
    """
    parts = (stage.encoder, stage.decoder)
    norms = [layer for part in parts for layer in part.layers if isinstance(layer, BatchNorm)]
    kept = [[w.numpy() for w in norm.non_trainable_weights] for norm in norms]
    for norm in norms:
        for weight in (norm.mean_shadow, norm.variance_shadow, norm.updates):
            weight.assign(np.zeros(weight.shape, np.float32))
    rng = np.random.default_rng(seed)
    for _ in range(STATISTICS_BATCHES if norms else 0):
        batch = scaled(images[rng.choice(len(images), batch_size)])
        noise = rng.standard_normal((len(batch), stage.latent_dim)).astype(np.float32)
        stage.autoencode(batch, noise, training=True)
    try:
        yield
    finally:
        for norm, values in zip(norms, kept, strict=True):
            for weight, value in zip(norm.non_trainable_weights, values, strict=True):
                weight.assign(value)


def measure(stage, real, seed=0):
    """Errors and variances of reconstructions (from one sample of z) and of generated images.

    Args:
        stage: a `BalancedVAE`.
        real: test images `(n, height, width, channels)` in [0, 1].
        seed: of the samples.
    Returns:
        dict: `mse`, `variance_loss` (per image), `variance_loss_over_data`, `variance` (mean
        per-image variance of the test images), `generated_loss` and `generated_loss_over_data` (of
        images from z ~ N(0, I)), `kl`, `inactive`, `gamma`.
    """
    mean, log_var = stage.encode(real)
    rng = np.random.default_rng(seed)
    reconstructed = stage.decode(draw_posterior(mean, log_var, rng))
    generated = stage.decode(rng.standard_normal(mean.shape).astype(np.float32))
    return {
        **losses(real, reconstructed),
        "variance": float(np.mean(np.var(real.reshape(len(real), -1), axis=1))),
        "generated_loss": variance.variance_loss(real, generated),
        "generated_loss_over_data": variance.variance_loss_over_data(real, generated),
        "kl": float(np.mean(gaussian_kl(mean, log_var))),
        "inactive": int(variance.inactive_units(log_var).sum()),
        "gamma": float(stage.gamma),
    }
