"""Commands beside training one model: the papers' studies and comparisons, each a report."""

import dataclasses
import logging
import sys
from pathlib import Path

from balancingvae import (
    ablation,
    baselines,
    checkpoint,
    comparison,
    configs,
    experiments,
    families,
    paper_figures,
    published,
    rae,
    train,
    variance_report,
    variance_study,
)
from vaekit import cli, fid, reports, shelf
from vaekit.errors import UserError
from vaekit.runs import hardware

COMMANDS = ("variance", "policies", "baselines", "renormalization", "figures")
WATCHED_EPOCHS = 50


def add_commands(commands):
    """Add the studies to the subparsers of the command line."""
    _add_variance(commands)
    _add_policies(commands)
    _add_baselines(commands)
    _add_renormalization(commands)
    _add_figures(commands)


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
    _quiet()
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


def _add_policies(commands):
    parser = commands.add_parser(
        "policies",
        help="every rule for gamma at equal budget",
        description="Trains a preset with each rule for gamma and compares mse, KL, gamma, "
        "inactive latents, variance law and distances.",
    )
    add_comparison_arguments(parser)
    parser.add_argument(
        "--gammas",
        nargs="+",
        type=cli.positive_number,
        default=(1.0,),
        help="numbers of the fixed policy (default 1)",
    )
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
        choices=("resnet", *families.FAMILIES),
        default=("rae", "resnet"),
        help="of the autoencoders (default: their own and the ResNet)",
    )
    parser.add_argument("--latent-weight", type=float, default=rae.LATENT_WEIGHT)
    parser.add_argument("--penalty-weight", type=float, default=rae.PENALTY_WEIGHT)
    parser.add_argument(
        "--policies",
        nargs="+",
        choices=configs.GAMMA_POLICIES,
        default=("computed", "learned"),
        help="rules for gamma of the VAEs (default: computed learned)",
    )
    parser.set_defaults(function=_baselines)


def _baselines(arguments):
    _quiet()
    weights = (arguments.latent_weight, arguments.penalty_weight)
    autoencoders = [
        baselines.Autoencoder(kind, network, *weights)
        for network in arguments.networks
        for kind in arguments.kinds
    ]
    variants = [
        comparison.Variant(f"2S-VAE, {policy} gamma", {"gamma_policy": policy})
        for policy in arguments.policies
    ]
    preset, options = configs.preset(arguments.name), comparison_options(arguments)
    shared, seeds = shared_changes(arguments), range(arguments.seeds)
    say = (lambda line: None) if arguments.quiet else _say
    found = baselines.run_all(preset, autoencoders, variants, seeds, shared, options, say)
    vae = next(results[0] for results in found.values() if "config" in results[0])
    parts = baselines.sections(found, [budget(vae)], published.RAE.get(preset.dataset, ()))
    place = Path(arguments.report or f"reports/baselines/{preset.name}")
    page = reports.write_report(place, f"Baselines: {preset.name}", parts)
    for table in parts[0].tables:
        print(reports.plain_table(table) + "\n")
    print(f"Report: {page} (and report.md, report.json beside it)")


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
    _quiet()
    directory = shelf.resolve(arguments.directory, checkpoint.PACKAGE)
    model = checkpoint.load(directory)
    options = experiments.Options(data_dir=arguments.data_dir, test_images=arguments.test_images)
    dataset = experiments.load(model.config, options)
    count = min(len(dataset.test), train.MEASURED_IMAGES)
    figures, pictures = ablation.ablate(model, dataset, fid.from_arguments(arguments), count)
    place = Path(arguments.report or f"reports/renormalization/{model.config.name}")
    ablation.figure_6(place / "figures", pictures)
    text = f"{directory}: {model.config.dataset}, {count:,} test and generated images of each kind."
    parts = ablation.sections(figures, place / "figures", text)
    page = reports.write_report(place, f"Renormalisation: {model.config.name}", parts)
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
    _quiet()
    changes = {"epochs": WATCHED_EPOCHS, **shared_changes(arguments)}
    config = dataclasses.replace(configs.preset(arguments.name), **changes)
    options = comparison_options(arguments)
    records = paper_figures.watch(config, changes, options)
    place = Path(arguments.report or f"reports/figures/{config.name}")
    text = (
        f"{config.dataset}, {config.network} with base_dim {config.base_dim}, {config.latent_dim} "
        f"latents, {config.epochs} epochs, {options.images or 'all'} training images; measured on "
        f"{paper_figures.WATCHED_IMAGES} test images."
    )
    parts = paper_figures.sections(records, text, place / "figures")
    if not arguments.no_faces:
        try:
            parts.append(paper_figures.faces_section(arguments.data_dir, place / "figures"))
        except UserError as error:
            print(f"No faces: {error}", file=sys.stderr)
    page = reports.write_report(place, f"Figures: {config.name}", parts)
    print(f"Report: {page} (and report.md, report.json beside it)")


def _quiet():
    # Many models in one process is what a study is; TensorFlow warns of every new trace.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)


def add_comparison_arguments(parser):
    """Options of every command that trains variants of one preset at equal budget."""
    parser.add_argument("name", metavar="PRESET", help="preset or folder:PATH")
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


def run_comparison(arguments, variants, title, folder):
    """Train the variants, write the report, print its main table and the claims."""
    _quiet()
    preset, options = configs.preset(arguments.name), comparison_options(arguments)
    shared = shared_changes(arguments)
    say = (lambda line: None) if arguments.quiet else _say
    found = comparison.run(preset, variants, range(arguments.seeds), shared, options, say)
    place = Path(arguments.report or f"reports/{folder}/{preset.name}")
    first = next(iter(found.values()))[0][0]
    parts = comparison.sections(found, place, title, [budget(first)])
    page = reports.write_report(place, f"{title}: {preset.name}", parts)
    for section in (parts[0], parts[-1]):
        for table in section.tables:
            print(reports.plain_table(table) + "\n")
    print(f"Report: {page} (and report.md, report.json beside it)")


def budget(metrics):
    """What was trained and measured, in words."""
    config, epochs = metrics["config"], metrics["epochs"]
    return (
        f"{config['dataset']}: {metrics['training_images']:,} training images, "
        f"{epochs['stage_one']} + {epochs['stage_two']} epochs of batches of "
        f"{config['batch_size']}, {config['network']} with base_dim {config['base_dim']}, "
        f"{config['latent_dim']} latents, second stage {config['second_dim']} wide; measured on "
        f"{metrics['test_images']:,} test images; {hardware()}."
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


def _options(arguments):
    return experiments.Options(
        runs=Path(arguments.runs), data_dir=arguments.data_dir, progress=cli.progress(arguments)
    )


def _say(line):
    print(line, file=sys.stderr)
