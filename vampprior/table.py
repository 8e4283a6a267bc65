"""The report's Table 1, measured beside published: `python -m vampprior table`."""

import re
from pathlib import Path

import numpy as np

from vaekit import files
from vaekit.errors import UserError
from vaekit.reports import Section, Table
from vampprior import configs, published
from vampprior.evaluate import METRICS, PRIOR_NAMES

COLUMNS = [
    "prior",
    "seeds",
    "epochs",
    "S",
    "log p(x)",
    "sd over seeds",
    "published",
    "difference",
    "bits/dim",
    "published bits/dim",
]


def collect(folder):
    """The evaluations of all full runs under a folder: those of a preset without changed options,
    digits left out.

    Args:
        folder: "runs/vampprior" or "checkpoints/vampprior".
    Returns:
        dict of preset name to a list of metrics, one per seed.
    """
    found = {}
    for path in sorted(Path(folder).glob(f"*/seed*/{METRICS}")):
        name = path.parent.parent.name
        if name in configs.PRESETS and not name.startswith("digits"):
            found.setdefault(name, []).append(files.read_json(path))
    if not found:
        raise UserError(
            f"No finished evaluation of a published preset lies under {folder}. Train one, for "
            "example: python -m vampprior caltech101_silhouettes."
        )
    return found


def sections(found):
    """One section per dataset and protocol, with one row per prior and number of samples.

    Digits, which nobody published, have one protocol of their own and no section.
    """
    result = []
    for protocol in configs.PROTOCOLS:
        for dataset in configs.DATASETS:
            names = [f"{protocol}_{dataset}_{prior}" for prior in configs.PRIORS]
            rows = [row for name in names if name in found for row in _rows(protocol, found[name])]
            if rows:
                title = f"{dataset}, {protocol}: measured beside published"
                text = [f"Published: {published.source(protocol, dataset)}."]
                result.append(Section(title, text, [Table(COLUMNS, rows)]))
    return result


def _rows(protocol, runs):
    config = runs[0]["config"]
    dataset, prior = config["dataset"], config["prior"]
    reference = published.log_likelihood(protocol, dataset, prior)
    reference_bits = published.bits_per_dimension(protocol, dataset, prior)
    rows = []
    for samples in sorted({s for m in runs for s in m["log_likelihood"]}, key=int):
        scored = [m for m in runs if samples in m["log_likelihood"]]
        means = np.array([m["log_likelihood"][samples]["mean"] for m in scored])
        bits = np.mean([m["log_likelihood"][samples]["bits_per_dimension"] for m in scored])
        epochs = sorted({m["epochs"] for m in scored})
        rows.append(
            [
                PRIOR_NAMES[prior],
                ", ".join(str(m["config"]["seed"]) for m in scored),
                "-".join(str(e) for e in dict.fromkeys((epochs[0], epochs[-1]))),
                int(samples),
                f"{means.mean():.2f}",
                f"{means.std(ddof=1):.2f}" if len(means) > 1 else "",
                "" if reference is None else f"{reference:.2f}",
                "" if reference is None else f"{means.mean() - reference:+.2f}",
                f"{bits:.3f}" if config["likelihood"] == "discretized_logistic" else "",
                "" if reference_bits is None else f"{reference_bits:.2f}",
            ]
        )
    return rows


def slug(text):
    """A folder's name from a dataset's."""
    return re.sub(r"[^A-Za-z0-9_.+=-]+", "_", text).strip("_")
