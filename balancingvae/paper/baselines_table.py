"""The baselines of the papers' tables: autoencoders, densities on latents, one stage.

Ghosh et al., arXiv 1903.12436 (2019), Table 1. `python -m balancingvae baselines` trains them.
"""

import dataclasses
from pathlib import Path

import keras

from balancingvae import (
    checkpoint,
    evaluate,
    measures,
    presets,
    report,
    train,
    variance,
)
from balancingvae.baselines import density
from balancingvae.baselines.rae import KINDS, RAE, published_weights
from balancingvae.evaluate import set_name
from balancingvae.paper import published, runner, tables
from balancingvae.paper.runner import Row, over_seeds
from balancingvae.run import load_dataset, show_report, unit_images
from vaekit import files, training
from vaekit.distributions import draw_posterior
from vaekit.images import to_uint8
from vaekit.reporting import plots, reports
from vaekit.reporting.reports import Section, Table
from vaekit.runs import open_run, run_name
from vaekit.training import backend

SEED = 0  # of the densities and of draws
# Largest number of latents to which a density is fitted.
MOST_CODES = 50_000
GENERATED = ("GEN-2", set_name("GEN-2", True))  # the tables show the variance of these latents
SETS = ("REC", "GEN-1", set_name("GEN-1", True), *density.COMPONENTS, *GENERATED)
QUANTITIES = (
    ("mse", "mse"),
    ("variance loss", "variance_loss"),
    ("variance law", "variance_law"),
    ("inactive", "inactive"),
)
EXPLANATION = (
    'REC are reconstructions. GEN-1 draws z from N(0, I), with one stage. "gaussian" and "mixture" '
    "draw z from one Gaussian or from a mixture of ten, fitted to the latents of training images. "
    "GEN-2 uses z from the second stage, as generated and renormalised. Lower distances are better."
)


@dataclasses.dataclass(frozen=True)
class Autoencoder:
    """One deterministic baseline: its kind (a key of `rae.KINDS`) and its network.

    If a weight is None, the published code's weight for the dataset is used.
    """

    kind: str
    network: str
    latent_weight: float | None = None
    penalty_weight: float | None = None

    @property
    def name(self):
        """The name in the tables, such as "RAE-L2, rae network"."""
        return f"{KINDS[self.kind].title}, {self.network} network"

    def build(self, config, dtype="float32"):
        """The untrained `RAE` for a `Config` with this baseline's network."""
        channels = config.image_shape[2]
        latents, penalty = published_weights(self.kind, channels, config.dataset)
        return RAE(
            *presets.network(config).build(config.image_shape, config.latent_dim, dtype),
            kind=self.kind,
            latent_weight=latents if self.latent_weight is None else self.latent_weight,
            penalty_weight=penalty if self.penalty_weight is None else self.penalty_weight,
            seed=config.seed,
        )


def study(comparison, autoencoders, variants):
    """Train and measure everything, write the report, print its tables.

    Args:
        comparison: a `runner.Comparison`.
        autoencoders: list of `Autoencoder`.
        variants: list of `runner.Variant`: two-stage VAEs.
    """
    runner.quiet()
    preset = comparison.preset
    rows = train_all(comparison, autoencoders, variants)
    parts = sections(rows, runner.budget(rows), published.autoencoders(preset.dataset))
    folder = comparison.folder("baselines")
    page = reports.write_report(folder, f"Baselines: {preset.name}", parts)
    show_report(page, parts[0].tables)


def train_all(comparison, autoencoders, variants):
    """The rows of the table, two-stage VAEs first; arguments as of `study`."""
    options = comparison.options
    rows = comparison.train(variants)
    for row in rows:
        pairs = zip(row.metrics, row.runs, strict=True)
        row.metrics = [with_densities(metrics, run, options) for metrics, run in pairs]
    baselines = [Row(baseline.name, comparison.config()) for baseline in autoencoders]
    for seed in comparison.seeds:
        config = comparison.config(seed=seed)
        dataset = load_dataset(config, options)
        for baseline, row in zip(autoencoders, baselines, strict=True):
            changes = comparison.changes
            metrics, run = train_autoencoder(config, baseline, dataset, changes, options)
            row.add(metrics, run)
            comparison.say(f"{baseline.name}, seed {seed}: mse {metrics['mse']:.5f}")
    return rows + baselines


def with_densities(metrics, run, options):
    """Metrics of a trained two-stage VAE, with the distances of both densities on its latents.

    They are fitted to one posterior sample of every training image, which is also what the second
    stage learns.
    """
    config, model = checkpoint.read_config(run.directory), checkpoint.load(run.directory)
    dataset = load_dataset(config, options)
    images = dataset.train[:MOST_CODES]
    codes = draw_posterior(*model.encode(images), SEED)
    sets = density_sets(codes, model.decode, len(dataset.test[: train.MEASURED_IMAGES]))
    distances = evaluate.distances(dataset, sets, options.settings)
    return metrics | {"distances": metrics["distances"] + distances}


