"""Theorem: PCA loses as much variance as its squared error.

Asperti, "Variance Loss in Variational Autoencoders", LOD 2020. What a projection keeps is
orthogonal to what it loses, so the variance that it loses is its squared error. The same holds for
data averaged with a permutation of themselves.
"""

import numpy as np

from balancingvae.paper import runner
from balancingvae.paper.variance_losses import LOSSES, cells, losses
from balancingvae.run import load_dataset, unit_images
from vaekit.datasets.splits import permutation
from vaekit.reporting import plots
from vaekit.reporting.reports import Figure, Section, Table

IMAGES = 300  # of each dataset, for PCA
COMPONENTS = 20  # of scikit-learn's PCA
SHOWN = (0, 1, 2, 5, 10, 20, 50, 100)  # numbers of components in the table


def pca_reconstructions(x):
    """Reconstructions of data by their first k principal components, for k = 0, 1, 2, ...

    Args:
        x: array `(n, ...)`; it is centred here.
    Yields:
        `(k, x_hat)`: float64 arrays of the shape of x, with the mean added back; k runs from 0
        (the mean itself) to the rank.
    """
    rows = np.reshape(x, (len(x), -1)).astype(np.float64)
    mean = rows.mean(axis=0)
    left, singular, right = np.linalg.svd(rows - mean, full_matrices=False)
    x_hat = np.repeat(mean[None], len(rows), axis=0)
    yield 0, x_hat.reshape(np.shape(x))
    for k in range(int((singular > singular[0] * 1e-10).sum())):
        x_hat = x_hat + singular[k] * np.outer(left[:, k], right[k])
        yield k + 1, x_hat.reshape(np.shape(x))


def pca_losses(x):
    """Squared error and variance losses of PCA for every number of components.

    By the theorem `variance_loss_over_data` equals `mse` for every k. The per-image variance loss
    differs from them by the change in the squared mean of each image, which the first components
    keep.

    Args:
        x: array `(n, ...)`.
    Returns:
        list of dicts `k`, `mse`, `variance_loss_over_data`, `variance_loss`.
    """
    return [{"k": k, **losses(x, x_hat)} for k, x_hat in pca_reconstructions(x)]


def pairs_averaged(x, permutation):
    """Every datum averaged with another: (x + x[permutation]) / 2.

    Its mean squared error equals its variance loss (over data), whatever the permutation.
    """
    x = np.asarray(x, np.float64)
    return (x + x[permutation]) / 2


def sklearn_reconstruction(x, components):
    """Reconstructions of `(n, ...)` data by scikit-learn's PCA."""
    from sklearn.decomposition import PCA

    rows = x.reshape(len(x), -1)
    model = PCA(components, svd_solver="full").fit(rows)
    return model.inverse_transform(model.transform(rows)).reshape(x.shape)


def project(name, options, seed=0):
    """Both identities on the test images of a dataset.

    Args:
        name: of the dataset.
        options: `run.Options`.
        seed: of the pairs.
    Returns:
        dict: `dataset`, `images` (their number), `curve` (from `pca_losses`), `sklearn` and `pairs`
        (from `losses`), `components` of scikit-learn's PCA.
    """
    dataset = load_dataset(runner.preset_named(name), options)
    x = unit_images(dataset.test[:IMAGES]).astype(np.float64)
    curve = pca_losses(x)
    components = min(COMPONENTS, len(curve) - 1)
    return {
        "dataset": name,
        "images": len(x),
        "curve": curve,
        "components": components,
        "sklearn": losses(x, sklearn_reconstruction(x, components)),
        "pairs": losses(x, pairs_averaged(x, permutation(len(x), seed))),
    }


def section(projections, figures):
    """The section on a list of results of `project`; its picture is saved in `figures`."""
    body, pairs, series = [], [], {}
    for found in projections:
        name, curve = found["dataset"], found["curve"]
        body += [[name, row["k"], *cells(row)] for row in curve if row["k"] in SHOWN]
        body.append([name, f"{found['components']}, scikit-learn", *cells(found["sklearn"])])
        pairs.append([name, *cells(found["pairs"])])
    for found in projections[:2]:
        k = [row["k"] for row in found["curve"]]
        for key, title in LOSSES.items():
            series[f"{found['dataset']}: {title}"] = (k, [row[key] for row in found["curve"]])
    plots.curves(figures / "pca.png", series, "principal components", "squared pixel values")
    curves = [row for found in projections for row in found["curve"]]
    largest = max(abs(row["mse"] - row["variance_loss_over_data"]) for row in curves)
    images = ", ".join(f"{found['images']} of {found['dataset']}" for found in projections)
    return Section(
        "Theorem: PCA loses as much variance as its squared error",
        text=[
            f"We fit PCA to test images ({images}). Over all numbers of components and all "
            f"datasets, the variance loss over data and the mse differ by at most {largest:.1e}. "
            "The variance loss per image differs from them by what projections keep of each "
            "image's mean brightness.",
            "The other identity concerns images averaged with a random other image, (x + "
            "x[permutation]) / 2. Here too the mse equals the variance loss over data.",
        ],
        tables=[
            Table(["dataset", "components", *LOSSES.values()], body),
            Table(["means of pairs", *LOSSES.values()], pairs),
        ],
        figures=[
            Figure(f"{figures.name}/pca.png", "mse and variance losses by number of components")
        ],
    )
