"""The rows that the papers' tables compare with: autoencoders, densities on latents, one stage."""

import dataclasses
from pathlib import Path

import keras
import numpy as np

from balancingvae import checkpoint, evaluate, measures, report, train, variance
from balancingvae.baselines import density
from balancingvae.baselines.rae import RAE
from balancingvae.evaluate import RENORMALIZED
from balancingvae.paper import comparison, experiments
from balancingvae.paper.comparison import over_seeds
from vaekit import files, training
from vaekit.images import to_uint8
from vaekit.reporting import plots
from vaekit.reporting.reports import Section, Table, sentence
from vaekit.runs import open_run, run_name
from vaekit.training import backend

SEED = 0
# Most latents that a density is fitted to.
MOST_CODES = 50_000
SETS = (
    "REC",
    "GEN-1",
    f"GEN-1{RENORMALIZED}",
    "gaussian",
    "mixture",
    "GEN-2",
    f"GEN-2{RENORMALIZED}",
)
QUANTITIES = (
    ("mse", "mse"),
    ("variance loss", "variance_loss"),
    ("variance law", "variance_law"),
    ("inactive", "inactive"),
)
GENERATED = ("GEN-2", f"GEN-2{RENORMALIZED}")  # whose latents' variance is shown


@dataclasses.dataclass(frozen=True)
class Autoencoder:
    """One deterministic baseline: its kind (`rae.KINDS`) and network family.

    Weights of None are those of the published code for the dataset.
    """

    kind: str
    network: str
    latent_weight: float | None = None
    penalty_weight: float | None = None

    @property
    def name(self):
        """As the tables call it: "RAE-L2, rae"."""
        kind, _, variant = self.kind.partition("_")
        title = {"ae": "AE", "rae": "RAE"}.get(kind, f"RAE-{kind.upper()}")
        title += f" ({variant})" if variant else ""
        return f"{title}, {self.network} network"


def run_autoencoder(config, baseline, dataset, changes, options):
    """Train (or continue, or reuse) one autoencoder and measure it with both densities.

    Args:
        config: a `Config`: data, network sizes, budget of the first stage.
        baseline: an `Autoencoder`.
        dataset: from `experiments.load`.
        changes: the changed fields of the configuration; they name the directory.
        options: `experiments.Options`.
    Returns:
        (metrics, run).
    """
    config = dataclasses.replace(config, network=baseline.network)
    given = {k: v for k, v in dataclasses.asdict(baseline).items() if v is not None and k != "kind"}
    changes = {**changes, **given, "images": len(dataset.train)}
    folder = Path(options.runs) / checkpoint.PACKAGE / "baselines"
    directory = folder / run_name(f"{config.name}-{baseline.kind}", changes) / f"seed{config.seed}"
    described = checkpoint.describe(
        config, autoencoder=dataclasses.asdict(baseline), data_fingerprint=dataset.fingerprint
    )
    with open_run(directory, described, type(config), options) as run:
        model = train_autoencoder(config, baseline, dataset, run, options)
        files.save_npz(run.directory / "autoencoder.npz", checkpoint.to_arrays(model))
        metrics = measure_autoencoder(model, dataset, run, options.settings)
        files.write_json(run.directory / evaluate.METRICS, metrics)
    return metrics, run


def train_autoencoder(config, baseline, dataset, run, options):
    """The trained `RAE` of a run."""
    train.check_dataset(config, dataset)
    keras.utils.set_random_seed(config.seed)
    chosen = backend.arithmetic("resnet", options.precision)
    weights = (baseline.latent_weight, baseline.penalty_weight)
    model = RAE(config, baseline.kind, *weights, dtype=chosen.policy)
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


def measure_autoencoder(model, dataset, run, settings):
    """Errors and distances of reconstructions and of images from both densities."""
    test = dataset.test[: evaluate.MEASURED_IMAGES]
    real = test.astype(np.float32) / (1 if model.config.binary else 255)
    rec = model.decode(model.codes(test))
    codes = model.codes(dataset.train[:MOST_CODES])
    sets = {"REC": rec} | density_sets(codes, model.decode, len(test))
    for name in ("gaussian", "mixture"):
        grid = to_uint8(sets[name][: report.PICTURES])
        plots.image_grid(run.figures / f"{name}.png", grid)
    return {
        "latent_weight": model.latent_weight,
        "penalty_weight": model.penalty_weight,
        "mse": measures.squared(real, rec),
        "variance_loss": variance.variance_loss(real, rec),
        "code_variance": measures.mean_variance(codes),
        "test_images": len(test),
        "distances": evaluate.distances(dataset, sets, settings),
    }


