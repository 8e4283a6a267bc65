"""The runner that all studies share: it trains variants of one preset at equal budget."""

import dataclasses
import logging
import sys
from pathlib import Path

import numpy as np

from balancingvae import presets
from balancingvae.config import Config
from balancingvae.run import Options, load_dataset, run_one
from vaekit import datasets
from vaekit.reporting.reports import show
from vaekit.runs import Run, cost


@dataclasses.dataclass(frozen=True)
class Variant:
    """One row of a comparison: its name and the settings that differ from the preset's."""

    name: str
    changes: dict


@dataclasses.dataclass
class Row:
    """What a comparison found for one variant or baseline.

    Attributes:
        name: as the tables show it.
        config: the `Config` of the first training.
        metrics: dicts as `balancingvae.evaluate.evaluate` returns them, one per seed.
        runs: the `vaekit.runs.Run` of each.
    """

    name: str
    config: Config
    metrics: list[dict] = dataclasses.field(default_factory=list)
    runs: list[Run] = dataclasses.field(default_factory=list)

    def add(self, metrics, run):
        """Add one training."""
        self.metrics.append(metrics)
        self.runs.append(run)


@dataclasses.dataclass(frozen=True)
class Comparison:
    """What the trainings of one comparison have in common.

    Attributes:
        preset: the `Config` that all start from.
        changes: settings of all trainings, such as those of the small scale; those of a variant
            take precedence.
        seeds: of the trainings of each variant.
        options: `run.Options`.
        report: folder of the report; None for `reports/<study>/<preset>`.
        say: function called with one line per training.
    """

    preset: Config
    changes: dict = dataclasses.field(default_factory=dict)
    seeds: range = range(1)
    options: Options = dataclasses.field(default_factory=Options)
    report: str | None = None
    say: object = print

    def config(self, changes=(), seed=0):
        """The `Config` of one training."""
        return dataclasses.replace(self.preset, **self.changes | dict(changes), seed=seed)

    def train(self, variants):
        """Train (or resume, or reuse) every variant with every seed.

        Args:
            variants: list of `Variant`.
        Returns:
            list of `Row`, one per variant.
        """
        rows = [Row(variant.name, self.config(variant.changes)) for variant in variants]
        # Seeds are the outer loop, so an interrupted study has compared all variants on some seeds.
        for seed in self.seeds:
            for variant, row in zip(variants, rows, strict=True):
                changes = self.changes | variant.changes
                config = self.config(variant.changes, seed)
                dataset = load_dataset(config, self.options)
                metrics, run = run_one(config, changes, dataset, self.options)
                row.add(metrics, run)
                self.say(f"{variant.name}, seed {seed}: {metrics['headline']}")
        return rows

    def folder(self, study):
        """Folder of the report of the study with this short name."""
        return Path(self.report or Path("reports") / study / self.preset.name)


def preset_named(name, data_dir=None):
    """The preset called `name`; for `folder:PATH` it has the shape of the folder's images."""
    if not name.startswith("folder:"):
        return presets.preset(name)
    return presets.preset(name, datasets.load(name, data_dir).image_shape)


def budget(rows):
    """In words: what was trained and measured, and how long the trainings took.

    Args:
        rows: list of `Row`; the first is a two-stage VAE.
    """
    metrics = rows[0].metrics[0]
    config, epochs = metrics["config"], metrics["epochs"]
    trainings = [(run.hardware, run.seconds) for row in rows for run in row.runs]
    return (
        f"{config['dataset']}: {metrics['training_images']:,} training images, "
        f"{epochs['stage_one']} + {epochs['stage_two']} epochs with batches of "
        f"{config['batch_size']}, {config['network']} with base_dim {config['base_dim']}, "
        f"{config['latent_dim']} latents, second stage with {config['second_dim']} units; measured "
        f"on {metrics['test_images']:,} test images. {cost(trainings)}"
    )


def over_seeds(values):
    """A cell of a table: the mean, with the deviation over seeds if there are several.

    Args:
        values: numbers; None for one that was not measured.
    """
    values = [value for value in values if value is not None]
    if not values:
        return None
    mean = float(np.mean(values))
    if len(values) == 1:
        return mean
    return f"{show(mean)} ± {show(float(np.std(values, ddof=1)))}"


def quiet():
    """Silence TensorFlow's warnings of new traces."""
    # A study has many models in one process, and TensorFlow warns of every new trace.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)


def say(line):
    """Print a line of progress to stderr."""
    print(line, file=sys.stderr)
