"""What the reports of several studies share: means over seeds, tables, and verdicts."""

from itertools import product

from balancingvae.evaluate import set_name
from balancingvae.paper import claims, runner
from balancingvae.paper.runner import over_seeds
from balancingvae.report import ALL_SETS
from balancingvae.run import show_report
from vaekit.reporting import plots, reports
from vaekit.reporting.reports import Figure, Section, Table, sentence

COLUMNS = (
    ("mse", "mse"),
    ("variance loss", "variance_loss"),
    ("KL", "kl"),
    ("gamma", "gamma"),
    ("variance law", "variance_law"),
    ("inactive", "inactive"),
)
GENERATED = [set_name(*one) for one in product(("GEN-1", "GEN-2"), (False, True))]


def labels(rows):
    """Labels of all distances in `rows` (a list of `runner.Row`), in their order."""
    return list(dict.fromkeys(d["label"] for row in rows for m in row.metrics for d in _of(m)))


def notes(rows):
    """Warnings about the distances, each once, as sentences."""
    found = dict.fromkeys(d["warning"] for row in rows for m in row.metrics for d in _of(m))
    return [sentence(note) for note in found if note]


def distances(row, label, sets):
    """Cells of a row: the distances called `label` of the named sets, None where missing."""
    found = {name: [] for name in sets}
    for metrics in row.metrics:
        for distance in _of(metrics):
            if distance["label"] == label and distance["set"] in found:
                found[distance["set"]].append(distance["value"])
    return [over_seeds(values) for values in found.values()]


def _of(metrics):
    return metrics["distances"]


def write_comparison(rows, folder, study, preset, more=()):
    """Write the report of a comparison; print its main tables and the claims.

    Args:
        rows: list of `runner.Row` from `runner.Comparison.train`.
        folder: of the report.
        study: title of its first section.
        preset: name of the preset, or another end of the report's title.
        more: sections that follow.
    """
    parts = sections(rows, folder, study)
    page = reports.write_report(folder, f"{study}: {preset}", [*parts, *more])
    show_report(page, [*parts[0].tables, *parts[-1].tables])


def write_seeds(comparison, folder, more=()):
    """Train the preset of a `runner.Comparison` with every seed; write a report of means.

    Args:
        comparison: the `runner.Comparison`.
        folder: of the report.
        more: sections that follow.
    """
    runner.quiet()
    variant = runner.Variant(f"{comparison.config().gamma_policy} gamma", {})
    rows = comparison.train([variant])
    title = f"{comparison.preset.name}, {len(comparison.seeds)} seeds"
    write_comparison(rows, folder, "Two-stage VAE", title, more)


def sections(rows, folder, study):
    """Sections of a comparison: figures, distances, curves, claims. `folder` gets the pictures."""
    seeds = len(rows[0].metrics)
    summary = Section(
        study,
        text=[
            runner.budget(rows),
            f"Means ± deviations over {seeds} seeds." if seeds > 1 else "One seed.",
        ],
        tables=[_main(rows), _latents(rows)],
    )
    return [summary, _distances(rows), _curves(rows, folder / "figures"), _claims(rows)]


def _main(rows):
    body = []
    for row in rows:
        cells = [over_seeds([m[key] for m in row.metrics]) for _, key in COLUMNS]
        body.append([row.name, *cells, over_seeds([m["mse"] ** 0.5 for m in row.metrics])])
    return Table(["model", *(title for title, _ in COLUMNS), "root of mse"], body)


def _latents(rows):
    body = [
        [row.name]
        + [over_seeds([m["latent_variance"][name] for m in row.metrics]) for name in GENERATED]
        + [over_seeds([m["second_stage"]["ratio"] for m in row.metrics])]
        for row in rows
    ]
    columns = ["variance of generated latents", *GENERATED, "second stage: variance loss / mse"]
    return Table(columns, body)


def _distances(rows):
    names = [set_name(*one) for one in ALL_SETS]
    tables = []
    for label in labels(rows):
        body = [[row.name, *distances(row, label, names)] for row in rows]
        if any(cell is not None for cells in body for cell in cells[1:]):
            tables.append(Table([label, *names], body))
    text = ["Lower is better. GEN-1: one stage; GEN-2: two stages.", *notes(rows)]
    return Section("Distances", text=text, tables=tables)


def _curves(rows, figures):
    captions = {
        "gamma": "gamma and the root of the training mse",
        "mse": "training mse",
        "kl": "KL, nats per image",
    }
    for quantity in captions:
        series, roots = {}, {}
        for row in rows:
            records = row.runs[0].records("stage_one")
            epochs = [record["epoch"] + 1 for record in records]
            series[row.name] = (epochs, [record[quantity] for record in records])
            if quantity == "gamma":
                root = [record["mse"] ** 0.5 for record in records]
                roots[row.name] = (f"{row.name}: root of the mse", epochs, root)
        path = figures / f"{quantity}.png"
        plots.curves(path, series, "epoch", quantity, log_y=True, dashed=roots)
    shown = [Figure(f"{figures.name}/{name}.png", text) for name, text in captions.items()]
    return Section("Over time (first seed)", figures=shown)


def _claims(rows):
    checked = claims.check(rows)
    if not checked:
        return Section("Claims")
    text = (
        "The claims are checked on the row of the computed gamma, with the latents of the second "
        "table and the last of the distances above. At a reduced budget a claim may fail that a "
        "full training would confirm."
    )
    return Section("Claims", text=[text], tables=[claims_table(checked)])


def claims_table(checked):
    """The table of a list of `claims.Claim`."""
    body = [[claim.text, claim.measured, claim.verdict] for claim in checked]
    return Table(["claim of the papers", "measured here", "verdict"], body)