def density_sets(codes, decode, count):
    """Images decoded from draws of one Gaussian and of a mixture of ten, fitted to `codes`."""
    return {
        name: decode(density.sample(density.fit(codes, components, SEED), count, SEED))
        for name, components in density.COMPONENTS.items()
    }


def train_autoencoder(config, baseline, dataset, changes, options):
    """Train (or resume, or reuse) one autoencoder and measure it with both densities.

    Args:
        config: a `Config` with the data, the network sizes and the budget of the first stage.
        baseline: an `Autoencoder`.
        dataset: from `run.load_dataset`.
        changes: dict of the changed fields of the configuration, which name the directory.
        options: `run.Options`.
    Returns:
        (metrics, run).
    """
    config = dataclasses.replace(config, network=baseline.network)
    train.check_dataset(config, dataset)
    described = dataclasses.asdict(baseline)
    given = {k: v for k, v in described.items() if v is not None and k != "kind"}
    changes = {**changes, **given, "images": len(dataset.train)}
    directory = Path(options.runs) / checkpoint.PACKAGE / "baselines"
    directory /= run_name(f"{config.name}-{baseline.kind}", changes)
    directory /= f"seed{config.seed}"
    described = checkpoint.describe(
        config, autoencoder=described, data_fingerprint=dataset.fingerprint
    )
    with open_run(directory, described, type(config), options) as run:
        model = _fit(config, baseline, dataset, run, options)
        model.save(run.directory / "autoencoder.keras")
        metrics = measure(model, dataset, run, options.settings)
        files.write_json(run.directory / evaluate.METRICS, metrics)
    return metrics, run


def _fit(config, baseline, dataset, run, options):
    keras.utils.set_random_seed(config.seed)
    chosen = backend.arithmetic("resnet", options.precision)
    model = baseline.build(config, chosen.policy)
    optimizer = keras.optimizers.Adam(config.lr, epsilon=train.ADAM_EPSILON)
    model.compile(optimizer, jit_compile=chosen.jit_compile)
    training.fit(
        model,
        (dataset.train,),
        run=run,
        phase="autoencoder",
        progress=options.progress,
        **train.first_plan(config),
    )
    return model


def measure(model, dataset, run, settings):
    """Errors and distances of an `RAE`'s reconstructions and of images from both densities."""
    real = unit_images(dataset.test[: train.MEASURED_IMAGES])
    rec = model.reconstruct(real)
    codes = model.codes(dataset.train[:MOST_CODES])
    sets = {"REC": rec} | density_sets(codes, model.decode, len(real))
    for name in density.COMPONENTS:
        grid = to_uint8(sets[name][: report.PICTURES])
        plots.image_grid(run.figures / f"{name}.png", grid)
    return {
        "latent_weight": model.latent_weight,
        "penalty_weight": model.penalty_weight,
        "mse": measures.squared(real, rec),
        "variance_loss": variance.variance_loss(real, rec),
        "code_variance": measures.mean_variance(codes),
        "test_images": len(real),
        "distances": evaluate.distances(dataset, sets, settings),
    }


def sections(rows, text, theirs=None):
    """The report's sections.

    Args:
        rows: list of `runner.Row` from `train_all`.
        text: the budget in words.
        theirs: `Table` of published figures, or None.
    """
    found = [_table(rows, label) for label in tables.labels(rows)]
    weights = [
        [row.name, row.metrics[0]["latent_weight"], row.metrics[0]["penalty_weight"]]
        for row in rows
        if "latent_weight" in row.metrics[0]
    ]
    if weights:
        found.append(Table(["autoencoder", "weight of latents", "of the penalty"], weights))
    summary = Section(
        "Baselines",
        text=[text, EXPLANATION, *tables.notes(rows)],
        tables=[table for table in found if table is not None],
    )
    return [summary, *([] if theirs is None else [Section("Published figures", tables=[theirs])])]


def _table(rows, label):
    """Quantities of every model and its distances of one label; None if there are none."""
    body, any_distance = [], False
    for row in rows:
        quantities = [over_seeds([m.get(key) for m in row.metrics]) for _, key in QUANTITIES]
        latents = [
            over_seeds([m.get("latent_variance", {}).get(name) for m in row.metrics])
            for name in GENERATED
        ]
        distances = tables.distances(row, label, SETS)
        any_distance |= any(cell is not None for cell in distances)
        body.append([row.name, *quantities, *latents, *distances])
    columns = [*(title for title, _ in QUANTITIES), *(f"variance of z: {n}" for n in GENERATED)]
    heading = f"model (distances: {label})"
    return Table([heading, *columns, *SETS], body) if any_distance else None
