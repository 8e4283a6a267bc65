"""The page of measured log-likelihoods: Table 1 and the K figure, from finished reports.

`python -m vampprior.paper.page OUT REPORT ...` writes it; no number on it is typed by hand.
"""

from vaekit import cli
from vaekit.reporting import pages

INTRODUCTION = """\
# Log-likelihoods by prior, measured

What Tomczak & Welling (2018) and the KTH report (2021) publish for the MLP VAE of two layers of 300
units, and what runs of this package reach. The protocols differ: Tomczak & Welling's has gated
layers, warm-up and early stopping; the report's has ReLU layers and a fixed number of epochs. Where
a run had fewer epochs than its protocol, the column says so. This page is written by
`python -m vampprior.paper.page` from the reports' own numbers.

| command | what it makes |
|---|---|
| `python -m vampprior DATASET --protocol tomczak --seeds 3` | trainings, log p(x) |
| `python -m vampprior DATASET --protocol report --seeds 3` | the same, KTH report |
| `python -m vampprior table` | the tables below, from all runs under runs/ |
| `python -m vampprior table checkpoints/vampprior` | the same from the released metrics |
| `python -m vampprior k` | log-likelihood and time against the number of pseudo-inputs |

The trainings below add `--samples 500 5000`. log p(x) is estimated with S importance samples per
test image, and is a lower bound in expectation. s.e. is the standard error over test images, sd the
deviation over seeds. Components used: perplexity of the mixture's mean responsibilities for the
test images' z. Trained models load by name:
`vampprior.load("tomczak_caltech101_silhouettes_vampprior")`; VampPrior-data models are released
with the posteriors of their training images in place of the images.
"""


def main(argv=None):
    """Command line: write the page from reports."""
    pages.main(argv, "python -m vampprior.paper.page", INTRODUCTION)


if __name__ == "__main__":
    raise SystemExit(cli.run(main))
