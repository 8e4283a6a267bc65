"""Published Frechet Inception distances to stand beside ours; lower is better."""

PAPER = "Asperti (2020), Variance Loss in Variational Autoencoders"

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
