"""Command line: `python -m balancingvae PRESET ...` trains both stages, evaluates and reports.

The commands of the papers' studies are in `balancingvae.paper.commands`.
"""

import argparse
import dataclasses
from pathlib import Path

from balancingvae import checkpoint, networks
from balancingvae.config import GAMMA_POLICIES, RENORMALIZATIONS
from balancingvae.paper import commands as studies
from balancingvae.paper import published, runner, tables
from balancingvae.run import (
    QUICK,
    SCALES,
    Options,
    evaluate_again,
    from_arguments,
    run_and_report,
    test_images,
)
from balancingvae.tf1 import importer as tf1
from vaekit import cli, fid
from vaekit.errors import UserError
from vaekit.reporting import gallery

COMMANDS = ("train", "evaluate", "import-tf1", *studies.COMMANDS, *gallery.COMMANDS)
# Fields of `Config` with an option of their own, in addition to those of every training.
FIELDS = {
    "epochs2": "epochs of the second stage",
    "lr2": "learning rate of the second stage",
    "lr_epochs": "halve the learning rate every so many epochs",
    "lr_epochs2": "the same for the second stage",
    "latent_dim": "latents of both stages",
    "base_dim": "width of convolutional networks",
    "num_scale": "scales of the ResNet",
    "second_dim": "width of the second stage",
    "network": "family of the first stage",
    "gamma_policy": "rule for gamma",
    "kl_factor": "weight k of the KL",
    "renormalization": "what generated latents are renormalised to",
}
CHOICES = {
    "network": networks.NETWORKS,
    "gamma_policy": GAMMA_POLICIES,
    "renormalization": RENORMALIZATIONS,
}
RATES = ("lr2", "kl_factor")  # numbers; the other fields without choices are integers


def main(argv=None):
    """Parse the command line and run the command."""
    arguments = parser().parse_args(cli.with_default_command(argv, COMMANDS))
    arguments.function(arguments)


def command():
    """Entry of the console script `balancingvae`."""
    return cli.run(main)


def parser():
    """The parser of all commands; `function` in its result runs the chosen command."""
    whole = argparse.ArgumentParser(prog="balancingvae", description=__doc__)
    commands = whole.add_subparsers(dest="command", required=True)
    _add_train(commands)
    _add_evaluate(commands)
    _add_import(commands)
    studies.add_commands(commands)
    gallery.add_commands(commands, GALLERY)
    return whole


def _add_train(commands):
    train = commands.add_parser("train", help="train, evaluate, report (the default)")
    train.add_argument("names", nargs="+", metavar="PRESET", help="preset or folder:PATH")
    smaller = train.add_mutually_exclusive_group()
    smaller.add_argument(
        "--quick", action="store_true", help="the whole path in minutes: few images, small network"
    )
    smaller.add_argument(
        "--scale",
        choices=SCALES,
        default="full",
        help="small: the plain network and the budget of minutes that the comparisons use",
    )
    cli.add_seeds(train)
    train.add_argument("--test-images", type=cli.positive_integer, help="measure that many only")
    devices = Options.devices
    train.add_argument(
        "--devices",
        type=cli.positive_integer,
        default=devices,
        metavar="N",
        help=f"spread each batch over N devices (default {devices})",
    )
    cli.add_training_arguments(train)
    group = train.add_argument_group("model, instead of the preset's")
    for name, text in FIELDS.items():
        kind = {"choices": CHOICES[name]} if name in CHOICES else {"type": cli.positive_integer}
        if name in RATES:
            kind = {"type": cli.positive_number}
        group.add_argument(f"--{name.replace('_', '-')}", help=text, **kind)
    fid.add_arguments(train)
    train.set_defaults(function=_train)


def _train(arguments):
    budget = QUICK if arguments.quick else SCALES[arguments.scale]
    options = budget.limit(from_arguments(arguments))
    given = cli.overrides(arguments, ("epochs", "batch_size", "lr", *FIELDS))
    changes = budget.changes | given
    for name in arguments.names:
        preset = runner.preset_named(name, options.data_dir)
        if arguments.seeds == 1:
            config = dataclasses.replace(preset, **changes, seed=arguments.seed)
            run_and_report(config, changes, options, arguments.report)
            continue
        seeds = range(arguments.seed, arguments.seed + arguments.seeds)
        comparison = runner.Comparison(preset, changes, seeds, options, say=runner.say)
        folder = Path(arguments.report or f"reports/{checkpoint.PACKAGE}/{preset.name}-seeds")
        tables.write_seeds(comparison, folder, published.sections(preset.dataset))


def _add_evaluate(commands):
    evaluate = commands.add_parser("evaluate", help="measure a run or released checkpoint again")
    evaluate.add_argument("directories", nargs="+", metavar="DIRECTORY")
    evaluate.add_argument("--test-images", type=cli.positive_integer, help="that many only")
    cli.add_place_arguments(evaluate)
    fid.add_arguments(evaluate)
    evaluate.set_defaults(function=_evaluate)


def _evaluate(arguments):
    for directory in arguments.directories:
        evaluate_again(directory, from_arguments(arguments))


def _add_import(commands):
    imported = commands.add_parser("import-tf1", help="a TensorFlow 1 checkpoint as a run folder")
    imported.add_argument("prefix", help="path without .index, such as .../stage2")
    imported.add_argument("out", help="new folder")
    imported.add_argument("--dataset", help="what it was trained on (default: by image size)")
    imported.set_defaults(function=_import_tf1)


def _import_tf1(arguments):
    out = Path(arguments.out)
    if out.exists() and any(out.iterdir()):
        raise UserError(f"{out} exists and is not empty. Name a new folder.")
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
    read_config=checkpoint.read_config,
    sample=_sample,
    test_images=test_images,
    sample_options=_sample_options,
)
