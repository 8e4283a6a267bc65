"""From a configuration to a trained, evaluated run and its report."""

import dataclasses
import os
import sys
from pathlib import Path

from balancingvae import checkpoint, evaluate, train
from balancingvae import report as pages
from vaekit import datasets, fid, files
from vaekit.release import shelf
from vaekit.reporting import reports
from vaekit.runs import open_run, run_name
from vaekit.training import backend

# `quick` shrinks network, data and epochs, so that the whole path takes minutes on two cores; small
# batches give gamma the hundreds of updates that it needs from 1 to the error.
QUICK = {"base_dim": 8, "fc_dim": 128, "second_dim": 256, "epochs": 8, "epochs2": 12}
QUICK_RATES = {"batch_size": 25, "lr": 1e-3, "lr_epochs": 4, "lr2": 1e-3, "lr_epochs2": 6}
QUICK_IMAGES, QUICK_TEST_IMAGES = 2000, 500


@dataclasses.dataclass(frozen=True)
class Options:
    """What a command line chooses beside the configuration itself.

    Attributes:
        runs: folder of the run directories.
        data_dir: datasets; None for $VAE_DATA_DIR, else ./data.
        images, test_images: take that many only, a seeded choice; None for all.
        precision: "auto", "float32" or "bfloat16".
        devices: over how many devices training spreads each batch.
        checkpoint_seconds: least time between two checkpoints.
        progress: whether to show it; "verbose" for a line per epoch.
        tensorboard: whether training writes curves for TensorBoard.
        settings: `vaekit.fid.Settings`.
    """

    runs: Path = Path("runs")
    data_dir: str | None = None
    images: int | None = None
    test_images: int | None = None
    precision: str = "auto"
    devices: int = 1
    checkpoint_seconds: float = 20.0
    progress: bool | str = True
    tensorboard: bool = False
    settings: fid.Settings = dataclasses.field(default_factory=fid.Settings)


def load(config, options):
    """The `vaekit.datasets.Dataset` as the configuration asks for it."""
    extra = {}
    if config.dataset == "cifar10":
        extra = {"jpeg": config.jpeg}
    if config.dataset == "celeba":
        split = "listing" if config.split == "listing" else "partition"
        extra = {"split": split, "size": config.image_shape[0]}
    found = datasets.load(config.dataset, options.data_dir, **extra)
    return found.take(options.images, options.test_images)


def test_images(model, data_dir=None):
    """The test images that a model's configuration is evaluated on."""
    dataset = load(model.config, Options(data_dir=data_dir))
    train.check_dataset(model.config, dataset)
    return dataset.test


def run_one(config, changes, dataset, options):
    """Train (or continue, or reuse), evaluate and report one configuration.

    Args:
        config: a `Config`, changes included.
        changes: the changed fields; they name the run's directory.
        dataset: from `load`.
        options: `Options`.
    Returns:
        (metrics, run).
    """
    changes = {key: value for key, value in changes.items() if key != "seed"}
    for name in ("images", "test_images"):
        if getattr(options, name) is not None:
            changes[name] = getattr(options, name)
    if options.precision != "auto":
        changes["precision"] = options.precision
    directory = options.runs / checkpoint.PACKAGE / run_name(config.name, changes)
    directory /= f"seed{config.seed}"
    policy = backend.arithmetic("resnet", options.precision).policy
    description = checkpoint.describe(
        config, data_fingerprint=dataset.fingerprint, images=options.images, policy=policy
    )
    if options.progress:
        print(f"{config.name}, seed {config.seed}: {directory}", file=sys.stderr)
    with open_run(directory, description, type(config), options) as run:
        model = train.train(
            config, dataset, run, options.precision, options.progress, options.devices
        )
        metrics = evaluate.evaluate(model, dataset, run, options.settings)
        pages.draw(model, dataset, run)
        report(metrics, run, directory, dataset.source)
    return metrics, run


def report(metrics, run, folder, source):
    """Write the report of one run into `folder`; returns the path of its HTML page."""
    found = pages.sections(metrics, run, _relative_to(folder), source)
    title = f"Two-stage VAE on {metrics['config']['dataset']}"
    title += " (reduced budget)" if pages.reduction(metrics) else ""
    return reports.write_report(folder, title, [*found, reports.provenance([run])])


def run_and_report(config, changes, options, folder=None):
    """`run_one`, the main table on the terminal, and the report's path.

    Args:
        folder: of the report; by default reports/balancingvae/<preset>.
    """
    dataset = load(config, options)
    metrics, run = run_one(config, changes, dataset, options)
    folder = Path(folder or Path("reports") / checkpoint.PACKAGE / run.directory.parent.name)
    page = report(metrics, run, folder, dataset.source)
    print(reports.plain_table(pages.main_table([metrics])))
    print(f"\nReport: {page} (and report.md, report.json beside it)")
    return page


def evaluate_again(directory, options):
    """Evaluate a finished run or released checkpoint anew; prints its table."""
    directory = shelf.resolve(directory, checkpoint.PACKAGE)
    model = checkpoint.load(directory)
    config = checkpoint.read_config(directory)
    dataset = load(config, options)
    train.check_dataset(config, dataset)
    described = checkpoint.describe(config)
    preset, seed = directory.resolve().parts[-2:]
    folder = options.runs / checkpoint.PACKAGE / "evaluated" / preset / seed
    with open_run(folder, described, type(config), options) as run:
        history = directory / "metrics.jsonl"
        if history.exists():  # the training's epochs, time and curves
            text = history.read_text(encoding="utf-8")
            files.write_text(run.directory / history.name, text)
        metrics = evaluate.evaluate(model, dataset, run, options.settings)
        pages.draw(model, dataset, run)
        page = report(metrics, run, folder, dataset.source)
    print(reports.plain_table(pages.main_table([metrics])))
    print(f"\nReport: {page}")


def _relative_to(folder):
    return lambda path: Path(os.path.relpath(path, folder)).as_posix()
