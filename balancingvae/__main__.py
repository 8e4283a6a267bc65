"""Command line: `python -m balancingvae PRESET ...` trains both stages, evaluates and reports."""

import argparse
import dataclasses
from pathlib import Path

from balancingvae import checkpoint, networks, presets
from balancingvae.paper import comparison, comparison_commands, experiments, studies
from balancingvae.tf1 import importer as tf1
from vaekit import cli, fid
from vaekit.errors import UserError
from vaekit.reporting import gallery

COMMANDS = ("train", "evaluate", "import-tf1", *studies.COMMANDS, *gallery.COMMANDS)
FIELDS = (
    "epochs", "epochs2", "batch_size", "lr", "lr_epochs", "lr2", "lr_epochs2", "network",
    "latent_dim", "base_dim", "num_scale", "second_dim", "gamma_policy", "kl_factor",
    "renormalization",
)  # fmt: skip


def main(argv=None):
    """Parse the command line and hand over."""
    argv = cli.with_default_command(argv, COMMANDS)
    arguments = _parser().parse_args(argv)
    arguments.function(arguments)


def command():
    """Entry of the console script `balancingvae`."""
    return cli.run(main)


def _train(arguments):
    options = _options(arguments)
    changes = cli.overrides(arguments, FIELDS)
    images = test_images = None
    if arguments.quick:
        changes = experiments.QUICK | experiments.QUICK_RATES | changes
        images, test_images = experiments.QUICK_IMAGES, experiments.QUICK_TEST_IMAGES
    elif arguments.scale == "small":
        changes = comparison.SCALES["small"] | changes
        images = test_images = comparison.SMALL_IMAGES
    options = dataclasses.replace(
        options,
        images=options.images or images,
        test_images=options.test_images or test_images,
    )
    for name in arguments.names:
        config = dataclasses.replace(_config(name, options), **changes, seed=arguments.seed)
        if arguments.seeds == 1:
            experiments.run_and_report(config, changes, options, arguments.report)
        else:
            _train_seeds(config, changes, options, arguments)


def _train_seeds(config, changes, options, arguments):
    comparison_commands.quiet()
    variant = comparison.Variant(f"{config.gamma_policy} gamma", {})
    seeds = range(arguments.seed, arguments.seed + arguments.seeds)
    found = comparison.run(config, [variant], seeds, changes, options, comparison_commands.say)
    more = comparison_commands.published_sections(config.dataset)
    place = Path(arguments.report or f"reports/{checkpoint.PACKAGE}/{config.name}-seeds")
    title = f"Two-stage VAE: {config.name}, {arguments.seeds} seeds"
    comparison_commands.write_comparison(found, place, title, more)


def _config(name, options):
    if not name.startswith("folder:"):
        return presets.preset(name)
    from vaekit import datasets

    return presets.preset(name, datasets.load(name, options.data_dir).image_shape)


def _evaluate(arguments):
    for directory in arguments.directories:
        experiments.evaluate_again(directory, _options(arguments))


def _import_tf1(arguments):
    out = Path(arguments.out)
    if out.exists() and any(out.iterdir()):
        raise UserError(f"{out} exists already and is not empty. Name a new folder.")
    config, model = tf1.read(arguments.prefix, arguments.dataset)
    checkpoint.save(model, out, config)
    print(f"{out}: {config}")


def _sample(model, n, seed, arguments):
    return model.generate(n, arguments.stage, not arguments.no_renormalize, seed)


def _sample_options(parser):
    parser.add_argument("--stage", type=int, choices=(1, 2), default=2, help="GEN-1 or GEN-2")
    parser.add_argument("--no-renormalize", action="store_true", help="leave latents as generated")


GALLERY = gallery.Package(
    name=checkpoint.PACKAGE,
    load=checkpoint.load,
    sample=_sample,
    test_images=experiments.test_images,
    sample_options=_sample_options,
)


def _options(arguments):
    given = vars(arguments)
    return experiments.Options(
        runs=Path(given.get("runs", "runs")),
        data_dir=arguments.data_dir,
        images=given.get("images"),
        test_images=given.get("test_images"),
        precision=given.get("precision", "auto"),
        devices=given.get("devices", 1),
        checkpoint_seconds=given.get("checkpoint_seconds", 20.0),
        progress=cli.progress(arguments),
        tensorboard=bool(given.get("tensorboard")),
        settings=fid.from_arguments(arguments, progress=cli.progress(arguments) is not False),
    )


def _parser():
    parser = argparse.ArgumentParser(prog="balancingvae", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    train = commands.add_parser("train", help="train, evaluate, report (the default)")
    train.add_argument("names", nargs="+", metavar="PRESET", help="preset or folder:PATH")
    smaller = train.add_mutually_exclusive_group()
    smaller.add_argument(
        "--quick", action="store_true", help="the whole path in minutes: few images, small network"
    )
    smaller.add_argument(
        "--scale",
        choices=comparison.SCALES,
        default="full",
        help="small: a plain network and a budget of minutes, as of the comparisons",
    )
    cli.add_seeds(train)
    train.add_argument("--test-images", type=cli.positive_integer, help="measure that many only")
    train.add_argument(
        "--devices",
        type=cli.positive_integer,
        default=1,
        metavar="N",
        help="spread each batch over N devices (default 1)",
    )
    cli.add_training_arguments(train)
    _add_model_arguments(train)
    fid.add_arguments(train)
    train.set_defaults(function=_train)
    evaluate = commands.add_parser("evaluate", help="measure a run or released checkpoint again")
    evaluate.add_argument("directories", nargs="+", metavar="DIRECTORY")
    evaluate.add_argument("--test-images", type=cli.positive_integer, help="that many only")
    cli.add_place_arguments(evaluate)
    fid.add_arguments(evaluate)
    evaluate.set_defaults(function=_evaluate)
    tf1_parser = commands.add_parser("import-tf1", help="a TensorFlow 1 checkpoint as a run folder")
    tf1_parser.add_argument("prefix", help="path without .index, such as .../stage2")
    tf1_parser.add_argument("out", help="new folder")
    tf1_parser.add_argument("--dataset", help="what it was trained on (default: by image size)")
    tf1_parser.set_defaults(function=_import_tf1)
    studies.add_commands(commands)
    gallery.add_commands(commands, GALLERY)
    return parser


def _add_model_arguments(parser):
    group = parser.add_argument_group("model, instead of the preset's")
    group.add_argument("--epochs2", type=cli.positive_integer, help="epochs of the second stage")
    group.add_argument("--lr2", type=cli.positive_number, help="learning rate of the second stage")
    group.add_argument(
        "--lr-epochs", type=cli.positive_integer, help="halve the learning rate every so many"
    )
    group.add_argument("--lr-epochs2", type=cli.positive_integer, help="second stage: the same")
    for name in ("--latent-dim", "--base-dim", "--num-scale", "--second-dim"):
        group.add_argument(name, type=cli.positive_integer)
    group.add_argument("--network", choices=tuple(networks.NETWORKS))
    group.add_argument("--gamma-policy", choices=presets.GAMMA_POLICIES)
    group.add_argument("--kl-factor", type=cli.positive_number, help="weight k of the KL")
    group.add_argument("--renormalization", choices=presets.RENORMALIZATIONS)


if __name__ == "__main__":
    raise SystemExit(command())
