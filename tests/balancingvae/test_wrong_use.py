"""Networks, stages and datasets that do not fit together; runs smaller than their preset."""

import dataclasses

import numpy as np
import pytest

import balancingvae
from balancingvae import checkpoint, presets, report, train
from balancingvae.networks.resnet import check_num_scale
from vaekit.datasets import Dataset
from vaekit.errors import UserError
from vaekit.runs import Run
from vaekit.training import checkpoints

SMALL = presets.Config(
    "digits", "digits", (8, 8, 1), num_scale=1, depth_per_block=1, base_dim=2, fc_dim=3,
    latent_dim=2, second_depth=1, second_dim=4, batch_size=4, epochs=1, epochs2=1,
)  # fmt: skip


def images(*shape, kind="discretized_logistic"):
    pixels = np.zeros((8, *shape), np.uint8)
    return Dataset("shapes", pixels, pixels[:4], pixels[:4], kind, "", "")


@pytest.fixture(scope="module")
def model():
    return presets.model(SMALL)


def test_a_side_that_cannot_be_halved_that_often():
    with pytest.raises(UserError, match=r"num_scale 5 .* 8 x 8.* halved 3 times.*from 1 to 4"):
        check_num_scale(5, (8, 8, 1))
    with pytest.raises(UserError, match="at least 4 for the ResNet, got 3 x 64"):
        check_num_scale(1, (3, 64, 3))


def test_stages_of_different_latents(model, tmp_path):
    balancingvae.save(model, tmp_path, SMALL)
    other = dataclasses.replace(SMALL, latent_dim=3)
    balancingvae.save(presets.model(other), tmp_path / "other", other)
    (tmp_path / "other" / "stage_two.npz").replace(tmp_path / "stage_two.npz")
    with pytest.raises(UserError, match=r"stage_two\.npz .*encoder/mean/bias has shape \(3,\)"):
        balancingvae.load(tmp_path)
    with pytest.raises(
        UserError, match=r"latents of shape \(n, 2\) with n at least 1, got \(5, 3\)"
    ):
        model.stage_two.encode(np.zeros((5, 3)))


def test_weights_of_the_other_stage(model):
    with pytest.raises(UserError, match="encoder/fc0/kernel is not in this model"):
        checkpoint.assign(model.stage_one, checkpoint.to_arrays(model.stage_two), "stage_one.npz")


def test_a_second_stage_without_a_trained_first(model, tmp_path):
    data = images(8, 8, 1)
    with Run(tmp_path, {}) as run:
        with pytest.raises(UserError, match=r"needs a trained first stage.*stage_one\.npz"):
            train.posterior(model, data.train, run)
        unfinished = {"model": model.stage_one.variables}
        checkpoints.save(run.checkpoint_path("stage_one"), unfinished, {"finished": False})
        with pytest.raises(UserError, match="resumes the first stage"):
            train.posterior(model, data.train, run)


@pytest.mark.parametrize(
    "data, message",
    [
        (
            images(32, 32, 3),
            r"digits expects images of shape \(8, 8, 1\), got shapes with \(32, 32, 3\)",
        ),
        (images(8, 8, 1, kind="bernoulli"), r"digits expects 0\.\.255 pixels, got shapes with 0/1"),
    ],
)
def test_a_model_of_another_dataset(data, message, tmp_path):
    with Run(tmp_path, {}) as run, pytest.raises(UserError, match=message):
        train.train(SMALL, data, run, progress=False)
    assert not list(tmp_path.glob("*.npz"))


def test_a_shortened_run_is_labelled():
    values = dataclasses.asdict(presets.preset("cifar10"))
    metrics = {"config": values, "reduced_images": False}
    assert report.reduction(metrics) == ""
    metrics = {"config": values | {"epochs": 4}, "reduced_images": True, "training_images": 2000}
    assert report.reduction(metrics) == ("epochs 4 in place of 700, 2,000 training images, not all")
