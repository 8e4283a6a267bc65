"""Evaluated runs of published presets, grouped as the tables show them."""

import dataclasses
import re
from pathlib import Path

from vaekit import files
from vaekit.configs import config_from_dict
from vaekit.errors import UserError
from vampprior import evaluate, presets
from vampprior.config import PRIORS, Config

VARIED = {"epochs", "min_log_scale"}


@dataclasses.dataclass(frozen=True)
class Scored:
    """One evaluated run: the contents of its evaluation.json, and its folder."""

    metrics: dict
    directory: Path

    @property
    def config(self):
        """The run's `config.Config`."""
        return config_from_dict("vampprior", Config, self.metrics["config"])

    def mean(self, samples):
        """Mean log p(x) over test images with `samples` importance samples, in nats."""
        return self.metrics["log_likelihood"][samples]["mean"]


def collect(folder):
    """The evaluated runs of published presets under a folder, without digits.

    A run counts if its settings are those of the preset, apart from the seed, the number of epochs
    and the smallest log-scale of grey pixels. Each smallest log-scale gets sections of its own.

    Args:
        folder: "runs/vampprior" or "checkpoints/vampprior".
    Returns:
        list of `Scored`.
    """
    found = []
    for path in sorted(Path(folder).glob(f"*/seed*/{evaluate.METRICS}")):
        one = Scored(files.read_json(path), path.parent)
        names = [part.split("=")[0] for part in path.parent.parent.name.split("+")]
        if names[0] in presets.PRESETS and set(names[1:]) <= VARIED and _as_published(one):
            found.append(one)
    if not found:
        raise UserError(
            f"{folder} contains no evaluated run of a published preset. Train one, for example: "
            "python -m vampprior caltech101_silhouettes."
        )
    return found


def _as_published(one):
    config = one.config
    preset = presets.preset(config.name)
    varied = {name: getattr(config, name) for name in (*VARIED, "seed")}
    same = dataclasses.replace(preset, **varied)
    return config.dataset != "digits" and config == same


def parts(found):
    """Yield (protocol, dataset, groups of runs that differ only in the seed)."""
    for protocol in presets.PROTOCOLS:
        for dataset in presets.DATASETS:
            for bound in sorted({s.config.min_log_scale for s in found}):
                names = [f"{protocol}_{dataset}_{prior}" for prior in PRIORS]
                alike = [s for s in found if s.config.min_log_scale == bound]
                groups = [
                    group
                    for name in names
                    for group in _groups(s for s in alike if s.config.name == name)
                ]
                if groups:
                    yield protocol, dataset, groups


def _groups(scored):
    """Groups of runs that differ only in the seed, most epochs first."""
    by_epochs = {}
    for one in scored:
        by_epochs.setdefault(one.config.epochs, []).append(one)
    return [by_epochs[epochs] for epochs in sorted(by_epochs, reverse=True)]


def slug(text):
    """The name of a dataset as a valid name of a folder."""
    return re.sub(r"[^A-Za-z0-9_.+=-]+", "_", text).strip("_")
