"""The pages "Reproduce the papers": published figures, and ours from the metrics of runs.

`python docs/tools/tables.py OUT` writes them as Markdown; building the site creates them again. Our
figures come only from evaluation.json files under runs/ or checkpoints/.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NOT_RUN = "**Not run yet.**"
CHANGED = (
    "Options after a plus sign differ from the preset, so these rows show what a shorter or "
    "smaller run gives; they are not reproductions."
)


def pages(root=ROOT):
    """Dict of path below docs/ to Markdown text; `root` contains runs/ and checkpoints/."""
    two_stage, mlp = evaluations(root, "balancingvae"), evaluations(root, "vampprior")
    found = {
        "reproduce/digits.md": _digits(two_stage, mlp),
        "reproduce/variance_cifar10.md": _fid_page("1", "cifar10", two_stage),
        "reproduce/variance_celeba.md": _fid_page("2", "celeba", two_stage),
        "reproduce/balancing_rates.md": _rates(two_stage),
        "reproduce/vampprior_report.md": _likelihoods("report", mlp),
        "reproduce/vampprior_tomczak.md": _likelihoods("tomczak", mlp),
    }
    return {"reproduce/index.md": _index(found)} | found


def evaluations(root, package):
    """Finished evaluations of a package: dict of run name to a list of metrics, one per seed.

    A run that is both in runs/ and in checkpoints/ counts once, as it is in runs/.
    """
    from vaekit import files

    found = {}
    for folder in ("checkpoints", "runs"):
        for path in sorted((Path(root) / folder / package).glob("*/seed*/evaluation.json")):
            metrics = files.read_json(path)
            metrics["environment"] = files.read_json(path.parent / "environment.json")
            metrics["directory"] = path.parent
            found.setdefault(path.parent.parent.name, {})[path.parent.name] = metrics
    return {name: list(seeds.values()) for name, seeds in found.items()}


def _page(title, *parts):
    return "\n\n".join([f"# {title}", *parts, ""])


def _command(command, note=""):
    return f"    python -m {command}" + (f"\n\n{note}" if note else "")


def _budget(runs, package):
    """One line per run with its training time, hardware and command."""
    from vaekit.environment import portable_command

    lines = [
        f"- {m['config']['name']}, seed {m['config']['seed']}: trained for "
        f"{m['training_seconds'] / 60:.1f} minutes on {m['environment']['hardware']}, "
        f"by `{portable_command(m['environment']['command'], package)}`"
        for m in runs
    ]
    return "\n".join(lines)


def _fid_page(number, dataset, two_stage):
    from balancingvae.paper import published
    from vaekit.reporting import markdown
    from vaekit.reporting.tables import Table

    theirs = Table(["model", "REC", "GEN-1", "GEN-2"], published.FID[dataset])
    full = [m for n in (dataset, f"{dataset}_paper") for m in two_stage.get(n, ())]
    changed = {n: ms for n, ms in two_stage.items() if n.startswith(f"{dataset}+")}
    parts = [
        "FID, lower is better; mean and, after +-, deviation over ten trainings. REC: "
        "reconstructions; GEN-1: z from the prior; GEN-2: z from the second stage.",
        markdown.table(theirs),
        "## Measured here",
        _command(
            f"balancingvae {dataset}",
            f"`{dataset}` follows the published code, `{dataset}_paper` the text.",
        ),
        _two_stage({m["config"]["name"]: [m] for m in full}) if full else NOT_RUN,
    ]
    if changed:
        parts += ["## With changed options", CHANGED, _two_stage(changed)]
    return _page(f"{published.PAPER}, Table {number}", *parts)


def _two_stage(runs):
    """Tables of two-stage runs (dict of name to metrics per seed): distances, and figures."""
    from balancingvae import evaluate, report
    from vaekit.reporting import markdown
    from vaekit.reporting.tables import Table

    chosen = [(name, m) for name, seeds in runs.items() for m in seeds]
    sets = [evaluate.set_name(s, again) for again in (False, True) for s in evaluate.SETS]
    rows = []
    for name, metrics in chosen:
        values = {(d["set"], d["label"]): d["value"] for d in metrics["distances"]}
        for label in dict.fromkeys(d["label"] for d in metrics["distances"]):
            cells = [values.get((s, label)) for s in sets]
            if any(cell is not None for cell in cells):
                rows.append([name, metrics["config"]["seed"], label, *cells])
    figures = report.main_table([m for _, m in chosen])
    for row, (name, _) in zip(figures.rows, chosen, strict=True):
        row[0] = name
    distances = markdown.table(Table(["run", "seed", "distance", *sets], rows))
    no_fid = "No FID: the Inception weights were not available where these runs were evaluated."
    text = [] if any(row[2].startswith("FID") for row in rows) else [no_fid]
    text += [distances] if rows else []
    return "\n\n".join(
        [*text, markdown.table(figures), _budget([m for _, m in chosen], "balancingvae")]
    )


def _rates(two_stage):
    from balancingvae import PRESETS
    from balancingvae.paper import published
    from vaekit.reporting import markdown
    from vaekit.reporting.tables import Table

    columns = ["learning rate", "inactive", "REC", "GEN-1", "GEN-2", "mse"]
    preset = PRESETS["cifar10"].lr
    rates = {
        name: runs
        for name, runs in two_stage.items()
        if name.startswith("cifar10+lr=") and name.count("+") == 1
    }
    if "cifar10" in two_stage:
        rates[f"cifar10 (lr={preset})"] = two_stage["cifar10"]
    return _page(
        f"{published.BALANCING}, Table 5: the learning rate on CIFAR-10",
        "Inactive latents of 64, FIDs and mse after full training.",
        markdown.table(Table(columns, published.LEARNING_RATES["cifar10"])),
        "## Measured here",
        _command("balancingvae cifar10 --lr 2e-4", "and so on for each rate."),
        _two_stage(rates) if rates else NOT_RUN,
    )


def _likelihoods(protocol, mlp):
    from vaekit.reporting import markdown
    from vampprior import presets
    from vampprior.paper import published, table
    from vampprior.paper.collect import Scored

    parts = [
        "Mean log p(x) of test images, nats per image, higher is better, by importance sampling "
        "with S samples.",
        _command(f"vampprior static_mnist --protocol {protocol}", "and so on for each dataset."),
    ]
    for dataset in (*published.LOG_LIKELIHOOD[protocol], *_only_bits(protocol)):
        parts.append(f"## {dataset}")
        parts.append(_published_likelihoods(protocol, dataset, presets))
        names = [f"{protocol}_{dataset}_{prior}" for prior in presets.PRIORS]
        # A run of fewer epochs counts; the table says so.
        runs = [seeds for name, seeds in mlp.items() if name.split("+epochs=")[0] in names]
        if runs:
            metrics = [m for seeds in runs for m in seeds]
            (section,) = table.sections([Scored(m, m["directory"]) for m in metrics])
            budget = _budget(metrics, "vampprior")
            parts += ["Measured here:", markdown.table(section.tables[0]), budget]
        else:
            parts.append(NOT_RUN)
    return _page(published.source(protocol, "static_mnist"), *parts)


def _only_bits(protocol):
    from vampprior.paper import published

    known = published.LOG_LIKELIHOOD[protocol]
    return [d for d in published.BITS_PER_DIMENSION.get(protocol, {}) if d not in known]


def _published_likelihoods(protocol, dataset, presets):
    from vaekit.reporting import markdown
    from vaekit.reporting.tables import Table
    from vampprior.paper import published
    from vampprior.report import PRIOR_NAMES

    rows = []
    for prior in presets.PRIORS:
        nats = published.log_likelihood(protocol, dataset, prior)
        bits = published.bits_per_dimension(protocol, dataset, prior)
        if (nats, bits) != (None, None):
            rows.append([PRIOR_NAMES[prior], nats, bits])
    table = markdown.table(Table(["published, prior", "log p(x)", "bits per dimension"], rows))
    return f"{table}\n\n{published.source(protocol, dataset)}."


def _digits(two_stage, mlp):
    from vaekit.reporting import markdown
    from vampprior import presets
    from vampprior.report import metrics_table

    parts = [
        "Not a table of a paper: scikit-learn's 1,797 handwritten digits, 8 x 8 pixels, show the "
        "whole process within minutes.",
        "    ./reproduce.sh digits",
        "## Two-stage VAE",
        _two_stage({"digits": two_stage["digits"]}) if "digits" in two_stage else NOT_RUN,
        "## MLP VAE by prior",
    ]
    runs = [m for prior in presets.PRIORS for m in mlp.get(f"digits_{prior}", ())]
    parts += (
        [markdown.table(metrics_table(runs)), _budget(runs, "vampprior")] if runs else [NOT_RUN]
    )
    return _page("Digits", *parts)


def _index(found):
    from vaekit.reporting import markdown
    from vaekit.reporting.tables import Table

    rows = []
    for uri, text in found.items():
        title = text.splitlines()[0].removeprefix("# ")
        rows.append([f"[{title}]({Path(uri).name})", _state(text)])
    return _page(
        "Reproduce the papers",
        "One page per table. Published figures are quoted with their source; ours come from the "
        "`evaluation.json` of runs, read when this site is built. Where no run of the full "
        "setting exists, the page says so.",
        markdown.table(Table(["table", "state"], rows)),
        "The command on each page starts a run, and resumes it if it was interrupted. "
        "[Deviations](../deviations.md) lists where codes and papers differ, and our choices; "
        "[FID](../fid.md) explains why FIDs of different papers are not comparable.",
    )


def _state(text):
    if NOT_RUN not in text:
        return "measured"
    if CHANGED in text:
        return "shorter runs only"
    return "measured in part" if "trained for" in text else "not run yet"


def main(out):
    """Write the pages below a folder."""
    from vaekit import files

    for uri, text in pages().items():
        files.write_text(Path(out) / uri, text)
        print(Path(out) / uri)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main(sys.argv[1])
