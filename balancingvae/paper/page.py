"""The page of measured results: tables and pictures of finished reports, and their verdicts.

`python -m balancingvae.paper.page OUT REPORT ...` writes it; no number on it is typed by hand.
"""

from vaekit import cli
from vaekit.reporting import pages

INTRODUCTION = """\
# Variance loss, gamma and renormalisation, measured

This page compares what Asperti (LOD 2020) and Asperti & Trentin (2020) claim with what runs of this
package show at budgets that two CPU cores can afford. Every table says what was trained, and on how
much data. None of these are full trainings: a claim that is not reproduced at a small budget may
hold at a large one. `python -m balancingvae.paper.page` writes this page from the numbers in the
reports.

| command | what it makes |
|---|---|
| `python -m balancingvae variance` | the PCA theorem, smoothing, Figure 4 |
| `python -m balancingvae policies cifar10_paper --scale small` | every rule for gamma |
| `python -m balancingvae baselines cifar10_paper --scale small` | RAEs, densities on latents |
| `python -m balancingvae renormalization DIRECTORY` | every reading of renormalisation |
| `python -m balancingvae figures cifar10_paper --scale small` | latents and errors by epoch |

The comparisons below also use `--seeds 3 --images 5000 --gammas 1 0.1 --no-fid`, and the baselines
`--kinds l2 --networks rae --policies computed learned fixed` as well. Without `--scale small` the
same commands train the networks of the papers for as many epochs as in the papers.
"""


def main(argv=None):
    """Command line: write the page from reports."""
    pages.main(argv, "python -m balancingvae.paper.page", INTRODUCTION)


if __name__ == "__main__":
    raise SystemExit(cli.run(main))
