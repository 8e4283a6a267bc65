"""CelebA's faces resized by nearest neighbour and bilinearly.

Asperti & Trentin, arXiv 2002.07514 (2020), Figure 3.
"""

import numpy as np

from vaekit import datasets
from vaekit.reporting import plots
from vaekit.reporting.reports import Figure, Section, Table

FACES, COLUMNS = 20, 10
RESIZES = ("nearest", "bilinear")


def section(data_dir, figures):
    """The section with the same faces resized both ways, and how much neighbouring pixels differ.

    Args:
        data_dir: folder of the datasets.
        figures: folder of the picture.
    Raises:
        UserError: CelebA was not found.
    """
    grids = []
    for resize in RESIZES:
        faces = datasets.load("celeba", data_dir, resize=resize).test
        grids.append(faces[:FACES].copy())
    rows = []
    for start in range(0, FACES, COLUMNS):
        rows += [grid[start : start + COLUMNS] for grid in grids]
    plots.image_grid(figures / "faces.png", np.concatenate(rows), columns=COLUMNS)
    steps = [float(np.mean(np.abs(np.diff(grid.astype(float), axis=2)))) for grid in grids]
    columns = ["resize", "mean step between neighbouring pixels, grey levels"]
    return Section(
        "Faces: nearest against bilinear resize",
        text=["Rows in pairs: nearest neighbour above, bilinear (antialiased) below."],
        tables=[Table(columns, [list(row) for row in zip(RESIZES, steps, strict=True)])],
        figures=[Figure(f"{figures.name}/faces.png", "CelebA test faces at 64 x 64")],
    )
