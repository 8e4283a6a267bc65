"""The report of the variance-loss study."""

import numpy as np

from balancingvae.paper import pca
from vaekit.reporting import plots
from vaekit.reporting.reports import Figure, Section, Table, show
from vaekit.runs import cost

SHOWN = (0, 1, 2, 5, 10, 20, 50, 100)  # numbers of components in the table
WIDTHS = (1, 3, 5, 9, 17, 33, 65)
LOSSES = ("mse", "variance_loss", "variance_loss_over_data")
TITLES = ["mse", "variance loss, per image", "variance loss, over data"]

GENERATED = (
    "variance loss of reconstructions",
    "of generated, per image",
    "of generated, over data",
)


def sections(rows, by_heart, projections, plan, folder):
    """All sections of the report; pictures are written into `folder`/figures.

    Args:
        rows: from `variance_study.run_study`.
        by_heart: from `variance_study.learned_by_heart`.
        projections: from `variance_study.projections`.
        plan: the `Plan`.
        folder: of the report.
    """
    figures = folder / "figures"
    return [
        _definitions(),
        _pca_section(projections, figures),
        _smoothing_section(figures),
        _figure_4(rows, plan, figures),
        _by_heart_section(by_heart),
        _generated_section(rows, figures),
        _all_rows(rows),
    ]


def claims(rows):
    """What the paper says of Figure 4, checked: list of (claim, measured, verdict)."""
    line, over_data = fit(rows, "variance_loss"), fit(rows, "variance_loss_over_data")
    positive = sum(row["variance_loss"] > 0 for row in rows)
    smaller = sum(row["generated_loss"] > 0 for row in rows)
    close = abs(line["slope"] - 1) < 0.15 and line["correlation"] > 0.95
    return [
        (
            "reconstructions always lose variance",
            f"{positive} of {len(rows)} measurements positive",
            verdict(positive == len(rows)),
        ),
        (
            "variance loss (per image) is about equal to the mse",
            f"slope {line['slope']:.3f}, correlation {line['correlation']:.3f}",
            verdict(close),
        ),
        (
            "the same with variances over data",
            f"slope {over_data['slope']:.3f}, correlation {over_data['correlation']:.3f}",
            verdict(abs(over_data["slope"] - 1) < 0.15 and over_data["correlation"] > 0.95),
        ),
        (
            "images generated from the prior lose variance too",
            f"{smaller} of {len(rows)} measurements positive",
            verdict(smaller == len(rows)),
        ),
    ]


def verdict(holds):
    """The word for a claim that was or was not seen here."""
    return "reproduced" if holds else "not reproduced"


def fit(rows, key, x="mse"):
    """The fitted line of `key` against `x` over rows."""
    return pca.fitted_line([row[x] for row in rows], [row[key] for row in rows])


def _definitions():
    return Section(
        "What is measured",
        text=[
            "Pixels lie in [0, 1]. Variance loss, per image: the mean over images of var(x) - "
            "var(x_hat), variances over the pixels of each image, as the paper defines it. Over "
            "data: variances over the images of each pixel, averaged over pixels, as the paper's "
            "theorem and the published code have it. Both stand beside the mean squared error."
        ],
    )


def _pca_section(projections, figures):
    body, pairs = [], []
    for found in projections:
        kept = [row for row in found["curve"] if row["k"] in SHOWN]
        body += [[found["dataset"], row["k"], *(row[key] for key in LOSSES)] for row in kept]
        theirs = found["sklearn"]
        label = f"{found['sklearn_components']}, scikit-learn"
        body.append([found["dataset"], label, *(theirs[key] for key in LOSSES)])
        pairs.append([found["dataset"], *(found["pairs"][key] for key in LOSSES)])
    series = {}
    for found in projections[:2]:
        k = [row["k"] for row in found["curve"]]
        for key, title in zip(LOSSES, TITLES, strict=True):
            series[f"{found['dataset']}: {title}"] = (k, [row[key] for row in found["curve"]])
    plots.curves(figures / "pca.png", series, "principal components", "squared pixel values")
    largest = max(found["largest_difference"] for found in projections)
    images = ", ".join(f"{found['images']} of {found['dataset']}" for found in projections)
    return Section(
        "Theorem: PCA loses as much variance as its squared error",
        text=[
            f"PCA fitted to test images ({images}). Over all numbers of components and all "
            f"datasets the variance loss over data and the mse differ by at most {largest:.1e}. "
            "Per image they differ by what projections keep of each image's mean brightness.",
            "The other identity: images averaged with a random other one, (x + x[permutation]) / "
            "2. Its mse equals the variance loss over data.",
        ],
        tables=[
            Table(["dataset", "components", *TITLES], body),
            Table(["means of pairs", *TITLES], pairs),
        ],
        figures=[
            Figure(f"{figures.name}/pca.png", "mse and variance losses by number of components")
        ],
    )


def scan_line():
    """A real one-dimensional signal: the rows of some digits, one after the other, in [0, 1]."""
    from vaekit import datasets

    return datasets.load("digits").test[:8].reshape(-1) / 255.0


