"""The papers' other figures: latents during training, errors by epoch, nearest against bilinear.

Asperti & Trentin, arXiv 2002.07514 (2020), Figures 2, 3 and 5 to 7.
"""

from pathlib import Path

import keras
import numpy as np

from balancingvae import checkpoint, evaluate, measures, train, variance
from balancingvae.paper import experiments
from vaekit import datasets, training
from vaekit.reporting import plots
from vaekit.reporting.reports import Figure, Section, Table
from vaekit.runs import open_run, run_name

PHASE = "watched"
WATCHED_IMAGES = 500
FIRST_EPOCH_POINTS = 20  # measurements during the first epoch
DISTANCES = 10  # epochs with a generation error
SHOWN_LATENTS = 12  # curves of one figure
FACES = 20


def watch(config, changes, options):
    """Train the first stage and watch its latents and errors; resumable.

    Args:
        config: a `Config`, changes included.
        changes: the changed fields; they name the directory.
        options: `experiments.Options`.
    Returns:
        (list of records, run); of each record `epoch`, `part` (updates of the epoch done, as a
        fraction), `sigma_squared` (mean over test images of each latent's), `mse`; at some epochs
        `distance`.
    """
    dataset = experiments.load(config, options)
    train.check_dataset(config, dataset)
    name = run_name(config.name, {**changes, "images": len(dataset.train)})
    directory = Path(options.runs) / checkpoint.PACKAGE / "figures" / name / f"seed{config.seed}"
    described = checkpoint.describe(config, data_fingerprint=dataset.fingerprint)
    with open_run(directory, described, type(config), options) as run:
        stage = train.build(config, options.precision).stage_one
        watcher = Watcher(run, dataset, config, options.settings)
        training.fit(
            stage,
            (dataset.train,),
            run=run,
            phase="stage_one",
            callbacks=[watcher],
            progress=options.progress,
            **train.first_plan(config),
        )
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
        self.real = dataset.test[:WATCHED_IMAGES].astype(np.float32)
        self.real /= 1 if config.binary else 255
        self.epoch = 0

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.epoch == 0 and batch % self.every == 0 and batch + 1 < self.steps:
            self._log(0, (batch + 1) / self.steps)

    def on_epoch_end(self, epoch, logs=None):
        self._log(epoch, 1.0, epoch + 1 in self.distance_epochs)

    def _log(self, epoch, part, with_distance=False):
        stage = self.model
        mean, log_var = stage.encode(self.real)
        rng = np.random.default_rng(0)
        noise = rng.standard_normal(mean.shape).astype(np.float32)
        rec = stage.decode(mean + np.exp(0.5 * log_var) * noise)
        record = {
            "phase": PHASE,
            "epoch": epoch,
            "part": part,
            "sigma_squared": variance.mean_sigma_squared(log_var).tolist(),
            "mse": measures.squared(self.real, rec),
        }
        if with_distance:
            sets = {"GEN-1": stage.decode(noise)}
            rows = evaluate.distances(self.dataset, sets, self.settings)
            record["distance"], record["label"] = next(
                ((r["value"], r["label"]) for r in rows[::-1] if r["value"] is not None), (None, "")
            )
        self.run.log(record)


def sections(records, text, folder):
    """The report on one watched training; pictures go into `folder`."""
    sigma = np.array([r["sigma_squared"] for r in records])
    times = np.array([r["epoch"] + r["part"] for r in records])
    last = np.sort(sigma[-1])
    plots.curves(
        folder / "sigma_squared.png",
        {"after training": (np.arange(1, len(last) + 1), last)},
        "latent, sorted",
        "mean of sigma squared",
    )
    for name, chosen in (("first_epoch", times <= 1), ("all_epochs", times > 0)):
        latents = np.linspace(0, len(last) - 1, min(SHOWN_LATENTS, len(last))).astype(int)
        order = np.argsort(sigma[-1])[latents]
        series = {f"latent {i}": (times[chosen], sigma[chosen][:, i]) for i in order}
        plots.curves(folder / f"{name}.png", series, "epoch", "mean of sigma squared")
    whole = [r for r in records if r["part"] == 1.0]
    error = ([r["epoch"] + 1 for r in whole], [r["mse"] for r in whole])
    plots.curves(folder / "mse.png", {"test mse": error}, "epoch", "mse", log_y=True)
    captions = {
        "sigma_squared": "Mean of sigma squared of each latent after training (Figure 5)",
        "first_epoch": "The same during the first epoch (Figure 6), some of the latents",
        "all_epochs": "The same during all epochs (Figure 7)",
        "mse": "Reconstruction error by epoch (Figure 2)",
    }
    generated = [r for r in whole if r.get("distance") is not None]
    if generated:
        label = generated[0]["label"]
        points = ([r["epoch"] + 1 for r in generated], [r["distance"] for r in generated])
        plots.curves(folder / "distance.png", {"GEN-1": points}, "epoch", label)
        captions["distance"] = f"Generation error by epoch (Figure 2): {label} of GEN-1"
    figures = [Figure(f"{folder.name}/{name}.png", text) for name, text in captions.items()]
    body = [[int((sigma[-1] > variance.INACTIVE_THRESHOLD).sum()), len(last), whole[-1]["mse"]]]
    return [
        Section(
            "Latents and errors during training",
            text=[text],
            tables=[Table(["inactive latents", "of", "test mse"], body)],
            figures=figures,
        )
    ]


def faces_section(data_dir, folder):
    """Figure 3: the same faces, resized by nearest neighbour and bilinearly."""
    grids = []
    for resize in ("nearest", "bilinear"):
        faces = datasets.load("celeba", data_dir, resize=resize).test
        grids.append(faces[:FACES].copy())
    rows = []
    for start in range(0, FACES, 10):
        rows += [grid[start : start + 10] for grid in grids]
    plots.image_grid(folder / "faces.png", np.concatenate(rows))
    spread = [float(np.mean(np.abs(np.diff(grid.astype(float), axis=2)))) for grid in grids]
    return Section(
        "Faces: nearest against bilinear resize",
        text=["Rows in pairs: nearest neighbour above, bilinear (antialiased) below."],
        tables=[
            Table(
                ["resize", "mean step between neighbouring pixels, grey levels"],
                [["nearest", spread[0]], ["bilinear", spread[1]]],
            )
        ],
        figures=[Figure(f"{folder.name}/faces.png", "CelebA test faces at 64 x 64")],
    )
