"""Commands that train variants of one preset at equal budget and put them side by side."""

import logging
import sys
from pathlib import Path

from balancingvae import networks, presets
from balancingvae.baselines import rae
from balancingvae.baselines import study as baselines
from balancingvae.paper import comparison, experiments, published, variance_study
from vaekit import cli, fid
from vaekit.errors import UserError
from vaekit.reporting import reports
from vaekit.runs import cost

COMMANDS = ("policies", "baselines", "tables")


def add_commands(commands):
    """Add the comparisons to the subparsers of the command line."""
    _add_policies(commands)
    _add_baselines(commands)
    _add_tables(commands)


def _add_policies(commands):
    parser = commands.add_parser(
        "policies",
        help="every rule for gamma at equal budget",
        description="Trains a preset with each rule for gamma and compares mse, KL, gamma, "
        "inactive latents, variance law and distances.",
    )
    add_comparison_arguments(parser)
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


def _add_gammas(parser):
    parser.add_argument(
        "--gammas",
        nargs="+",
        type=cli.positive_number,
        default=(1.0,),
        help="numbers of the fixed policy (default 1)",
    )


def _policies(arguments):
    variants = comparison.policies(arguments.gammas, arguments.kl_factors, arguments.cross_entropy)
    run_comparison(arguments, variants, "Rules for gamma", "policies")


def _add_baselines(commands):
    parser = commands.add_parser(
        "baselines",
        help="RAEs, densities on latents, one stage",
        description="Deterministic autoencoders and VAEs at equal budget, with a Gaussian and a "
        "mixture of ten fitted to their latents.",
    )
    add_comparison_arguments(parser)
    parser.add_argument("--kinds", nargs="+", choices=rae.KINDS, default=tuple(rae.KINDS))
    parser.add_argument(
        "--networks",
        nargs="+",
        choices=tuple(networks.NETWORKS),
        default=("rae", "resnet"),
        help="of the autoencoders (default: their own and the ResNet)",
    )
    for name in ("--latent-weight", "--penalty-weight"):
        parser.add_argument(name, type=float, help="(default: the published code's)")
    parser.add_argument(
        "--policies",
        nargs="+",
        choices=presets.GAMMA_POLICIES,
        default=("computed", "learned"),
        help="rules for gamma of the VAEs (default: computed learned)",
    )
    _add_gammas(parser)
    parser.set_defaults(function=_baselines)


def _baselines(arguments):
    quiet()
    weights = (arguments.latent_weight, arguments.penalty_weight)
    autoencoders = [
        baselines.Autoencoder(kind, network, *weights)
        for network in arguments.networks
        for kind in arguments.kinds
    ]
    variants = [
        variant
        for variant in comparison.policies(arguments.gammas)
        if variant.changes["gamma_policy"] in arguments.policies
    ]
    preset, options = preset_named(arguments), comparison_options(arguments)
    shared, seeds = shared_changes(arguments), range(arguments.seeds)
    tell = (lambda line: None) if arguments.quiet else say
    found = baselines.run_all(preset, autoencoders, variants, seeds, shared, options, tell)
    parts = baselines.sections(found, [budget(found)], published.RAE.get(preset.dataset, ()))
    place = Path(arguments.report or f"reports/baselines/{preset.name}")
    page = reports.write_report(place, f"Baselines: {preset.name}", parts)
    for table in parts[0].tables:
        print(reports.plain_table(table) + "\n")
    print(f"Report: {page} (and report.md, report.json beside it)")


def _add_tables(commands):
    parser = commands.add_parser(
        "tables",
        help="the papers' tables: learning rates (cifar10), models 1 to 4 (celeba)",
        description="Trains what the papers' tables compare, published figures beside measured "
        "ones: the learning-rate sweep and learned gamma on CIFAR-10, models 1 to 4 with computed "
        "and learned gamma on CelebA.",
    )
    add_comparison_arguments(parser)
    parser.set_defaults(function=_tables)


def _tables(arguments):
    if arguments.name not in ("cifar10", "celeba"):
        raise UserError(f"The papers have tables of cifar10 and celeba; {arguments.name} came.")
    preset, shared = preset_named(arguments), shared_changes(arguments)
    if arguments.name == "cifar10":
        variants = comparison.learning_rates(shared.get("lr", preset.lr))
    else:
        variants = comparison.celeba_models(preset, shared)
    run_comparison(arguments, variants, "Tables", "tables", published_sections(arguments.name))


