"""From a configuration to a trained and evaluated run and its report."""

import dataclasses
import sys
from pathlib import Path

from balancingvae import checkpoint, evaluate, train
from balancingvae import report as pages
from vaekit import cli, datasets, fid, files
from vaekit.images import check_images
from vaekit.release import shelf
from vaekit.reporting import reports
from vaekit.runs import open_run, run_name
from vaekit.training import backend


@dataclasses.dataclass(frozen=True)
class Budget:
    """Settings and numbers of images with which a training takes minutes on two CPU cores.

    Attributes:
        changes: fields of `Config` and their values.
        images, test_images: numbers of training and test images; None for all.
    """

    changes: dict = dataclasses.field(default_factory=dict)
    images: int | None = None
    test_images: int | None = None

    def limit(self, options):
        """`options`, with this budget's numbers of images if they give none."""
        return dataclasses.replace(
            options,
            images=options.images or self.images,
            test_images=options.test_images or self.test_images,
        )


# Both stages, evaluation and report in minutes. Small batches give gamma the hundreds of updates
# that it needs to fall from 1 to the error.
QUICK = Budget(
    {
        "base_dim": 8,
        "fc_dim": 128,
        "second_dim": 256,
        "epochs": 8,
        "epochs2": 12,
        "batch_size": 25,
        "lr": 1e-3,
        "lr_epochs": 4,
        "lr2": 1e-3,
        "lr_epochs2": 6,
    },
    images=2000,
    test_images=500,
)
# For comparisons at small scale: a plain network trains in a minute. Batches are small because a
# learned log gamma changes by about the learning rate per update at most.
SMALL = Budget(
    {
        "network": "conv",
        "base_dim": 8,
        "fc_dim": 128,
        "second_dim": 256,
        "batch_size": 20,
        "epochs": 15,
        "epochs2": 20,
        "lr": 2e-3,
        "lr_epochs": 10,
        "lr2": 2e-3,
        "lr_epochs2": 15,
    },
    images=2000,
    test_images=2000,
)
SCALES = {"full": Budget(), "small": SMALL}


@dataclasses.dataclass(frozen=True)
class Options:
    """What a command line sets in addition to the configuration.

    Attributes:
        runs: folder of the run directories.
        data_dir: folder of the datasets; None for $VAE_DATA_DIR, else ./data.
        images, test_images: how many to use, chosen with a fixed seed; None for all.
        precision: "auto", "float32" or "bfloat16".
        devices: number of devices that share each batch.
        checkpoint_seconds: shortest time between two checkpoints.
        progress: whether to show progress; "verbose" for a line per epoch.
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


def from_arguments(arguments):
    """The `Options` of a parsed command line; missing ones keep their defaults."""
    given = vars(arguments)
    names = {field.name for field in dataclasses.fields(Options)} & given.keys()
    chosen = {name: given[name] for name in names} | {"runs": Path(given["runs"])}
    progress = cli.progress(arguments)
    if "no_fid" in given:
        chosen["settings"] = fid.from_arguments(arguments, progress=progress is not False)
    return Options(**chosen, progress=progress)


def load_dataset(config, options):
    """The `vaekit.datasets.Dataset` of a configuration, with the number of images in the options.

    Its images have the dtype that models expect: bool for 0/1 pixels, uint8 for grey levels.
    """
    extra = {}
    if config.dataset == "cifar10":
        extra = {"jpeg": config.jpeg}
    if config.dataset == "celeba":
        split = "listing" if config.split == "listing" else "partition"
        extra = {"split": split, "size": config.image_shape[0]}
    found = datasets.load(config.dataset, options.data_dir, **extra)
    return train.prepare(found.take(options.images, options.test_images))


def test_images(config, data_dir=None):
    """The test images that models of a configuration are evaluated on."""
    dataset = load_dataset(config, Options(data_dir=data_dir))
    train.check_dataset(config, dataset)
    return dataset.test


def unit_images(images):
    """Images from `load_dataset` as float32 `(n, height, width, channels)` in [0, 1]."""
    return check_images(images, images.shape[1:])


def run_one(config, changes, dataset, options):
    """Train one configuration (or resume, or reuse its run), evaluate it and write its report.

    Args:
        config: a `Config`, including the changes.
        changes: dict of the changed fields, which name the run directory.
        dataset: from `load_dataset`.
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
    found = pages.sections(metrics, run, reports.relative_to(folder), source)
    title = f"Two-stage VAE on {metrics['config']['dataset']}"
    title += " (reduced budget)" if pages.reduction(metrics) else ""
    return reports.write_report(folder, title, [*found, reports.provenance([run])])


def run_and_report(config, changes, options, folder=None):
    """Call `run_one`, then print the main table and the path of the report.

    Args:
        folder: folder of the report; None for reports/balancingvae/<run name>.
    """
    dataset = load_dataset(config, options)
    metrics, run = run_one(config, changes, dataset, options)
    folder = Path(folder or Path("reports") / checkpoint.PACKAGE / run.directory.parent.name)
    _show(metrics, report(metrics, run, folder, dataset.source))


def evaluate_again(directory, options):
    """Evaluate a finished run or a released checkpoint again, and print its table."""
    directory = shelf.resolve(directory, checkpoint.PACKAGE)
    config, model = checkpoint.read_config(directory), checkpoint.load(directory)
    dataset = load_dataset(config, options)
    train.check_dataset(config, dataset)
    preset, seed = directory.resolve().parts[-2:]
    folder = options.runs / checkpoint.PACKAGE / "evaluated" / preset / seed
    with open_run(folder, checkpoint.describe(config), type(config), options) as run:
        history = directory / "metrics.jsonl"
        if history.exists():  # the training's epochs, time and curves
            text = history.read_text(encoding="utf-8")
            files.write_text(run.directory / history.name, text)
        metrics = evaluate.evaluate(model, dataset, run, options.settings)
        pages.draw(model, dataset, run)
        page = report(metrics, run, folder, dataset.source)
    _show(metrics, page)


def show_report(page, tables=()):
    """Print tables, each followed by an empty line, and the path of the report."""
    for table in tables:
        print(reports.plain_table(table) + "\n")
    print(f"Report: {page} (and report.md, report.json beside it)")


def _show(metrics, page):
    show_report(page, [pages.main_table([metrics])])
