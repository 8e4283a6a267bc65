"""Published Frechet Inception distances to stand beside ours; lower is better."""

PAPER = "Asperti (2020), Variance Loss in Variational Autoencoders"
BALANCING = "Asperti & Trentin (2020), arXiv 2002.07514"
GHOSH = "Ghosh et al. (2019), arXiv 1903.12436"

# dataset -> rows of (model, REC, GEN-1, GEN-2): mean and, after +-, deviation over ten trainings
FID = {
    "cifar10": (
        ("RAE-L2, 128 latents", "32.24", "80.8", "74.2"),
        ("2S-VAE (Dai & Wipf)", "", "76.7 +- 0.8", "72.9 +- 0.9"),
        ("2S-VAE, computed gamma", "53.8 +- 0.9", "80.2 +- 1.3", "69.8 +- 1.1"),
        ("the same, with normalization", "53.5 +- 0.9", "78.6 +- 1.2", "69.4 +- 1.0"),
    ),
    "celeba": (
        ("RAE-SN", "36.0", "44.7", "40.9"),
        ("2S-VAE (Dai & Wipf)", "", "60.5 +- 0.6", "44.4 +- 0.7"),
        ("2S-VAE, computed gamma", "33.9 +- 0.8", "43.6 +- 1.3", "42.7 +- 1.0"),
        ("the same, with normalization", "33.7 +- 0.8", "42.7 +- 1.2", "38.6 +- 1.0"),
    ),
}
# Asperti & Trentin (2020), Table 5: learning rate 1e-4 on CIFAR-10.
FIGURES = {"cifar10": {"mse": 0.0041, "inactive": 17}}
# Ghosh et al. (2019), Table 1: FID of REC, of one Gaussian and of a mixture of ten.
RAE = {
    "mnist": (
        ("VAE", "18.26", "19.21", "17.66"),
        ("RAE-GP", "14.04", "22.21", "11.54"),
        ("RAE-L2", "10.53", "22.22", "8.69"),
        ("RAE-SN", "15.65", "19.67", "11.74"),
        ("RAE", "11.67", "23.92", "9.81"),
        ("AE", "12.95", "58.73", "10.66"),
    ),
    "cifar10": (
        ("VAE", "57.94", "106.37", "103.78"),
        ("RAE-GP", "32.17", "83.05", "76.33"),
        ("RAE-L2", "32.24", "80.80", "74.16"),
        ("RAE-SN", "27.61", "84.25", "75.30"),
        ("RAE", "29.05", "83.87", "76.28"),
        ("AE", "30.52", "84.74", "76.47"),
    ),
    "celeba": (
        ("VAE", "39.12", "48.12", "45.52"),
        ("RAE-GP", "39.71", "116.30", "45.63"),
        ("RAE-L2", "43.52", "51.13", "47.97"),
        ("RAE-SN", "36.01", "44.74", "40.95"),
        ("RAE", "40.18", "48.20", "44.68"),
        ("AE", "40.79", "127.85", "45.10"),
    ),
}
# Asperti & Trentin (2020), Table 5: learning rate, inactive latents, FID of REC, GEN-1, GEN-2, mse.
LEARNING_RATES = {
    "cifar10": (
        (".00020", 13, "53.0", "80.6", "74.5", ".0039"),
        (".00015", 15, "53.3", "79.9", "71.8", ".0040"),
        (".00010", 17, "53.8", "80.2", "68.8", ".0041"),
        (".00005", 19, "58.2", "83.2", "75.8", ".0047"),
    )
}
