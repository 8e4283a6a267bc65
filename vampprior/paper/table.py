"""The report's Table 1, measured and published: `python -m vampprior table`."""

from pathlib import Path

import numpy as np

from vaekit import files
from vaekit.reporting import reports
from vaekit.reporting.reports import Figure, Section, Table
from vaekit.runs import ENVIRONMENT, cost, read_records
from vampprior import evaluate, presets, report
from vampprior.config import MIN_LOG_SCALE, PRIORS
from vampprior.paper import published
from vampprior.paper.collect import collect, parts, slug

COLUMNS = [
    "prior",
    "seeds",
    "epochs",
    "images",
    "S",
    "log p(x)",
    "s.e.",
    "sd over seeds",
    "published",
    "difference",
    "bits/dim",
    "published bits/dim",
    "components used",
]

BOUND_COLUMNS = [
    "prior",
    "seeds",
    "best validation ELBO",
    "at epoch",
    "after the last epoch",
    "difference",
]


def sections(found, folder=None):
    """One section per dataset (and likelihood) and protocol, one row per prior and S.

    Digits have no section: nobody published figures for them.

    Args:
        found: list of `Scored`.
        folder: folder of the report, which gets one histogram per section (KTH report, Figure 6);
            None draws none.
    """
    return [_section(*part, folder) for part in parts(found)]


def overview(found):
    """A section with one row per dataset and protocol, and a column per prior.

    Args:
        found: list of `Scored`, as from `collect`.
    """
    rows = []
    for protocol, dataset, groups in parts(found):
        samples = str(presets.SAMPLES[protocol])
        by_prior = {}
        for group in groups:
            scored = [one for one in group if samples in one.metrics["log_likelihood"]]
            if scored:
                by_prior.setdefault(group[0].config.prior, scored)  # the most epochs come first
        if not by_prior:
            continue
        scored = [one for group in by_prior.values() for one in group]
        in_bits = published.bits_per_dimension(protocol, dataset, "standard") is not None
        row = [_title(dataset, groups), protocol, "bits/dim" if in_bits else "nats", int(samples)]
        row.append(_range(sorted(len(group) for group in by_prior.values())))
        row.append(_epochs(scored[0].config, [one.metrics["epochs"] for one in scored]))
        row += [
            _cell(protocol, by_prior[prior], samples, in_bits) if prior in by_prior else ""
            for prior in PRIORS
        ]
        rows.append(row)
    columns = ["dataset", "protocol", "unit", "S", "seeds", "epochs"]
    columns += [report.PRIOR_NAMES[prior] for prior in PRIORS]
    text = [
        "Each cell shows the mean over test images and seeds ± the standard deviation over seeds, "
        "with the published figure in brackets. Protocol tomczak is that of Tomczak & Welling "
        "(2018), with early stopping; for bits per dimension lower is better. Protocol report is "
        "that of the KTH report (2021), with 1000 epochs."
    ]
    others = {one.config.min_log_scale for one in found} - {MIN_LOG_SCALE}
    if others:
        text[0] += (
            f' "Log-scale from {", ".join(f"{bound:g}" for bound in sorted(others))}" gives the '
            "smallest log-scale of the grey pixels' logistic; elsewhere it is Tomczak & Welling's "
            f"{MIN_LOG_SCALE:g} (docs/deviations.md)."
        )
    return Section("Log p(x), measured and published", text, [Table(columns, rows)])


def _cell(protocol, scored, samples, in_bits):
    config = scored[0].config
    values = np.array([one.mean(samples) for one in scored])
    theirs = published.log_likelihood(protocol, config.dataset, config.prior)
    digits = 2
    if in_bits:
        values = evaluate.bits_per_dimension(values, config.image_shape)
        theirs = published.bits_per_dimension(protocol, config.dataset, config.prior)
        digits = 3
    text = f"{values.mean():.{digits}f}"
    if len(values) > 1:
        text += f" ± {values.std(ddof=1):.{digits}f}"
    return text if theirs is None else f"{text} ({theirs:.2f})"


def _title(dataset, groups):
    bound = groups[0][0].config.min_log_scale
    return dataset if bound == MIN_LOG_SCALE else f"{dataset}, log-scale from {bound:g}"


def _section(protocol, dataset, groups, folder):
    rows = [row for group in groups for row in _rows(protocol, group)]
    text = [f"Published: {published.source(protocol, dataset)}.", *_above_standard(groups)]
    spent = [
        (files.read_json(environment)["hardware"], one.metrics.get("training_seconds", 0.0))
        for group in groups
        for one in group
        if (environment := one.directory / ENVIRONMENT).exists()
    ]
    if spent:
        text.append(cost(spent))
    title = f"{_title(dataset, groups)}, {protocol}: measured and published"
    section = Section(title, text, [])
    section.tables.append(Table(COLUMNS, rows))
    bounds = [row for group in groups if (row := _bound_over_epochs(group))]
    if bounds:
        section.tables.append(Table(BOUND_COLUMNS, bounds))
        section.text.append(
            "The second table shows over-fitting: these trainings keep the weights of the last "
            "epoch, whatever the bound on the validation images. Means over seeds, in nats per "
            "image."
        )
    values = all((g[0].directory / evaluate.PER_IMAGE).exists() for g in groups)
    if folder is not None and values:
        file = Path("figures") / f"{protocol}_{slug(_title(dataset, groups))}.png"
        first = [(group[0].metrics, group[0].directory) for group in groups]
        report.histogram(first, Path(folder) / file)
        section.figures.append(Figure(file.as_posix(), "log p(x) of each test image"))
    return section


