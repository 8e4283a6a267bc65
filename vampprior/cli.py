"""Command line: `python -m vampprior PRESET ...` trains, evaluates and reports.

The name of a dataset selects its four presets, one per prior: `python -m vampprior frey_faces
--protocol tomczak`.
"""

import argparse

from vaekit import cli
from vaekit.reporting import gallery
from vampprior import checkpoint, commands, presets, run
from vampprior.config import PRIORS, PSEUDO_INPUT_STARTS
from vampprior.model import VAE
from vampprior.paper.k_figure import KS

COMMANDS = ("train", "k", "table", "score", "evaluate", *gallery.COMMANDS)
GALLERY = gallery.Package(
    name=checkpoint.PACKAGE,
    load=VAE.from_run,
    read_config=checkpoint.read_config,
    sample=lambda model, n, seed, arguments: model.sample(n, seed),
    test_images=run.test_images,
)


def main(argv=None):
    """Parse the command line and run the command."""
    arguments = _parser().parse_args(cli.with_default_command(argv, COMMANDS))
    arguments.function(arguments)


def command():
    """Entry of the console script `vampprior`."""
    return cli.run(main)


def _parser():
    parser = argparse.ArgumentParser(prog="vampprior", description=__doc__)
    subparsers = parser.add_subparsers(dest="command", required=True)
    train = subparsers.add_parser("train", help="train, evaluate, report (the default)")
    train.add_argument("names", nargs="+", metavar="PRESET", help="preset, dataset or folder:PATH")
    train.add_argument(
        "--protocol",
        choices=presets.PROTOCOLS,
        default="report",
        help="presets that a dataset's name selects: KTH report, or Tomczak & Welling",
    )
    train.add_argument("--priors", nargs="+", choices=PRIORS, help="only these of a dataset")
    train.add_argument(
        "--continue-from",
        nargs="+",
        metavar="RUN",
        help="start from these finished runs of fewer epochs, without early stopping",
    )
    cli.add_seeds(train)
    _add_model_arguments(train)
    train.set_defaults(function=commands.train)
    k = subparsers.add_parser("k", help="log-likelihood against the number of pseudo-inputs")
    k.add_argument("--preset", default="report_static_mnist_vampprior")
    k.add_argument("--ks", nargs="+", type=cli.positive_integer, default=list(KS))
    _add_model_arguments(k)
    k.set_defaults(function=commands.k)
    table = subparsers.add_parser(
        "table", help="Table 1 from finished runs, with published figures"
    )
    table.add_argument("folder", nargs="?", default="runs/vampprior")
    table.add_argument("--report", help="folder of the report")
    table.set_defaults(function=commands.write_table)
    score = subparsers.add_parser(
        "score", aliases=["evaluate"], help="compute log p(x) of a run or released checkpoint again"
    )
    score.add_argument("directories", nargs="+", metavar="DIRECTORY")
    _add_score_arguments(score)
    score.add_argument("--data-dir", help="datasets (default: $VAE_DATA_DIR, else ./data)")
    score.set_defaults(function=commands.score)
    gallery.add_commands(subparsers, GALLERY)
    return parser


def _add_model_arguments(parser):
    cli.add_training_arguments(parser)
    model = parser.add_argument_group("model, instead of the preset's")
    model.add_argument("--latent-dim", type=cli.positive_integer)
    model.add_argument("--num-pseudo-inputs", "-K", type=cli.positive_integer)
    model.add_argument("--pseudo-input-start", choices=PSEUDO_INPUT_STARTS)
    model.add_argument("--pseudo-input-mean", type=float)
    model.add_argument("--pseudo-input-std", type=float)
    model.add_argument(
        "--min-probability", type=float, help="clip Bernoulli pixels to [P, 1 - P]; 0 clips nothing"
    )
    model.add_argument(
        "--min-log-scale", type=float, help="smallest log-scale of grey pixels' logistic (-4.5)"
    )
    model.add_argument("--adam-epsilon", type=float, help="Tomczak & Welling's is 1e-8")
    model.add_argument("--warmup-epochs", type=int)
    model.add_argument("--patience", type=int, help="early stopping; 0 trains all epochs")
    _add_score_arguments(parser)


def _add_score_arguments(parser):
    group = parser.add_argument_group("evaluation")
    group.add_argument(
        "--samples",
        nargs="+",
        type=cli.positive_integer,
        metavar="S",
        help="importance samples; several give several estimates (default: 500, tomczak 5000)",
    )
    group.add_argument("--test-images", type=cli.positive_integer, help="score only this many")
    group.add_argument(
        "--memory-mib",
        type=cli.positive_number,
        default=64,
        help="memory for the log-likelihood's activations (default 64)",
    )
