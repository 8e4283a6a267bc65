"""Commands beside training one model: the papers' studies, each a report."""

import dataclasses
import sys
from pathlib import Path

from balancingvae import checkpoint, train
from balancingvae.paper import (
    ablation,
    comparison_commands,
    experiments,
    paper_figures,
    variance_report,
    variance_study,
)
from balancingvae.paper.comparison_commands import (
    add_comparison_arguments,
    comparison_options,
    preset_named,
    quiet,
    say,
    shared_changes,
)
from vaekit import cli, fid
from vaekit.errors import UserError
from vaekit.release import shelf
from vaekit.reporting import reports
from vaekit.runs import cost

COMMANDS = ("variance", "renormalization", "figures", *comparison_commands.COMMANDS)
WATCHED_EPOCHS = 50


def add_commands(commands):
    """Add the studies to the subparsers of the command line."""
    _add_variance(commands)
    _add_renormalization(commands)
    _add_figures(commands)
    comparison_commands.add_commands(commands)


def _add_variance(commands):
    defaults = variance_study.Plan()
    parser = commands.add_parser(
        "variance",
        help="variance loss: PCA theorem, smoothing, Figure 4",
        description="Variance loss against mean squared error over many small VAEs, the PCA "
        "theorem on real data, smoothing in one dimension. Goes on where it stopped.",
    )
    for name, meaning in (
        ("families", "networks"),
        ("datasets", "datasets"),
        ("latent_dims", "numbers of latents"),
        ("budgets", "epochs after which a training is measured"),
    ):
        default = getattr(defaults, name)
        kind = str if isinstance(default[0], str) else cli.positive_integer
        shown = " ".join(map(str, default))
        parser.add_argument(
            f"--{name.replace('_', '-')}",
            nargs="+",
            type=kind,
            default=default,
            help=f"{meaning} (default: {shown})",
        )
    for name in ("images", "test_images", "base_dim", "fc_dim"):
        parser.add_argument(
            f"--{name.replace('_', '-')}",
            type=cli.positive_integer,
            default=getattr(defaults, name),
            help=f"(default: {getattr(defaults, name)})",
        )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quiet", action="store_true", help="no line per training")
    cli.add_place_arguments(parser)
    parser.set_defaults(function=_variance)


def _variance(arguments):
    fields = ("families", "datasets", "latent_dims", "budgets")
    lists = {name: tuple(getattr(arguments, name)) for name in fields}
    lists["budgets"] = tuple(sorted(set(lists["budgets"])))
    numbers = ("images", "test_images", "base_dim", "fc_dim", "seed")
    quiet()
    plan = variance_study.Plan(**lists, **{name: getattr(arguments, name) for name in numbers})
    options = _options(arguments)
    tell = (lambda line: None) if arguments.quiet else say
    rows = variance_study.run_study(plan, options, tell)
    by_heart = variance_study.learned_by_heart(plan, options)
    projections = variance_study.projections(plan, options)
    folder = Path(arguments.report or "reports/variance")
    found = variance_report.sections(rows, by_heart, projections, plan, folder)
    page = reports.write_report(folder, "Variance loss", found)
    for title, *rest in variance_report.claims(rows):
        print(f"{title}: {'; '.join(rest)}")
    print(f"\nReport: {page} (and report.md, report.json beside it)")


def _add_renormalization(commands):
    parser = commands.add_parser(
        "renormalization",
        help="every reading of renormalisation on a trained run",
        description="Ablates renormalisation of latents and of images on one trained model.",
    )
    parser.add_argument("directory", metavar="DIRECTORY", help="run or released checkpoint")
    parser.add_argument("--test-images", type=cli.positive_integer, help="that many only")
    cli.add_place_arguments(parser)
    fid.add_arguments(parser)
    parser.set_defaults(function=_renormalization)


def _renormalization(arguments):
    quiet()
    directory = shelf.resolve(arguments.directory, checkpoint.PACKAGE)
    model = checkpoint.load(directory)
    options = experiments.Options(data_dir=arguments.data_dir, test_images=arguments.test_images)
    config = checkpoint.read_config(directory)
    dataset = experiments.load(config, options)
    count = min(len(dataset.test), train.MEASURED_IMAGES)
    figures, pictures = ablation.ablate(model, dataset, fid.from_arguments(arguments), count)
    place = Path(arguments.report or f"reports/renormalization/{config.name}")
    ablation.figure_6(place / "figures", pictures)
    text = f"{directory}: {config.dataset}, {count:,} test and generated images of each kind."
    parts = ablation.sections(figures, place / "figures", text)
    page = reports.write_report(place, f"Renormalisation: {config.name}", parts)
    for section in parts[:2]:
        print(reports.plain_table(section.tables[0]) + "\n")
    print(f"Report: {page} (and report.md, report.json beside it)")


def _add_figures(commands):
    parser = commands.add_parser(
        "figures",
        help="latents and errors during training, nearest against bilinear faces",
        description="Trains the first stage for 50 epochs and watches mean sigma squared of every "
        "latent; resizes CelebA's faces both ways.",
    )
    add_comparison_arguments(parser)
    parser.add_argument("--no-faces", action="store_true", help="leave CelebA out")
    parser.set_defaults(function=_figures)


def _figures(arguments):
    quiet()
    changes = {"epochs": WATCHED_EPOCHS, **shared_changes(arguments)}
    config = dataclasses.replace(preset_named(arguments), **changes)
    options = comparison_options(arguments)
    records, run = paper_figures.watch(config, changes, options)
    place = Path(arguments.report or f"reports/figures/{config.name}")
    text = (
        f"{config.dataset}, {config.network} with base_dim {config.base_dim}, {config.latent_dim} "
        f"latents, {config.epochs} epochs, {options.images or 'all'} training images; measured on "
        f"{paper_figures.WATCHED_IMAGES} test images. {cost([(run.hardware, run.seconds)])}"
    )
    parts = paper_figures.sections(records, text, place / "figures")
    if not arguments.no_faces:
        try:
            parts.append(paper_figures.faces_section(arguments.data_dir, place / "figures"))
        except UserError as error:
            print(f"No faces: {error}", file=sys.stderr)
    page = reports.write_report(place, f"Figures: {config.name}", parts)
    print(f"Report: {page} (and report.md, report.json beside it)")


def _options(arguments):
    return experiments.Options(
        runs=Path(arguments.runs), data_dir=arguments.data_dir, progress=cli.progress(arguments)
    )
