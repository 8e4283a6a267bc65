"""The page of measured log-likelihoods: Table 1 and the K figure, from finished reports.

`python -m vampprior.paper.page OUT REPORT ...` writes it; no number on it is typed by hand.
"""

from vaekit import cli
from vaekit.reporting import pages

INTRODUCTION = """\
# Log-likelihoods by prior, measured

This page compares the log-likelihoods that Tomczak & Welling (2018) and the KTH report (2021)
publish for the MLP VAE with two layers of 300 units with those that runs of this package reach.
The protocols differ: Tomczak & Welling use gated layers, warm-up and early stopping; the report
uses ReLU layers and a fixed number of epochs. If a run had fewer epochs than its protocol, the
column "epochs" says so. `python -m vampprior.paper.page` writes this page from the numbers in
the reports.

| command | what it makes |
|---|---|
| `python -m vampprior DATASET --protocol tomczak --seeds 3` | the trainings, and log p(x) |
| `python -m vampprior DATASET --protocol report --seeds 3` | the same, KTH report's protocol |
| `python -m vampprior table` | the tables below, from all runs under runs/ |
| `python -m vampprior table checkpoints/vampprior` | the same from the released metrics |
| `python -m vampprior k` | log-likelihood and time against the number of pseudo-inputs |

The trainings below also use `--samples 500 5000`. We estimate log p(x) with S importance
samples per test image; in expectation the estimate is a lower bound. "s.e." is the standard
error over test images, "sd over seeds" the standard deviation over seeds. "Components used" is
the perplexity of the mixture's mean responsibilities for the z of the test images. Trained
models load by name: `vampprior.load("tomczak_caltech101_silhouettes_vampprior")`. Released
VampPrior-data models contain the posteriors of their training images instead of the images.
"""


def main(argv=None):
    """Command line: write the page from reports."""
    pages.main(argv, "python -m vampprior.paper.page", INTRODUCTION)


if __name__ == "__main__":
    raise SystemExit(cli.run(main))
