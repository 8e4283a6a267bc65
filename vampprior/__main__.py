"""Command line: `python -m vampprior PRESET ...` trains, evaluates and reports.

A dataset's name stands for its four presets, one per prior: `python -m vampprior frey_faces
--protocol tomczak`.
"""

import argparse
import dataclasses
from pathlib import Path

from vaekit import cli
from vaekit.errors import UserError
from vaekit.reporting import gallery
from vampprior import checkpoint, presets
from vampprior.paper import experiments

COMMANDS = ("train", "k", "table", "score", "evaluate", *gallery.COMMANDS)
GALLERY = gallery.Package(
    name=checkpoint.PACKAGE,
    load=checkpoint.load,
    sample=lambda model, n, seed, arguments: model.sample(n, seed),
    test_images=experiments.test_images,
)
FIELDS = (
    "epochs", "batch_size", "lr", "latent_dim", "num_pseudo_inputs", "pseudo_input_start",
    "pseudo_input_mean", "pseudo_input_std", "min_probability", "warmup_epochs", "patience",
    "adam_epsilon", "min_log_scale",
)  # fmt: skip


def main(argv=None):
    """Parse the command line and hand over."""
    argv = cli.with_default_command(argv, COMMANDS)
    arguments = _parser().parse_args(argv)
    arguments.function(arguments)


def command():
    """Entry of the console script `vampprior`."""
    return cli.run(main)


def _train(arguments):
    changes = _changes(arguments)
    chosen = _configurations(arguments, changes)
    rows = {}
    for config in chosen:
        rows.setdefault(config.dataset, []).append(config)
    if arguments.report and len(rows) > 1:
        raise UserError("--report takes presets of one dataset only; several datasets came.")
    for row in rows.values():
        samples = arguments.samples or sorted({presets.default_samples(c) for c in row})
        options = _options(arguments, samples)
        experiments.run_row(row, changes, options, arguments.report)


def _configurations(arguments, changes):
    """Each name with each seed; a dataset's name becomes its row of priors."""
    chosen = []
    for name in arguments.names:
        if name in presets.DATASETS or name.startswith("folder:"):
            shape = None
            if name.startswith("folder:"):
                shape = experiments.load(name, _options(arguments, ())).image_shape
            row = presets.row(name, arguments.protocol, shape)
            priors = arguments.priors or presets.PRIORS
            chosen += [config for config in row if config.prior in priors]
        else:
            chosen.append(presets.preset(name))
    seeds = range(arguments.seed, arguments.seed + arguments.seeds)
    return [
        dataclasses.replace(config, **changes, seed=seed) for config in chosen for seed in seeds
    ]


def _k(arguments):
    changes = {"epochs": 100} | _changes(arguments)
    base = dataclasses.replace(presets.preset(arguments.preset), **changes, seed=arguments.seed)
    options = _options(arguments, arguments.samples or (500,))
    report = arguments.report or Path("reports") / "vampprior_k"
    experiments.k_sweep(base, changes, arguments.ks, options, report)


def _table(arguments):
    experiments.write_table(arguments.folder, arguments.report or "reports/vampprior_table1")


def _score(arguments):
    for directory in arguments.directories:
        print(directory)
        experiments.score_again(directory, _options(arguments, arguments.samples or ()))


def _changes(arguments):
    if arguments.precision == "bfloat16":
        raise UserError(
            "--precision bfloat16 came; these networks compute in float32 only (auto, float32)."
        )
    return cli.overrides(arguments, FIELDS)


def _options(arguments, samples):
    given = vars(arguments)
    return experiments.Options(
        runs=Path(given.get("runs", "runs")),
        samples=tuple(samples),
        data_dir=arguments.data_dir,
        images=given.get("images"),
        test_images=given.get("test_images"),
        memory_mib=arguments.memory_mib,
        checkpoint_seconds=given.get("checkpoint_seconds", 20.0),
        progress=cli.progress(arguments),
        tensorboard=bool(given.get("tensorboard")),
        continue_from=tuple(given.get("continue_from") or ()),
    )


def _parser():
    parser = argparse.ArgumentParser(prog="vampprior", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    train = commands.add_parser("train", help="train, evaluate, report (the default)")
    train.add_argument("names", nargs="+", metavar="PRESET", help="preset, dataset or folder:PATH")
    train.add_argument(
        "--protocol",
        choices=presets.PROTOCOLS,
        default="report",
        help="presets that a dataset's name stands for: KTH report, or Tomczak & Welling",
    )
    train.add_argument(
        "--priors", nargs="+", choices=presets.PRIORS, help="only these of a dataset"
    )
    train.add_argument(
        "--continue-from",
        nargs="+",
        metavar="RUN",
        help="begin at the end of these finished runs of fewer epochs, without early stopping",
    )
    cli.add_seeds(train)
    _add_model_arguments(train)
    train.set_defaults(function=_train)
    k = commands.add_parser("k", help="log-likelihood against the number of pseudo-inputs")
    k.add_argument("--preset", default="report_static_mnist_vampprior")
    k.add_argument("--ks", nargs="+", type=cli.positive_integer, default=list(experiments.KS))
    _add_model_arguments(k)
    k.set_defaults(function=_k)
    table = commands.add_parser("table", help="Table 1 from finished runs, beside the published")
    table.add_argument("folder", nargs="?", default="runs/vampprior")
    table.add_argument("--report", help="folder of the report")
    table.set_defaults(function=_table)
    score = commands.add_parser(
        "score", aliases=["evaluate"], help="log p(x) of a run or released checkpoint, again"
    )
    score.add_argument("directories", nargs="+", metavar="DIRECTORY")
    _add_score_arguments(score)
    score.add_argument("--data-dir", help="datasets (default: $VAE_DATA_DIR, else ./data)")
    score.set_defaults(function=_score)
    gallery.add_commands(commands, GALLERY)
    return parser


def _add_model_arguments(parser):
    cli.add_training_arguments(parser)
    model = parser.add_argument_group("model, instead of the preset's")
    model.add_argument("--latent-dim", type=cli.positive_integer)
    model.add_argument("--num-pseudo-inputs", "-K", type=cli.positive_integer)
    model.add_argument("--pseudo-input-start", choices=presets.PSEUDO_INPUT_STARTS)
    model.add_argument("--pseudo-input-mean", type=float)
    model.add_argument("--pseudo-input-std", type=float)
    model.add_argument(
        "--min-probability", type=float, help="clip Bernoulli pixels to [P, 1 - P]; 0 for never"
    )
    model.add_argument(
        "--min-log-scale", type=float, help="least log-scale of grey pixels' logistic (-4.5)"
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
    group.add_argument("--test-images", type=cli.positive_integer, help="score that many only")
    group.add_argument(
        "--memory-mib",
        type=cli.positive_number,
        default=64,
        help="memory for the log-likelihood's activations (default 64)",
    )


if __name__ == "__main__":
    raise SystemExit(command())
