"""The mean squared error and the two variance losses, which several studies measure.

Asperti, "Variance Loss in Variational Autoencoders", LOD 2020.
"""

import numpy as np

from balancingvae import measures, variance
from vaekit.reporting.reports import Section

# Key of a measurement -> title of its column.
LOSSES = {
    "mse": "mse",
    "variance_loss": "variance loss, per image",
    "variance_loss_over_data": "variance loss, over data",
}
DEFINITIONS = Section(
    "What is measured",
    text=[
        "Pixels are in [0, 1]. The variance loss per image is the mean over images of var(x) - "
        "var(x_hat), with variances over the pixels of each image, as the paper defines it. The "
        "variance loss over data uses the variance of each pixel over the images, averaged over "
        "pixels, as in the paper's theorem and the published code. The tables show both next to "
        "the mean squared error."
    ],
)


def losses(x, x_hat):
    """The `mse` and both variance losses of reconstructions, as a dict of floats.

    Args:
        x, x_hat: arrays `(n, ...)`.
    """
    x, x_hat = np.asarray(x, np.float64), np.asarray(x_hat, np.float64)
    return {
        "mse": measures.squared(x, x_hat),
        "variance_loss": variance.variance_loss(x, x_hat),
        "variance_loss_over_data": variance.variance_loss_over_data(x, x_hat),
    }


def cells(row):
    """The three losses of a measurement, in the order of `LOSSES`."""
    return [row[key] for key in LOSSES]
