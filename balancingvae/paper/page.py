"""The page of measured results: tables and pictures of finished reports, with their verdicts.

`python -m balancingvae.paper.page OUT REPORT ...` writes it; no number is typed by hand.
"""

from vaekit import cli
from vaekit.reporting import pages

INTRODUCTION = """\
# Variance loss, gamma and renormalisation, measured

What Asperti (LOD 2020) and Asperti & Trentin (2020) claim, and what runs of this package show at
budgets that two CPU cores can afford. Every table says what was trained and on how much data. None
of these are full trainings, and a claim that is not reproduced at a small budget may hold at a
large one. `python -m balancingvae.paper.page` writes this page from the reports' own numbers.

| command | what it makes |
|---|---|
| `python -m balancingvae variance` | the PCA theorem, smoothing, Figure 4 |
| `python -m balancingvae policies cifar10_paper --scale small` | every rule for gamma |
| `python -m balancingvae baselines cifar10_paper --scale small` | RAEs, densities on latents |
| `python -m balancingvae renormalization DIRECTORY` | every reading of renormalisation |
| `python -m balancingvae figures cifar10_paper --scale small` | latents and errors by epoch |

The comparisons below add `--seeds 3 --images 5000 --gammas 1 0.1 --no-fid`; the baselines also add
`--kinds l2 --networks rae --policies computed learned fixed`. Without `--scale small` the same
commands train the papers' networks for the papers' epochs.
"""


def main(argv=None):
    """Command line: write the page from reports."""
    pages.main(argv, "python -m balancingvae.paper.page", INTRODUCTION)


if __name__ == "__main__":
    raise SystemExit(cli.run(main))