def _bound_over_epochs(group):
    """Row of `BOUND_COLUMNS`; None with early stopping, or without recorded validation bounds."""
    config = group[0].config
    curves = [_bound(one.directory) for one in group]
    if config.patience or not all(curves):
        return None
    best = [int(np.argmax(curve)) for curve in curves]
    at_best = np.mean([curve[epoch] for curve, epoch in zip(curves, best, strict=True)])
    last = np.mean([curve[-1] for curve in curves])
    return [
        report.PRIOR_NAMES[config.prior],
        ", ".join(str(one.config.seed) for one in group),
        f"{at_best:.2f}",
        _range(sorted(epoch + 1 for epoch in best)),
        f"{last:.2f}",
        f"{last - at_best:+.2f}",
    ]


def _bound(directory):
    """The bound on the validation images after each epoch for which it was recorded."""
    return [r["val/elbo"] for r in read_records(directory) if "val/elbo" in r]


def _above_standard(groups):
    """The gain of each prior over the standard prior, in words, at the largest S that both have."""
    by_prior = {group[0].config.prior: group for group in reversed(groups)}  # of most epochs
    standard = by_prior.pop("standard", None)
    gains = []
    for prior in PRIORS:
        group = by_prior.get(prior)
        if not standard or not group or group[0].config.epochs != standard[0].config.epochs:
            continue
        common = set.intersection(*(set(s.metrics["log_likelihood"]) for s in [*standard, *group]))
        if common:
            samples = max(common, key=int)
            gain = _mean(group, samples) - _mean(standard, samples)
            gains.append(f"{report.PRIOR_NAMES[prior]} {gain:+.2f} nats (S = {samples})")
    return [f"Against the standard prior: {', '.join(gains)}."] if gains else []


def _mean(group, samples):
    return np.mean([one.mean(samples) for one in group])


def _rows(protocol, group):
    config = group[0].config
    numbers = sorted({s for one in group for s in one.metrics["log_likelihood"]}, key=int)
    # The published figure belongs to the row with the same number of samples, if there is one.
    theirs = str(presets.SAMPLES[protocol])
    compared = theirs if theirs in numbers else numbers[-1]
    return [_row(protocol, config, group, samples, samples == compared) for samples in numbers]


def _row(protocol, config, group, samples, compared):
    scored = [one for one in group if samples in one.metrics["log_likelihood"]]
    means = np.array([one.mean(samples) for one in scored])
    errors = [one.metrics["log_likelihood"][samples]["standard_error"] for one in scored]
    bits = evaluate.bits_per_dimension(means.mean(), config.image_shape)
    reference = reference_bits = None
    if compared:
        reference = published.log_likelihood(protocol, config.dataset, config.prior)
        reference_bits = published.bits_per_dimension(protocol, config.dataset, config.prior)
    return [
        report.PRIOR_NAMES[config.prior],
        ", ".join(str(one.config.seed) for one in scored),
        _epochs(config, [one.metrics["epochs"] for one in scored]),
        _range(sorted({one.metrics.get("test_images", 0) for one in scored})),
        int(samples),
        f"{means.mean():.2f}",
        f"{np.mean(errors):.2f}",
        f"{means.std(ddof=1):.2f}" if len(means) > 1 else "",
        "" if reference is None else f"{reference:.2f}",
        "" if reference is None else f"{means.mean() - reference:+.2f}",
        f"{bits:.3f}" if config.likelihood == "discretized_logistic" else "",
        "" if reference_bits is None else f"{reference_bits:.2f}",
        report.components_text([one.metrics for one in scored]),
    ]


def _epochs(config, trained):
    most = presets.preset(config.name).epochs
    shortened = config.epochs < most
    return _range(sorted(trained)) + (f" of {most}" if shortened else "")


def _range(values):
    return "-".join(str(value) for value in dict.fromkeys((values[0], values[-1])))


def write_table(folder, out):
    """Print Table 1 from the metrics of runs, and write it as a report.

    Args:
        folder: folder of the runs, as for `collect.collect`.
        out: folder of the report.
    """
    found = collect(folder)
    written = [overview(found), *sections(found, out)]
    page = reports.write_report(out, "Table 1: test log-likelihood, nats per image", written)
    for section in written:
        print("\n" + reports.plain_section(section))
    print(f"\nReport: {page}")
    return page
