"""The commands of the command line, as functions of its parsed arguments."""

import dataclasses
from pathlib import Path

from vaekit import cli
from vaekit.errors import UserError
from vampprior import presets, run
from vampprior.config import PRIORS
from vampprior.paper import k_figure, table

FIELDS = (
    "epochs", "batch_size", "lr", "latent_dim", "num_pseudo_inputs", "pseudo_input_start",
    "pseudo_input_mean", "pseudo_input_std", "min_probability", "warmup_epochs", "patience",
    "adam_epsilon", "min_log_scale",
)  # fmt: skip


def train(arguments):
    """Train, evaluate and report every configuration that the arguments name."""
    changes = _changes(arguments)
    rows = {}
    for config in _configurations(arguments, changes):
        rows.setdefault(config.dataset, []).append(config)
    if arguments.report and len(rows) > 1:
        raise UserError(
            f"--report must be given with presets of one dataset, got {', '.join(rows)}."
        )
    for row in rows.values():
        samples = arguments.samples or sorted({presets.default_samples(c) for c in row})
        run.run_row(row, changes, options_of(arguments, samples), arguments.report)


def _configurations(arguments, changes):
    """One configuration per name and seed; a dataset's name stands for one preset per prior."""
    chosen = []
    for name in arguments.names:
        if name in presets.DATASETS or name.startswith("folder:"):
            shape = None
            if name.startswith("folder:"):
                shape = run.load(name, options_of(arguments, ())).image_shape
            row = presets.row(name, arguments.protocol, shape)
            priors = arguments.priors or PRIORS
            chosen += [config for config in row if config.prior in priors]
        else:
            chosen.append(presets.preset(name))
    seeds = range(arguments.seed, arguments.seed + arguments.seeds)
    return [
        dataclasses.replace(config, **changes, seed=seed) for config in chosen for seed in seeds
    ]


def k(arguments):
    """Measure the log-likelihood against the number of pseudo-inputs."""
    changes = {"epochs": 100} | _changes(arguments)
    base = dataclasses.replace(presets.preset(arguments.preset), **changes, seed=arguments.seed)
    options = options_of(arguments, arguments.samples or (500,))
    report = arguments.report or Path("reports") / "vampprior_k"
    k_figure.k_sweep(base, changes, arguments.ks, options, report)


def write_table(arguments):
    """Write Table 1 from finished runs."""
    table.write_table(arguments.folder, arguments.report or "reports/vampprior_table1")


def score(arguments):
    """Compute log p(x) of finished runs again."""
    for directory in arguments.directories:
        print(directory)
        run.score_again(directory, options_of(arguments, arguments.samples or ()))


def _changes(arguments):
    if arguments.precision == "bfloat16":
        raise UserError(
            "--precision must be auto or float32 for these networks, got bfloat16: they compute in "
            "float32 only."
        )
    return cli.overrides(arguments, FIELDS)


def options_of(arguments, samples):
    """The `run.Options` of parsed arguments."""
    given = vars(arguments)
    return run.Options(
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
