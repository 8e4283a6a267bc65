"""The commands that reproduce the papers' tables and figures, each with a report."""

import dataclasses
import sys
from pathlib import Path

from balancingvae import networks
from balancingvae.baselines import rae
from balancingvae.config import GAMMA_POLICIES
from balancingvae.paper import (
    baselines_table,
    celeba_models,
    faces_figure3,
    gamma_rules,
    latents_figures,
    learned_by_heart,
    learning_rates,
    pca_theorem,
    renormalization_table,
    runner,
    smoothing_figure3,
    tables,
    variance_figure4,
    variance_losses,
)
from balancingvae.run import SCALES, from_arguments, show_report
from vaekit import cli, fid
from vaekit.errors import UserError
from vaekit.reporting import reports

COMMANDS = ("variance", "renormalization", "figures", "policies", "baselines", "tables")
# Studies of the papers' tables, by the preset from which they start.
TABLES = {"cifar10": learning_rates.study, "celeba": celeba_models.study}


def add_commands(commands):
    """Add `COMMANDS` to a command line.

    Args:
        commands: result of `add_subparsers`; each parser sets `function`, which runs the command
            with the parsed arguments.
    """
    _add_variance(commands)
    _add_renormalization(commands)
    _add_figures(commands)
    _add_policies(commands)
    _add_baselines(commands)
    _add_tables(commands)


def _add_variance(commands):
    parser = commands.add_parser(
        "variance",
        help="variance loss: PCA theorem, smoothing, Figure 4",
        description="Variance loss against mean squared error over many small VAEs, the PCA "
        "theorem on real data, smoothing in one dimension. An interrupted study resumes.",
    )
    for field in dataclasses.fields(variance_figure4.Plan):
        several = isinstance(field.default, tuple)
        shown = " ".join(map(str, field.default)) if several else field.default
        parser.add_argument(
            f"--{field.name.replace('_', '-')}",
            nargs="+" if several else None,
            type=field.metadata["type"],
            default=field.default,
            help=f"{field.metadata['help']} (default: {shown})",
        )
    parser.add_argument("--quiet", action="store_true", help="no line per training")
    cli.add_place_arguments(parser)
    parser.set_defaults(function=_variance)


def _variance(arguments):
    runner.quiet()
    fields = dataclasses.fields(variance_figure4.Plan)
    plan = variance_figure4.Plan(**{field.name: getattr(arguments, field.name) for field in fields})
    options = plan.limit(from_arguments(arguments))
    rows = variance_figure4.train(plan, options, _say(arguments))
    by_heart = learned_by_heart.measure(options, plan.base_dim, plan.fc_dim, plan.seed)
    projections = [pca_theorem.project(name, options, plan.seed) for name in plan.datasets]
    folder = Path(arguments.report or "reports/variance")
    figures = folder / "figures"
    parts = [
        variance_losses.DEFINITIONS,
        pca_theorem.section(projections, figures),
        smoothing_figure3.section(figures),
        *variance_figure4.sections(rows, plan, figures),
        learned_by_heart.section(by_heart),
    ]
    page = reports.write_report(folder, "Variance loss", parts)
    show_report(page, [tables.claims_table(variance_figure4.claims(rows))])


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
    options = from_arguments(arguments)
    renormalization_table.study(arguments.directory, options, arguments.report)


def _add_figures(commands):
    parser = commands.add_parser(
        "figures",
        help="latents and errors during training, nearest against bilinear faces",
        description=f"Trains the first stage for {latents_figures.EPOCHS} epochs and watches mean "
        "sigma squared of every latent; resizes CelebA's faces both ways.",
    )
    _add_comparison_arguments(parser)
    parser.add_argument("--no-faces", action="store_true", help="leave CelebA out")
    parser.set_defaults(function=_figures)


def _figures(arguments):
    runner.quiet()
    comparison = _comparison(arguments)
    folder = comparison.folder("figures")
    parts = [latents_figures.study(comparison, folder / "figures")]
    if not arguments.no_faces:
        try:
            parts.append(faces_figure3.section(arguments.data_dir, folder / "figures"))
        except UserError as error:
            print(f"No faces: {error}", file=sys.stderr)
    page = reports.write_report(folder, f"Figures: {comparison.preset.name}", parts)
    show_report(page)


