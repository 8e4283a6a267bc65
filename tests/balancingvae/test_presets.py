"""Every preset row: the published sizes and budgets, exactly."""

import dataclasses
import math

import numpy as np
import pytest

import balancingvae
from balancingvae import networks, presets
from vaekit.errors import UserError

# image side, latents, batch, k, epochs, rate, halved every; the last three for the second stage too
PUBLISHED = {
    "cifar10": (32, 64, 100, 1, 700, 1e-4, 250, 1400, 1e-4, 400),
    "celeba": (64, 64, 100, 4, 70, 5e-5, 60, 140, 5e-5, 120),
    "cifar10_lr0.00020": (32, 64, 100, 1, 700, 2e-4, 250, 1400, 1e-4, 400),
    "cifar10_lr0.00015": (32, 64, 100, 1, 700, 1.5e-4, 250, 1400, 1e-4, 400),
    "cifar10_lr0.00005": (32, 64, 100, 1, 700, 5e-5, 250, 1400, 1e-4, 400),
    "celeba_model1": (64, 64, 100, 4, 70, 1e-4, 48, 140, 1e-4, 120),
    "celeba_model2": (64, 64, 100, 4, 70, 1e-4, 48, 140, 1e-4, 120),
    "celeba_model3": (64, 64, 100, 4, 70, 1e-4, 48, 140, 1e-4, 120),
    "celeba_model4": (64, 128, 100, 1, 70, 1e-4, 48, 140, 1e-4, 120),
    "cifar10_two_stage": (32, 64, 100, 1, 1000, 1e-4, 300, 2000, 1e-4, 600),
    "celeba_two_stage": (64, 128, 64, 1, 100, 1e-4, 40, 100, 1e-4, 40),
    "cifar10_infogan": (32, 64, 64, 1, 400, 1e-4, 150, 800, 1e-4, 300),
    "celeba_wae": (64, 64, 64, 1, 70, 1e-4, 30, 70, 1e-4, 30),
    "cifar10_paper": (32, 64, 100, 1, 700, 1e-4, 250, 1400, 1e-4, 400),
    "celeba_paper": (64, 64, 100, 4, 70, 5e-5, 60, 140, 5e-5, 120),
    "digits": (8, 16, 100, 1, 120, 1e-3, 40, 240, 1e-3, 80),
    "mnist": (28, 16, 100, 1, 30, 1e-3, 10, 60, 1e-3, 20),
    "fashion_mnist": (28, 16, 100, 1, 30, 1e-3, 10, 60, 1e-3, 20),
    "static_mnist": (28, 16, 100, 1, 30, 1e-3, 10, 60, 1e-3, 20),
    "frey_faces": (28, 16, 100, 1, 200, 1e-3, 70, 400, 1e-3, 130),
    "caltech101_silhouettes": (28, 16, 100, 1, 60, 1e-3, 10, 60, 1e-3, 20),
}
# Trainable parameters: encoder and decoder of the first stage, then of the second.
PARAMETERS = {
    "cifar10": (1_135_840, 4_054_627, 8_796_288, 8_661_056),
    "cifar10_infogan": (8_657_472, 8_616_131, 2_305_152, 2_235_456),
    "celeba_wae": (25_607_296, 21_475_331, 2_305_152, 2_235_456),
    "digits": (68_784, 62_481, 144_672, 140_304),
    "mnist": (206_512, 998_673, 144_672, 140_304),
}


def test_sizes_and_budgets_of_every_preset():
    found = {
        name: (
            c.image_shape[0], c.latent_dim, c.batch_size, c.k, c.epochs, c.lr, c.lr_epochs,
            c.epochs2, c.lr2, c.lr_epochs2,
        )
        for name, c in presets.PRESETS.items()
    }  # fmt: skip
    assert found == PUBLISHED
    learned = {n for n, c in presets.PRESETS.items() if c.gamma_policy == "learned"}
    assert learned == {"cifar10_two_stage", "celeba_two_stage", "cifar10_infogan", "celeba_wae"}
    assert presets.preset("frey_faces").image_shape == (28, 20, 1)


@pytest.mark.parametrize("name", PARAMETERS)
def test_numbers_of_parameters(name):
    config = presets.preset(name)
    second = networks.StageTwo(config.second_depth, config.second_dim)
    parts = [
        *presets.network(config).build(config.image_shape, config.latent_dim),
        *second.build(config.latent_dim),
    ]
    counts = tuple(sum(math.prod(v.shape) for v in part.trainable_weights) for part in parts)
    assert counts == PARAMETERS[name]


def test_penalties_of_the_models_of_table_3():
    two, three = presets.preset("celeba_model2"), presets.preset("celeba_model3")
    for config, expected in (
        (presets.preset("celeba"), set()),
        (presets.preset("celeba_paper"), {"downsample", "up"}),
        (two, {"up", "scale"}),
        (three, {"downsample"}),
    ):
        small = dataclasses.replace(config, base_dim=1, fc_dim=2, image_shape=(16, 16, 3))
        penalised = {
            layer.name.rstrip("0123456789").split("0")[0].rstrip("0123456789")
            for part in presets.network(small).build((16, 16, 3), 2)
            for layer in part.layers
            if getattr(layer, "kernel_regularizer", None) is not None
        }
        assert {name.split("_")[0].rstrip("0123456789") for name in penalised} == expected


def test_the_model_of_a_preset():
    model = balancingvae.TwoStageVAE.from_preset("digits", weights=False)
    assert model.stage_one.sampling.seed == 0 and model.stage_two.sampling.seed == 1
    assert model.stage_one.kl_weight == 1 and model.stage_two.kl_weight == 1
    config = dataclasses.replace(
        presets.preset("digits"), gamma_policy="fixed", gamma=0.3, kl_factor=None, network="dense"
    )
    model = presets.model(config)
    assert float(model.stage_one.gamma) == float(model.stage_two.gamma) == np.float32(0.3)
    assert model.stage_one.kl_weight == 1.0  # (2 * 8 / 16)^2
    assert model.stage_one.network == networks.Dense(2, 128)
    released = balancingvae.TwoStageVAE.from_preset("digits")
    assert float(released.stage_one.gamma) < 0.2


@pytest.mark.parametrize(
    "change, message",
    [
        ({"latent_dim": 0}, "latent_dim must be a positive integer, got 0"),
        ({"epochs": -1}, "epochs must be a non-negative integer, got -1"),
        ({"lr": 0.0}, "lr must be a positive number, got 0.0"),
        ({"kl_factor": -1.0}, "kl_factor must be a positive number, got -1.0"),
        ({"network": "resnt"}, "Unknown network 'resnt'. Did you mean resnet"),
        ({"gamma_policy": "bacth"}, "Unknown gamma_policy 'bacth'. Did you mean batch"),
        ({"apply_l2": "up"}, "Unknown apply_l2 'up'. Known"),
    ],
)
def test_settings_out_of_range(change, message):
    with pytest.raises(UserError, match=message):
        dataclasses.replace(presets.preset("digits"), **change)
