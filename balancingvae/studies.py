"""Commands beside training one model: the papers' studies and comparisons, each a report."""

import logging
import sys
from pathlib import Path

from balancingvae import experiments, variance_report, variance_study
from vaekit import cli, reports

COMMANDS = ("variance",)


def add_commands(commands):
    """Add the studies to the subparsers of the command line."""
    _add_variance(commands)


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
    # Many models in one process is what a study is; TensorFlow warns of every new trace.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    plan = variance_study.Plan(**lists, **{name: getattr(arguments, name) for name in numbers})
    options = _options(arguments)
    say = (lambda line: None) if arguments.quiet else _say
    rows = variance_study.run_study(plan, options, say)
    by_heart = variance_study.learned_by_heart(plan, options)
    projections = variance_study.projections(plan, options)
    folder = Path(arguments.report or "reports/variance")
    found = variance_report.sections(rows, by_heart, projections, plan, folder)
    page = reports.write_report(folder, "Variance loss", found)
    for title, *rest in variance_report.claims(rows):
        print(f"{title}: {'; '.join(rest)}")
    print(f"\nReport: {page} (and report.md, report.json beside it)")


def _options(arguments):
    return experiments.Options(
        runs=Path(arguments.runs), data_dir=arguments.data_dir, progress=cli.progress(arguments)
    )


def _say(line):
    print(line, file=sys.stderr)
