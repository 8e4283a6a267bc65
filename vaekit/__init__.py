"""What both packages stand on: datasets, FID, distributions, runs, plots and reports."""

__version__ = "0.1.0"
