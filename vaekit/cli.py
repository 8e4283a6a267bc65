"""Shared parts of the command lines: options of a training, and errors without a stack trace."""

import argparse
import os
import sys

from vaekit.errors import UserError

DATA_DIR_HELP = "datasets (default: $VAE_DATA_DIR, else ./data)"


def run(main, argv=None):
    """Call `main(argv)` and return the exit status; a UserError becomes one line and status 1."""
    try:
        main(argv)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped; the same command resumes from the last checkpoint", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def with_default_command(argv, commands, default="train"):
    """Arguments that begin with a command; `default` is inserted before the name of a preset."""
    argv = list(sys.argv[1:] if argv is None else argv)
    if argv and (argv[0] in commands or argv[0] in ("-h", "--help")):
        return argv
    return [default, *argv] if argv else ["--help"]


def add_training_arguments(parser):
    """Add the options of every training; None means the value of the preset."""
    group = parser.add_argument_group("training")
    group.add_argument("--epochs", type=positive_integer, help="epochs (default: the preset's)")
    group.add_argument("--batch-size", type=positive_integer, help="images per batch")
    group.add_argument("--lr", type=positive_number, help="initial learning rate")
    group.add_argument("--seed", type=seed, default=0, help="random seed (default 0)")
    group.add_argument(
        "--images", type=positive_integer, help="train on this many images, chosen by the seed"
    )
    group.add_argument("--precision", choices=["auto", "float32", "bfloat16"], default="auto")
    group.add_argument(
        "--checkpoint-seconds",
        type=float,
        default=20.0,
        help="shortest time between two checkpoints (default 20)",
    )
    shown = group.add_mutually_exclusive_group()
    shown.add_argument("--quiet", action="store_true", help="show no progress")
    shown.add_argument("--verbose", action="store_true", help="print a line for every epoch")
    group.add_argument(
        "--tensorboard",
        action="store_true",
        help="write curves for TensorBoard into the run's tensorboard/ folder",
    )
    add_place_arguments(parser)


def add_place_arguments(parser):
    """Add the options for folders of data, runs and reports."""
    group = parser.add_argument_group("places")
    group.add_argument("--data-dir", help=DATA_DIR_HELP)
    group.add_argument("--runs", default="runs", help="run directories (default: ./runs)")
    group.add_argument("--report", help="folder of one combined report of all runs of this command")


def progress(arguments):
    """The `progress` of `training.fit` for --quiet and --verbose: False, "verbose", or True."""
    given = vars(arguments)
    return "verbose" if given.get("verbose") else not given.get("quiet")


def overrides(arguments, names):
    """The named options that were passed, as a dict of fields of the configuration."""
    given = {name: getattr(arguments, name) for name in names}
    return {name: value for name, value in given.items() if value is not None}


def add_seeds(parser):
    """Add `--seeds N` to a command that trains a configuration several times."""
    parser.add_argument(
        "--seeds",
        type=positive_integer,
        default=1,
        metavar="N",
        help="train N times, with consecutive seeds from --seed on (default 1)",
    )


def positive_integer(text):
    """argparse type: an integer of at least 1."""
    return _parsed(text, int, lambda value: value >= 1, "a positive integer")


def seed(text):
    """argparse type: an integer of at least 0."""
    return _parsed(text, int, lambda value: value >= 0, "a non-negative integer")


def positive_number(text):
    """argparse type: a finite number above 0."""
    return _parsed(text, float, lambda value: 0 < value < float("inf"), "a positive number")


def _parsed(text, convert, accepts, kind):
    try:
        value = convert(text)
    except ValueError:
        value = None
    if value is None or not accepts(value):
        raise argparse.ArgumentTypeError(f"must be {kind}, got {text!r}")
    return value
