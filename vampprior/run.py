"""From configurations to trained, evaluated runs and a report."""

import dataclasses
import sys
from pathlib import Path

from vaekit import datasets, files
from vaekit.release import shelf
from vaekit.reporting import reports
from vaekit.runs import open_run, run_name
from vaekit.training import backend
from vaekit.training.continued import continue_from
from vampprior import checkpoint, evaluate, report, train
from vampprior.model import VAE
from vampprior.paper import collect, table


@dataclasses.dataclass(frozen=True)
class Options:
    """What a command line sets in addition to the configuration.

    Attributes:
        runs: folder of the run directories.
        data_dir: folder of the datasets; None for $VAE_DATA_DIR, else ./data.
        images, test_images: how many to use, chosen with a fixed seed; None for all.
        samples: numbers S of importance samples.
        memory_mib: memory for the log-likelihood's activations, in MiB.
        checkpoint_seconds: shortest time between two checkpoints.
        progress: whether to show progress; "verbose" for a line per epoch.
        tensorboard: whether training writes curves for TensorBoard.
        continue_from: folders of finished runs with fewer epochs that new runs continue.
    """

    runs: Path
    samples: tuple[int, ...]
    data_dir: str | None = None
    images: int | None = None
    test_images: int | None = None
    memory_mib: float = 64
    checkpoint_seconds: float = 20.0
    progress: bool | str = True
    tensorboard: bool = False
    continue_from: tuple[str, ...] = ()


def load(dataset, options):
    """The `vaekit.datasets.Dataset`; CIFAR-10 gets a validation part too."""
    extra = {"validation": 5000} if dataset == "cifar10" else {}
    found = datasets.load(dataset, options.data_dir, **extra)
    return found.take(options.images, options.test_images)


def test_images(config, data_dir=None):
    """The test images on which a configuration is evaluated."""
    options = Options(runs=Path("runs"), samples=(), data_dir=data_dir)
    return train.prepare(config, load(config.dataset, options)).test


def run_one(config, changes, dataset, options):
    """Train (or resume, or reuse) and evaluate one configuration.

    Args:
        config: a `Config`, including the changes.
        changes: dict of the changed fields, which name the run directory.
        dataset: result of `load`.
        options: `Options`.
    Returns:
        (metrics, run).
    """
    data = train.prepare(config, dataset)
    with _open(config, changes, dataset, data, options) as run:
        if options.progress:
            print(f"{config.name}, seed {config.seed}: {run.directory}", file=sys.stderr)
        model = train.train(config, data, run, options.progress)
        metrics = evaluate.evaluate(
            model, data, run, options.samples, options.memory_mib, options.progress
        )
        report.draw(model, data, run.figures)
        title = f"{config.name}, seed {config.seed}"
        _report([metrics], [run], run.directory, title, dataset.source)
    return metrics, run


def _open(config, changes, dataset, data, options):
    changes = {key: value for key, value in changes.items() if key != "seed"}
    if options.images is not None:
        changes["images"] = options.images
    directory = options.runs / "vampprior" / run_name(config.name, changes) / f"seed{config.seed}"
    description = checkpoint.describe(
        config, data_fingerprint=dataset.fingerprint, training_images=len(data.train)
    )
    return open_run(directory, description, type(config), options)


def run_row(configurations, changes, options, folder=None):
    """Train and evaluate several configurations of one dataset, and write one report on them.

    Args:
        configurations: list of `Config`s of the same dataset, including the changes.
        changes: dict of the changed fields.
        options: `Options`.
        folder: folder of the report; by default reports/vampprior/<dataset>.
    Returns:
        Path of the report's HTML page.
    """
    name = configurations[0].dataset
    dataset = load(name, options)
    if options.continue_from:  # for all runs, before the first one trains for hours
        for config in configurations:
            data = train.prepare(config, dataset)
            with _open(config, changes, dataset, data, options) as run:
                continue_from(run, options.continue_from, train.PHASE)
    results = [run_one(config, changes, dataset, options) for config in configurations]
    folder = Path(folder or Path("reports") / "vampprior" / collect.slug(name))
    metrics, runs = zip(*results, strict=True)
    page = _report(metrics, runs, folder, f"VampPrior VAE on {name}", dataset.source)
    print(reports.plain_table(report.metrics_table(metrics)))
    for section in table.sections(_scored(metrics, runs)):
        print("\n" + reports.plain_section(section))
    print(f"\nReport: {page} (and report.md, report.json beside it)")
    return page


def _report(metrics, runs, folder, title, source):
    relative = reports.relative_to(folder)
    sections = report.sections(metrics, runs, Path(folder) / "figures", relative)
    sections[0].text.append(f"Data: {source}.")
    compared = table.sections(_scored(metrics, runs))
    return reports.write_report(folder, title, [*sections, *compared, reports.provenance(runs)])


def _scored(metrics, runs):
    return [collect.Scored(m, run.directory) for m, run in zip(metrics, runs, strict=True)]


def score_again(directory, options):
    """Evaluate a finished run or released checkpoint again, and compare with recorded figures.

    Returns:
        dict of number of samples to (recorded mean, recomputed mean).
    """
    directory = shelf.resolve(directory, checkpoint.PACKAGE)
    backend.full_precision_products()
    model, config = VAE.from_run(directory), checkpoint.read_config(directory)
    recorded = files.read_json(directory / evaluate.METRICS)["log_likelihood"]
    data = train.prepare(config, load(config.dataset, options))
    compared = {}
    for samples in options.samples or sorted(map(int, recorded)):
        values = model.log_likelihood(
            data.test, samples, evaluate.SEED, options.memory_mib, options.progress
        )
        mean, error = evaluate.mean_and_standard_error(values)
        known = recorded.get(str(samples), {}).get("mean")
        compared[samples] = (known, mean)
        told = "not recorded" if known is None else f"recorded {known:.4f}"
        print(f"log p(x), S={samples}: {mean:.4f} +- {error:.4f} ({told})")
    return compared
