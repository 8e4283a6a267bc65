"""A user's mistake on the command line: one clear line, status not 0, nothing written over."""

import os

import numpy as np
import pytest

import balancingvae.__main__
import vampprior.__main__
from vaekit import cli

PACKAGES = {"balancingvae": balancingvae.__main__, "vampprior": vampprior.__main__}


def call(package, *arguments):
    """Exit status of a command line, as the shell sees it."""
    try:
        return cli.run(PACKAGES[package].main, [str(argument) for argument in arguments])
    except SystemExit as stop:  # argparse's own
        return stop.code


def error_of(capsys):
    captured = capsys.readouterr().err
    assert "Traceback" not in captured
    return captured


@pytest.fixture(params=sorted(PACKAGES))
def package(request):
    return request.param


def test_unknown_preset_lists_the_known(package, capsys, tmp_path):
    assert call(package, "digitz", "--runs", tmp_path) == 1
    error = error_of(capsys)
    assert "'digitz'" in error and "cifar10" in error and "folder:PATH" in error
    assert os.listdir(tmp_path) == []


def test_unknown_option_and_bad_numbers(package, capsys):
    assert call(package, "digits", "--epocs2x", "3") == 2
    assert "unrecognized arguments" in error_of(capsys)
    assert call(package, "digits", "--epochs", "0") == 2
    assert "--epochs" in error_of(capsys)


def test_empty_folder_of_images(package, capsys, tmp_path):
    (tmp_path / "images").mkdir()
    assert call(package, f"folder:{tmp_path / 'images'}", "--runs", tmp_path / "runs") == 1
    assert "images" in error_of(capsys)
    assert not (tmp_path / "runs").exists()


def test_missing_data_says_what_was_tried(package, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = {"vampprior": "tomczak_caltech101_silhouettes_standard"}.get(package)
    (tmp_path / "caltech101_silhouettes").mkdir()
    (tmp_path / "caltech101_silhouettes" / "caltech101_silhouettes_28_split1.mat").write_bytes(
        b"MATLAB 5.0 MAT-file" + bytes(500)
    )
    arguments = (name or "caltech101_silhouettes", "--data-dir", tmp_path, "--runs", "runs")
    assert call(package, *arguments) == 1
    assert "caltech101_silhouettes_28_split1.mat" in error_of(capsys)


def test_unwritable_runs_folder(package, capsys, tmp_path):
    (tmp_path / "runs").write_text("a file in the way")
    options = {"balancingvae": ["--no-fid"], "vampprior": ["--priors", "standard"]}[package]
    assert call(package, "digits", "--runs", tmp_path / "runs", *options) == 1
    assert "Choose another folder with --runs" in error_of(capsys)
    assert (tmp_path / "runs").read_text() == "a file in the way"


def test_a_run_of_another_configuration_is_left_alone(package, capsys, tmp_path):
    name = {"balancingvae": "digits", "vampprior": "digits_standard"}[package]
    directory = tmp_path / package / name / "seed0"
    directory.mkdir(parents=True)
    (directory / "config.json").write_text('{"package": "another"}')
    options = {"balancingvae": ["--no-fid"], "vampprior": []}[package]
    assert call(package, name, "--runs", tmp_path, *options) == 1
    assert "contains a run of another configuration" in error_of(capsys)
    assert (directory / "config.json").read_text() == '{"package": "another"}'


def test_damaged_and_foreign_checkpoints(package, capsys, tmp_path):
    from vaekit.errors import UserError

    load = __import__(package).load
    with pytest.raises(UserError, match="nowhere"):
        load(tmp_path / "nowhere")
    for file in ("model.npz", "stage_one.npz", "stage_two.npz"):
        (tmp_path / file).write_bytes(b"")
    (tmp_path / "config.json").write_text('{"package": "another", "config": {}}')
    with pytest.raises(UserError, match=rf"(no|not of|not describe a run of) {package}"):
        load(tmp_path)
    (tmp_path / "config.json").write_text("[1, 2")
    with pytest.raises(UserError, match=r"config\.json is damaged"):
        load(tmp_path)


def test_a_vampprior_of_more_images_than_there_are(capsys, tmp_path):
    arguments = ("digits_vampprior_data", "-K", "2000", "--runs", tmp_path)
    assert call("vampprior", *arguments) == 1
    assert "Take num_pseudo_inputs of at most 1397" in error_of(capsys)


def test_a_side_that_cannot_be_halved_and_grey_for_rgb(capsys, tmp_path):
    from PIL import Image

    (tmp_path / "images").mkdir()
    for index in range(12):
        pixels = np.full((6, 6), index, np.uint8)
        Image.fromarray(pixels).save(tmp_path / "images" / f"{index}.png")
    arguments = (f"folder:{tmp_path / 'images'}", "--num-scale", "9", "--batch-size", "2")
    assert call("balancingvae", *arguments, "--runs", tmp_path / "runs", "--no-fid") == 1
    assert "num_scale" in error_of(capsys)