def density_sets(codes, decode, count):
    """Images decoded from draws of one Gaussian and of a mixture of ten, fitted to `codes`."""
    return {
        name: decode(density.fit(codes, components, SEED).sample(count, SEED))
        for name, components in density.COMPONENTS.items()
    }


def with_densities(metrics, run, options):
    """Metrics of a trained two-stage VAE, with distances of both densities on its latents.

    They are fitted to one posterior sample of every training image, what its second stage learns.
    """
    model = checkpoint.load(run.directory)
    dataset = experiments.load(model.config, options)
    mean, log_var = model.encode(dataset.train[:MOST_CODES])
    noise = np.random.default_rng(SEED).standard_normal(mean.shape)
    codes = mean + np.exp(0.5 * log_var) * noise
    sets = density_sets(codes, model.decode, len(dataset.test[: evaluate.MEASURED_IMAGES]))
    rows = evaluate.distances(dataset, sets, options.settings)
    return metrics | {"distances": metrics["distances"] + rows}


def run_all(preset, autoencoders, variants, seeds, shared, options, say=print):
    """Train and measure everything of a baselines table.

    Args:
        preset: the `Config` that all start from.
        autoencoders: list of `Autoencoder`.
        variants: list of `comparison.Variant`: two-stage VAEs.
        seeds, shared, options, say: as of `comparison.run`.
    Returns:
        dict of row name -> list of (metrics, run), one per seed.
    """
    trained = comparison.run(preset, variants, seeds, shared, options, say)
    found = {
        name: [(with_densities(metrics, run, options), run) for metrics, run in results]
        for name, results in trained.items()
    }
    for seed in seeds:
        config = dataclasses.replace(preset, **shared, seed=seed)
        dataset = experiments.load(config, options)
        for baseline in autoencoders:
            result = run_autoencoder(config, baseline, dataset, shared, options)
            found.setdefault(baseline.name, []).append(result)
            say(f"{baseline.name}, seed {seed}: mse {result[0]['mse']:.5f}")
    return found


def sections(found, text, theirs=()):
    """The report's sections.

    Args:
        found: from `run_all`.
        text: paragraphs: the budget.
        theirs: published rows (name, REC, GEN-1, GEN-2).
    """
    found = {name: [metrics for metrics, _ in results] for name, results in found.items()}
    everything = [m for results in found.values() for m in results]
    labels = list(dict.fromkeys(r["label"] for r in everything[0]["distances"]))
    columns = [*(title for title, _ in QUANTITIES), *(f"variance of z: {n}" for n in GENERATED)]
    tables = [
        Table([f"model (distances: {label})", *columns, *SETS], body)
        for label in labels
        if (body := _rows(found, label))
    ]
    weights = [
        [name, m[0]["latent_weight"], m[0]["penalty_weight"]]
        for name, m in found.items()
        if "latent_weight" in m[0]
    ]
    if weights:
        tables.append(Table(["autoencoder", "weight of latents", "of the penalty"], weights))
    notes = list(dict.fromkeys(r["warning"] for m in everything for r in m["distances"]))
    explained = (
        "REC: reconstructions. GEN-1: z from N(0, I), one stage. gaussian, mixture: z from one "
        "Gaussian or a mixture of ten fitted to the latents of training images. GEN-2: z from the "
        "second stage, as generated, and renormalised. Distances: lower is better."
    )
    parts = [
        Section(
            "Baselines", text=[*text, explained, *map(sentence, filter(None, notes))], tables=tables
        )
    ]
    if theirs:
        columns = ["published FID", "REC", "GEN-1 (one Gaussian)", "GEN-2 (mixture of ten)"]
        parts.append(
            Section("Published figures", tables=[Table(columns, [list(r) for r in theirs])])
        )
    return parts


def _rows(found, label):
    """A row per model: its quantities, and the distances of that label; [] where it has none."""
    body, any_distance = [], False
    for name, results in found.items():
        quantities = [over_seeds([m.get(key) for m in results]) for _, key in QUANTITIES]
        latents = [
            over_seeds([m.get("latent_variance", {}).get(key) for m in results])
            for key in GENERATED
        ]
        distances = [
            over_seeds(
                [
                    row["value"]
                    for metrics in results
                    for row in metrics["distances"]
                    if (row["set"], row["label"]) == (set_name, label)
                ]
            )
            for set_name in SETS
        ]
        any_distance |= any(cell is not None for cell in distances)
        body.append([name, *quantities, *latents, *distances])
    return body if any_distance else []
