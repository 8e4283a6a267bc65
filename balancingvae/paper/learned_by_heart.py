"""The pathological case: a dense VAE that learns a hundred images by heart.

It reconstructs unseen images as those it knows, which are sharp and no averages, so hardly any of
its error is lost variance. Asperti, "Variance Loss in Variational Autoencoders", LOD 2020, mentions
a pathological dense network; this construction is ours.
"""

import dataclasses

from balancingvae.paper import first_stage
from balancingvae.paper.variance_losses import LOSSES, cells
from balancingvae.run import load_dataset
from vaekit.reporting.reports import Section, Table

DATASET, LATENT_DIM, IMAGES, EPOCHS, GAMMA = "mnist", 32, 100, 400, 0.05


def measure(options, base_dim, fc_dim, seed):
    """Train the network, and measure it on its training images and on unseen ones.

    Args:
        options: `run.Options`; this study sets the number of training images itself.
        base_dim, fc_dim, seed: as in `Config`.
    Returns:
        dict of "training images" and "unseen images" to a row of `first_stage.train_and_measure`.
    """
    config = first_stage.small_config(
        DATASET,
        "dense",
        LATENT_DIM,
        EPOCHS,
        base_dim=base_dim,
        fc_dim=fc_dim,
        seed=seed,
        gamma_policy="fixed",
        gamma=GAMMA,
    )
    dataset = load_dataset(config, dataclasses.replace(options, images=IMAGES))
    seen = dataclasses.replace(dataset, test=dataset.train)
    budgets = (EPOCHS,)
    train_and_measure = first_stage.train_and_measure
    return {
        "training images": train_and_measure(config, seen, budgets, options, "+seen")[-1],
        "unseen images": train_and_measure(config, dataset, budgets, options)[-1],
    }


def section(found):
    """The section on the result of `measure`."""
    row = next(iter(found.values()))
    text = (
        f"A dense VAE with {row['latent_dim']} latents and fixed gamma {GAMMA:g}, trained on "
        f"{row['images']} images of {row['dataset']} for {row['epochs']} epochs, learns them by "
        "heart. It reconstructs unseen images as sharp but wrong images instead of averages: the "
        "error is large, and hardly any of it is lost variance. The paper mentions a pathological "
        "dense case; this construction is ours."
    )
    body = [[name, *cells(row)] for name, row in found.items()]
    columns = ["reconstructed", *LOSSES.values()]
    return Section("A pathological dense network", text=[text], tables=[Table(columns, body)])
