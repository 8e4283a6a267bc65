"""Latents and errors during training.

Asperti & Trentin, arXiv 2002.07514 (2020), Figures 2 and 5 to 7. `python -m balancingvae figures`
trains a first stage and draws them.
"""

import dataclasses
from pathlib import Path

import keras
import numpy as np

from balancingvae import checkpoint, evaluate, measures, variance
from balancingvae.paper import first_stage
from balancingvae.run import load_dataset, unit_images
from vaekit.distributions import draw_posterior
from vaekit.reporting import plots
from vaekit.reporting.reports import Figure, Section, Table
from vaekit.runs import cost, open_run, run_name

EPOCHS = 50  # unless the command line says otherwise
PHASE = "watched"
WATCHED_IMAGES = 500
FIRST_EPOCH_POINTS = 20  # measurements during the first epoch
DISTANCES = 10  # number of epochs with a generation error
SHOWN_LATENTS = 12  # curves of one figure
WHOLE = 1.0  # the fraction of an epoch that is done at its end


def study(comparison, figures):
    """Train and watch a preset; returns the section of the report.

    Args:
        comparison: a `runner.Comparison`.
        figures: folder of the pictures.
    """
    changes = {"epochs": EPOCHS, **comparison.changes}
    config = dataclasses.replace(comparison.preset, **changes)
    records, run = watch(config, changes, comparison.options)
    return section(records, budget(config, comparison.options, run), figures)


def watch(config, changes, options):
    """Train the first stage (or resume) and watch its latents and errors.

    Args:
        config: a `Config`, including the changes.
        changes: dict of the changed fields, which name the directory.
        options: `run.Options`.
    Returns:
        (list of records, run). Each record has `epoch`, `part` (the fraction of the epoch's
        updates that are done), `sigma_squared` (of each latent, mean over test images) and `mse`;
        at some epochs also `distance` and its `label`.
    """
    dataset = load_dataset(config, options)
    name = run_name(config.name, {**changes, "images": len(dataset.train)})
    directory = Path(options.runs) / checkpoint.PACKAGE / "figures" / name / f"seed{config.seed}"
    described = checkpoint.describe(config, data_fingerprint=dataset.fingerprint)
    with open_run(directory, described, type(config), options) as run:
        watcher = Watcher(run, dataset, config, options.settings)
        first_stage.fit(config, dataset, run, watcher, options)
        found = {(r["epoch"], r["part"]): r for r in run.records(PHASE)}
    return [found[key] for key in sorted(found)], run


class Watcher(keras.callbacks.Callback):
    """Logs mean sigma squared of every latent and the errors, often during the first epoch."""

    def __init__(self, run, dataset, config, settings):
        super().__init__()
        self.run, self.dataset, self.settings = run, dataset, settings
        self.steps = len(dataset.train) // config.batch_size
        self.every = max(1, self.steps // FIRST_EPOCH_POINTS)
        chosen = np.linspace(1, config.epochs, min(DISTANCES, config.epochs))
        self.distance_epochs = set(chosen.round().astype(int).tolist())
        self.real = unit_images(dataset.test[:WATCHED_IMAGES])
        self.epoch = 0

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.epoch == 0 and batch % self.every == 0 and batch + 1 < self.steps:
            self._log(0, (batch + 1) / self.steps)

    def on_epoch_end(self, epoch, logs=None):
        self._log(epoch, WHOLE, epoch + 1 in self.distance_epochs)

    def _log(self, epoch, part, with_distance=False):
        stage = self.model
        mean, log_var = stage.encode(self.real)
        reconstructed = stage.decode(draw_posterior(mean, log_var, 0))
        record = {
            "phase": PHASE,
            "epoch": epoch,
            "part": part,
            "sigma_squared": variance.mean_sigma_squared(log_var).tolist(),
            "mse": measures.squared(self.real, reconstructed),
        }
        if with_distance:
            noise = np.random.default_rng(0).standard_normal(mean.shape).astype(np.float32)
            sets = {"GEN-1": stage.decode(noise)}
            rows = evaluate.distances(self.dataset, sets, self.settings)
            record["distance"], record["label"] = next(
                ((r["value"], r["label"]) for r in rows[::-1] if r["value"] is not None), (None, "")
            )
        self.run.log(record)


def section(records, text, figures):
    """The section on one watched training.

    Args:
        records: from `watch`.
        text: the budget in words.
        figures: folder of the pictures.
    """
    captions = _draw_latents(records, figures) | _draw_errors(records, figures)
    last = np.array(records[-1]["sigma_squared"])
    inactive = int((last > variance.INACTIVE_THRESHOLD).sum())
    row = [inactive, len(last), records[-1]["mse"]]
    return Section(
        "Latents and errors during training",
        text=[text],
        tables=[Table(["inactive latents", "of", "test mse"], [row])],
        figures=[Figure(f"{figures.name}/{name}.png", text) for name, text in captions.items()],
    )


def budget(config, options, run):
    """What was trained and measured, in words."""
    return (
        f"{config.dataset}, {config.network} with base_dim {config.base_dim}, {config.latent_dim} "
        f"latents, {config.epochs} epochs, {options.images or 'all'} training images; measured on "
        f"{WATCHED_IMAGES} test images. {cost([(run.hardware, run.seconds)])}"
    )


def _draw_latents(records, figures):
    """Figures 5 to 7; returns dict of file name -> caption."""
    sigma = np.array([r["sigma_squared"] for r in records])
    times = np.array([r["epoch"] + r["part"] for r in records])
    quantity = "mean of sigma squared"
    last = np.sort(sigma[-1])
    series = {"after training": (np.arange(1, len(last) + 1), last)}
    plots.curves(figures / "sigma_squared.png", series, "latent, sorted", quantity)
    shown = np.linspace(0, len(last) - 1, min(SHOWN_LATENTS, len(last))).astype(int)
    for name, chosen in (("first_epoch", times <= 1), ("all_epochs", times > 0)):
        series = {
            f"latent {latent}": (times[chosen], sigma[chosen][:, latent])
            for latent in np.argsort(sigma[-1])[shown]
        }
        plots.curves(figures / f"{name}.png", series, "epoch", quantity)
    return {
        "sigma_squared": "Mean of sigma squared of each latent after training (Figure 5)",
        "first_epoch": "The same during the first epoch (Figure 6), some of the latents",
        "all_epochs": "The same during all epochs (Figure 7)",
    }


def _draw_errors(records, figures):
    """Figure 2; returns dict of file name -> caption."""
    whole = [r for r in records if r["part"] == WHOLE]
    series = {"test mse": ([r["epoch"] + 1 for r in whole], [r["mse"] for r in whole])}
    plots.curves(figures / "mse.png", series, "epoch", "mse", log_y=True)
    captions = {"mse": "Reconstruction error by epoch (Figure 2)"}
    generated = [r for r in whole if r.get("distance") is not None]
    if generated:
        label = generated[0]["label"]
        points = ([r["epoch"] + 1 for r in generated], [r["distance"] for r in generated])
        plots.curves(figures / "distance.png", {"GEN-1": points}, "epoch", label)
        captions["distance"] = f"Generation error by epoch (Figure 2): {label} of GEN-1"
    return captions
