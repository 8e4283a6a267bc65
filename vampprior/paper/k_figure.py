"""Log-likelihood and training time against the number of pseudo-inputs: KTH report, Figure 5."""

import dataclasses
from pathlib import Path

from vaekit.errors import UserError
from vaekit.reporting import plots, reports
from vampprior.run import load, run_one

KS = (10, 50, 100, 250, 500, 750, 1000, 1500)


def k_sweep(base, changes, ks, options, report):
    """Log-likelihood against the number of pseudo-inputs (KTH report, Figure 5).

    Args:
        base: `Config` of a VampPrior, including the changes.
        changes: the changed fields.
        ks: numbers of pseudo-inputs.
        options: `run.Options`.
        report: folder of the report.
    """
    if base.prior != "vampprior":
        raise UserError(
            f"{base.name} has no trained pseudo-inputs. Use a preset whose name ends in _vampprior."
        )
    dataset, rows, runs = load(base.dataset, options), [], []
    for k in ks:
        changed = changes | {"num_pseudo_inputs": k}
        config = dataclasses.replace(base, num_pseudo_inputs=k)
        metrics, run = run_one(config, changed, dataset, options)
        samples = max(metrics["log_likelihood"], key=int)
        score = metrics["log_likelihood"][samples]
        used = metrics["effective_components"]
        seconds = metrics["training_seconds"]
        rows.append([k, f"{used:.0f}", score["mean"], score["standard_error"], seconds])
        runs.append(run)
    return _k_report(base, rows, samples, Path(report), dataset.source, runs)


def _k_report(base, rows, samples, folder, source, runs):
    likelihood, times = folder / "figures" / "k.png", folder / "figures" / "k_seconds.png"
    ks = [row[0] for row in rows]
    label = f"log p(x), S = {samples}"
    plots.curves(
        likelihood, {label: (ks, [r[2] for r in rows])}, "pseudo-inputs K", "nats per image"
    )
    series = {"measured": (ks, [row[4] for row in rows])}
    plots.curves(times, series, "pseudo-inputs K", "seconds of training")
    at_500 = {row[0]: row[4] for row in rows}.get(500)
    for row in rows:
        row.append(row[4] / at_500 if at_500 else None)
    columns = ["K", "components used", f"log p(x), S={samples}", "s.e.", "training seconds"]
    columns.append("times that of K=500")
    section = reports.Section(
        f"Number of pseudo-inputs on {base.dataset}, {base.epochs} epochs, seed {base.seed}",
        text=[
            "The KTH report found the best values at about K = 500 and above, and training times "
            "about 3 times (K = 1000) and 5 times (K = 1500) as long as with K = 500. "
            f"Data: {source}."
        ],
        tables=[reports.Table(columns, rows)],
        figures=[
            reports.Figure("figures/k.png", "Test log-likelihood against K"),
            reports.Figure("figures/k_seconds.png", "Training time against K"),
        ],
    )
    page = reports.write_report(folder, "Pseudo-inputs", [section, reports.provenance(runs)])
    print(reports.plain_table(section.tables[0]))
    print(f"\nReport: {page}")
    return page