def _smoothing_section(figures):
    signal = scan_line()
    rows = pca.smoothing_losses(signal, WIDTHS)
    x = np.arange(128)
    series = {"signal": (x, signal[:128])}
    for width in (5, 17):
        series[f"mean of {width} neighbours"] = (x, pca.smoothed(signal, width)[:128])
    plots.curves(figures / "smoothing.png", series, "position", "pixel value")
    return Section(
        "One dimension: smoothing (after the paper's Figure 3)",
        text=[
            "A scan line through handwritten digits, replaced by moving averages. An average "
            "varies less than what it averages; mse and variance loss grow together, and are "
            "equal once everything is averaged. A moving average is no projection, so in between "
            "they are close and not equal."
        ],
        tables=[
            Table(
                ["width", "mse", "variance loss", "variance left"],
                [[row["width"], row["mse"], row["variance_loss"], row["variance"]] for row in rows],
            )
        ],
        figures=[Figure(f"{figures.name}/smoothing.png", "A signal and two moving averages")],
    )


def _figure_4(rows, plan, figures):
    for key in LOSSES[1:]:
        line = fit(rows, key)
        series = {
            family: ([r["mse"] for r in part], [r[key] for r in part])
            for family, part in _groups(rows, "network").items()
        }
        plots.scatter(
            figures / f"{key}.png",
            series,
            "mean squared error",
            key.replace("_", " "),
            (line["slope"], line["offset"]),
        )
    body = [["all", *_fit_cells(rows)]]
    for key in ("network", "dataset", "latent_dim", "epochs"):
        body += [
            [f"{key.replace('_', ' ')} {value}", *_fit_cells(part)]
            for value, part in _groups(rows, key).items()
        ]
    columns = ["measurements", "count"]
    for kind in ("per image", "over data"):
        columns += [f"slope, {kind}", f"correlation, {kind}", f"median ratio, {kind}"]
    sizes = ", ".join(
        f"{name} {part[0]['images']:,} + {part[0]['test_images']:,}"
        for name, part in _groups(rows, "dataset").items()
    )
    return Section(
        "Variance loss against mean squared error (Figure 4)",
        text=[
            f"Networks {', '.join(plan.families)} (base_dim {plan.base_dim}, fc_dim "
            f"{plan.fc_dim}); latents {_listed(plan.latent_dims)}; measured after "
            f"{_listed(plan.budgets)} epochs of batches of 50 at learning rate 0.001, computed "
            f"gamma, KL weight 1, seed {plan.seed}. Training and test images: {sizes}. "
            "Reconstructions of test images from one sample of z; batch norm with the statistics "
            "of ten batches of training images.",
            cost([(r["hardware"], r["seconds"]) for r in rows if r["epochs"] == max(plan.budgets)]),
        ],
        tables=[
            Table(columns, body),
            Table(["claim of the paper", "measured", "verdict"], [list(c) for c in claims(rows)]),
        ],
        figures=[
            Figure(f"{figures.name}/variance_loss.png", "Per image, as the paper defines it"),
            Figure(f"{figures.name}/variance_loss_over_data.png", "With variances over data"),
        ],
    )


def _listed(values):
    return " and ".join(map(str, values))


def _fit_cells(rows):
    cells = [len(rows)]
    for key in LOSSES[1:]:
        line = fit(rows, key)
        ratio = float(np.median([row[key] / row["mse"] for row in rows]))
        cells += [line["slope"], line["correlation"], ratio]
    return cells


def _by_heart_section(by_heart):
    body = [[name, *(row[key] for key in LOSSES)] for name, row in by_heart.items()]
    row = next(iter(by_heart.values()))
    return Section(
        "A pathological dense network",
        text=[
            f"A dense VAE with {row['latent_dim']} latents and fixed gamma 0.05, trained on "
            f"{row['images']} images of {row['dataset']} for {row['epochs']} epochs, learns them "
            "by heart. Unseen images come back as sharp wrong ones rather than as averages: the "
            "error is large and hardly any of it is lost variance. The paper mentions a "
            "pathological dense case; this construction of one is ours."
        ],
        tables=[Table(["reconstructed", *TITLES], body)],
    )


def _generated_section(rows, figures):
    last = max(row["epochs"] for row in rows)
    part = [row for row in rows if row["epochs"] == last]
    keys = ("mse", "variance", "variance_loss", "generated_loss", "generated_loss_over_data")
    body = []
    for dataset, group in _groups(part, "dataset").items():
        for network, chosen in _groups(group, "network").items():
            means = [float(np.mean([row[key] for row in chosen])) for key in keys]
            body.append([f"{dataset}, {network}", *means])
    series = {
        network: ([r["mse"] for r in chosen], [r["generated_loss"] for r in chosen])
        for network, chosen in _groups(part, "network").items()
    }
    plots.scatter(
        figures / "generated.png", series, "mse of reconstructions", "variance loss of generated"
    )
    line = fit(part, "generated_loss")
    return Section(
        "Generated images",
        text=[
            f"The same difference for images decoded from z ~ N(0, I), after {last} epochs, means "
            f"over latent sizes; against the mse of reconstructions its slope is "
            f"{show(line['slope'])}, the correlation {show(line['correlation'])}."
        ],
        tables=[
            Table(
                ["", "mse", "variance of images", *GENERATED],
                body,
            )
        ],
        figures=[Figure(f"{figures.name}/generated.png", "Variance loss of generated images")],
    )


def _all_rows(rows):
    keys = ("dataset", "network", "latent_dim", "epochs", *LOSSES, "generated_loss")
    keys += ("kl", "inactive", "gamma")
    titles = [key.replace("_", " ") for key in keys]
    return Section("All measurements", tables=[Table(titles, [[r[k] for k in keys] for r in rows])])


def _groups(rows, key):
    found = {}
    for row in rows:
        found.setdefault(row[key], []).append(row)
    return found
