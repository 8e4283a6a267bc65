"""The papers' own figures, for comparison with ours. FIDs: lower is better."""

from typing import NamedTuple

from vaekit.reporting.reports import Section, Table

PAPER = "Asperti (2020), Variance Loss in Variational Autoencoders"
BALANCING = "Asperti & Trentin (2020), arXiv 2002.07514"
GHOSH = "Ghosh et al. (2019), arXiv 1903.12436"


class TwoStage(NamedTuple):
    """FIDs of a two-stage model: mean and, after +-, deviation over ten trainings."""

    model: str
    rec: str
    gen_1: str
    gen_2: str


class LearningRate(NamedTuple):
    """One row of Balancing's Table 5."""

    rate: str
    inactive: int
    rec: str
    gen_1: str
    gen_2: str
    mse: str


class Autoencoder(NamedTuple):
    """FIDs of an autoencoder with densities fitted to its latents."""

    model: str
    rec: str
    gaussian: str
    mixture: str


# Asperti (2020), Tables 1 and 2: dataset -> rows.
FID = {
    "cifar10": (
        TwoStage("RAE-L2, 128 latents", "32.24", "80.8", "74.2"),
        TwoStage("2S-VAE (Dai & Wipf)", "", "76.7 +- 0.8", "72.9 +- 0.9"),
        TwoStage("2S-VAE, computed gamma", "53.8 +- 0.9", "80.2 +- 1.3", "69.8 +- 1.1"),
        TwoStage("the same, with normalization", "53.5 +- 0.9", "78.6 +- 1.2", "69.4 +- 1.0"),
    ),
    "celeba": (
        TwoStage("RAE-SN", "36.0", "44.7", "40.9"),
        TwoStage("2S-VAE (Dai & Wipf)", "", "60.5 +- 0.6", "44.4 +- 0.7"),
        TwoStage("2S-VAE, computed gamma", "33.9 +- 0.8", "43.6 +- 1.3", "42.7 +- 1.0"),
        TwoStage("the same, with normalization", "33.7 +- 0.8", "42.7 +- 1.2", "38.6 +- 1.0"),
    ),
}
# Asperti & Trentin (2020), Table 5: computed gamma on CIFAR-10, by learning rate.
LEARNING_RATES = {
    "cifar10": (
        LearningRate(".00020", 13, "53.0", "80.6", "74.5", ".0039"),
        LearningRate(".00015", 15, "53.3", "79.9", "71.8", ".0040"),
        LearningRate(".00010", 17, "53.8", "80.2", "68.8", ".0041"),
        LearningRate(".00005", 19, "58.2", "83.2", "75.8", ".0047"),
    )
}
# Ghosh et al. (2019), Table 1.
RAE = {
    "mnist": (
        Autoencoder("VAE", "18.26", "19.21", "17.66"),
        Autoencoder("RAE-GP", "14.04", "22.21", "11.54"),
        Autoencoder("RAE-L2", "10.53", "22.22", "8.69"),
        Autoencoder("RAE-SN", "15.65", "19.67", "11.74"),
        Autoencoder("RAE", "11.67", "23.92", "9.81"),
        Autoencoder("AE", "12.95", "58.73", "10.66"),
    ),
    "cifar10": (
        Autoencoder("VAE", "57.94", "106.37", "103.78"),
        Autoencoder("RAE-GP", "32.17", "83.05", "76.33"),
        Autoencoder("RAE-L2", "32.24", "80.80", "74.16"),
        Autoencoder("RAE-SN", "27.61", "84.25", "75.30"),
        Autoencoder("RAE", "29.05", "83.87", "76.28"),
        Autoencoder("AE", "30.52", "84.74", "76.47"),
    ),
    "celeba": (
        Autoencoder("VAE", "39.12", "48.12", "45.52"),
        Autoencoder("RAE-GP", "39.71", "116.30", "45.63"),
        Autoencoder("RAE-L2", "43.52", "51.13", "47.97"),
        Autoencoder("RAE-SN", "36.01", "44.74", "40.95"),
        Autoencoder("RAE", "40.18", "48.20", "44.68"),
        Autoencoder("AE", "40.79", "127.85", "45.10"),
    ),
}


def autoencoders(dataset):
    """The table of Ghosh et al. for a dataset, or None."""
    columns = ["published FID of RAEs", "REC", "one Gaussian", "mixture of ten"]
    return _table(columns, RAE.get(dataset))


def sections(dataset):
    """What the papers' tables print for a dataset: a list of one section, or of none."""
    rates = ["published, by learning rate", "inactive", "REC", "GEN-1", "GEN-2", "mse"]
    if dataset not in FID:
        return []
    found = [
        _table(["published FID", "REC", "GEN-1", "GEN-2"], FID[dataset]),
        _table(rates, LEARNING_RATES.get(dataset)),
        autoencoders(dataset),
    ]
    text = [f"{PAPER}; {BALANCING}; {GHOSH}. Full trainings."]
    tables = [table for table in found if table is not None]
    return [Section("Published figures", text=text, tables=tables)]


def _table(columns, rows):
    return None if rows is None else Table(columns, [list(row) for row in rows])