def _add_policies(commands):
    parser = commands.add_parser(
        "policies",
        help="every rule for gamma at equal budget",
        description="Trains a preset with each rule for gamma and compares mse, KL, gamma, "
        "inactive latents, variance law and distances.",
    )
    _add_comparison_arguments(parser)
    _add_gammas(parser)
    parser.add_argument(
        "--kl-factors",
        nargs="+",
        type=cli.positive_number,
        default=(None,),
        help="weights of the KL (default: the preset's)",
    )
    parser.add_argument("--cross-entropy", action="store_true", help="compare it, too")
    parser.set_defaults(function=_policies)


def _policies(arguments):
    comparison = _comparison(arguments)
    gamma_rules.study(comparison, arguments.gammas, arguments.kl_factors, arguments.cross_entropy)


def _add_baselines(commands):
    parser = commands.add_parser(
        "baselines",
        help="RAEs, densities on latents, one stage",
        description="Deterministic autoencoders and VAEs at equal budget, with a Gaussian and a "
        "mixture of ten fitted to their latents.",
    )
    _add_comparison_arguments(parser)
    parser.add_argument("--kinds", nargs="+", choices=rae.KINDS, default=tuple(rae.KINDS))
    parser.add_argument(
        "--networks",
        nargs="+",
        choices=networks.NETWORKS,
        default=("rae", "resnet"),
        help="of the autoencoders (default: their own and the ResNet)",
    )
    for name in ("--latent-weight", "--penalty-weight"):
        parser.add_argument(name, type=float, help="(default: the published code's)")
    parser.add_argument(
        "--policies",
        nargs="+",
        choices=GAMMA_POLICIES,
        default=("computed", "learned"),
        help="rules for gamma of the VAEs (default: computed learned)",
    )
    _add_gammas(parser)
    parser.set_defaults(function=_baselines)


def _baselines(arguments):
    weights = (arguments.latent_weight, arguments.penalty_weight)
    autoencoders = [
        baselines_table.Autoencoder(kind, network, *weights)
        for network in arguments.networks
        for kind in arguments.kinds
    ]
    rules = gamma_rules.variants(arguments.gammas)
    chosen = [rule for rule in rules if rule.changes["gamma_policy"] in arguments.policies]
    baselines_table.study(_comparison(arguments), autoencoders, chosen)


def _add_tables(commands):
    parser = commands.add_parser(
        "tables",
        help="the papers' tables: learning rates (cifar10), models 1 to 4 (celeba)",
        description="Trains what the papers' tables compare, and shows published and measured "
        "figures: the learning-rate sweep and learned gamma on CIFAR-10, models 1 to 4 with "
        "computed and learned gamma on CelebA.",
    )
    _add_comparison_arguments(parser)
    parser.set_defaults(function=_tables)


def _tables(arguments):
    if arguments.name not in TABLES:
        raise UserError(
            f"The papers have tables of {' and '.join(TABLES)}, got {arguments.name!r}."
        )
    TABLES[arguments.name](_comparison(arguments))


def _add_comparison_arguments(parser):
    """Options of every command that trains variants of one preset at equal budget."""
    parser.add_argument(
        "name", metavar="PRESET", nargs="?", default="cifar10", help="preset (default cifar10)"
    )
    parser.add_argument("--seeds", type=cli.positive_integer, default=1, help="trainings of each")
    parser.add_argument(
        "--scale",
        choices=SCALES,
        default="full",
        help="small: a network and a budget for two CPU cores",
    )
    for name in ("--epochs", "--epochs2", "--images", "--test-images"):
        parser.add_argument(name, type=cli.positive_integer)
    parser.add_argument("--precision", choices=("auto", "float32", "bfloat16"), default="auto")
    parser.add_argument("--quiet", action="store_true", help="no progress")
    cli.add_place_arguments(parser)
    fid.add_arguments(parser)


def _add_gammas(parser):
    parser.add_argument(
        "--gammas",
        nargs="+",
        type=cli.positive_number,
        default=(1.0,),
        help="numbers of the fixed policy (default 1)",
    )


def _comparison(arguments):
    """The `runner.Comparison` that the options describe."""
    budget = SCALES[arguments.scale]
    options = dataclasses.replace(from_arguments(arguments), progress=False)
    return runner.Comparison(
        preset=runner.preset_named(arguments.name, arguments.data_dir),
        changes=budget.changes | cli.overrides(arguments, ("epochs", "epochs2")),
        seeds=range(arguments.seeds),
        options=budget.limit(options),
        report=arguments.report,
        say=_say(arguments),
    )


def _say(arguments):
    """A function that prints one line per training, or nothing with --quiet."""
    return (lambda line: None) if arguments.quiet else runner.say