def published_sections(dataset):
    """What the papers' tables print for a dataset; [] for one that they do not have."""
    if dataset not in published.FID:
        return []
    columns = ["published FID", "REC", "GEN-1", "GEN-2"]
    tables = [reports.Table(columns, [list(row) for row in published.FID[dataset]])]
    rates = [list(row) for row in published.LEARNING_RATES.get(dataset, ())]
    if rates:
        names = ["published, by learning rate", "inactive", "REC", "GEN-1", "GEN-2", "mse"]
        tables.append(reports.Table(names, rates))
    rae_columns = ["published FID of RAEs", "REC", "one Gaussian", "mixture of ten"]
    tables.append(reports.Table(rae_columns, [list(row) for row in published.RAE[dataset]]))
    text = [f"{published.PAPER}; {published.BALANCING}; {published.GHOSH}. Full trainings."]
    return [reports.Section("Published figures", text=text, tables=tables)]


def quiet():
    """Silence TensorFlow's warnings of new traces."""
    # Many models in one process is what a study is; TensorFlow warns of every new trace.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)


def add_comparison_arguments(parser):
    """Options of every command that trains variants of one preset at equal budget."""
    parser.add_argument(
        "name", metavar="PRESET", nargs="?", default="cifar10", help="preset (default cifar10)"
    )
    parser.add_argument("--seeds", type=cli.positive_integer, default=1, help="trainings of each")
    parser.add_argument(
        "--scale",
        choices=comparison.SCALES,
        default="full",
        help="small: a network and a budget for two CPU cores",
    )
    for name in ("--epochs", "--epochs2", "--images", "--test-images"):
        parser.add_argument(name, type=cli.positive_integer)
    parser.add_argument("--precision", choices=("auto", "float32", "bfloat16"), default="auto")
    parser.add_argument("--quiet", action="store_true", help="no progress")
    cli.add_place_arguments(parser)
    fid.add_arguments(parser)


def run_comparison(arguments, variants, title, folder, more=()):
    """Train the variants, write the report, print its main table and the claims.

    Args:
        more: sections that follow.
    """
    quiet()
    preset, options = preset_named(arguments), comparison_options(arguments)
    shared = shared_changes(arguments)
    tell = (lambda line: None) if arguments.quiet else say
    found = comparison.run(preset, variants, range(arguments.seeds), shared, options, tell)
    place = Path(arguments.report or f"reports/{folder}/{preset.name}")
    write_comparison(found, place, f"{title}: {preset.name}", more)


def write_comparison(found, place, title, more=()):
    """Write the report of `comparison.run`'s results; print its main tables and the claims.

    Args:
        place: folder of the report.
        more: sections that follow.
    """
    parts = comparison.sections(found, place, title.split(":")[0], [budget(found)])
    page = reports.write_report(place, title, [*parts, *more])
    for section in (parts[0], parts[-1]):
        for table in section.tables:
            print(reports.plain_table(table) + "\n")
    print(f"Report: {page} (and report.md, report.json beside it)")


def preset_named(arguments):
    """The `Config` that a command line names."""
    return variance_study.preset_of(arguments.name, arguments.data_dir)


def budget(found):
    """What was trained and measured, in words.

    Args:
        found: dict of row name -> list of (metrics, run), two-stage VAEs first.
    """
    metrics = next(iter(found.values()))[0][0]
    config, epochs = metrics["config"], metrics["epochs"]
    made = [(run.hardware, run.seconds) for results in found.values() for _, run in results]
    return (
        f"{config['dataset']}: {metrics['training_images']:,} training images, "
        f"{epochs['stage_one']} + {epochs['stage_two']} epochs of batches of "
        f"{config['batch_size']}, {config['network']} with base_dim {config['base_dim']}, "
        f"{config['latent_dim']} latents, second stage {config['second_dim']} wide; measured on "
        f"{metrics['test_images']:,} test images. {cost(made)}"
    )


def shared_changes(arguments):
    """The scale's settings, and those the user gave instead."""
    return comparison.SCALES[arguments.scale] | cli.overrides(arguments, ("epochs", "epochs2"))


def comparison_options(arguments):
    """`experiments.Options` of a comparison; the small scale takes few images unless told."""
    few = comparison.SMALL_IMAGES if arguments.scale == "small" else None
    return experiments.Options(
        runs=Path(arguments.runs),
        data_dir=arguments.data_dir,
        images=arguments.images or few,
        test_images=arguments.test_images or few,
        precision=arguments.precision,
        progress=False,
        settings=fid.from_arguments(arguments),
    )


def say(line):
    """A line for the person who waits."""
    print(line, file=sys.stderr)
