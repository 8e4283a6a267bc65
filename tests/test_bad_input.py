"""A user's mistake on the command line: one clear line, a status other than 0, no file replaced."""

import importlib
import os
import sys

import numpy as np
import pytest

from vaekit.errors import UserError

PACKAGES = ("balancingvae", "vampprior")


def call(package, *arguments):
    """Exit status of a command line in a shell."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [package, *map(str, arguments)])
        try:
            return importlib.import_module(f"{package}.__main__").command()
        except SystemExit as stop:  # argparse's own
            return stop.code


def error_of(capsys):
    captured = capsys.readouterr().err
    assert "Traceback" not in captured
    return captured


@pytest.fixture(params=PACKAGES)
def package(request):
    return request.param


def test_unknown_preset_lists_the_known(package, capsys, tmp_path):
    assert call(package, "digitz", "--runs", tmp_path) == 1
    error = error_of(capsys)
    assert error.startswith("error: Unknown preset 'digitz'. Did you mean digits")
    assert "Known: " in error and "cifar10" in error and "folder:PATH" in error
    assert os.listdir(tmp_path) == []


def test_unknown_option_and_bad_numbers(package, capsys):
    assert call(package, "digits", "--epocs2x", "3") == 2
    assert "unrecognized arguments: --epocs2x 3" in error_of(capsys)
    for option, kind in (
        ("--epochs", "a positive integer"),
        ("--lr", "a positive number"),
        ("--seed", "a non-negative integer"),
    ):
        for value in ("-1", "x"):
            assert call(package, "digits", f"{option}={value}") == 2
            assert f"argument {option}: must be {kind}, got '{value}'" in error_of(capsys)


def test_empty_folder_of_images(package, capsys, tmp_path):
    (tmp_path / "images").mkdir()
    assert call(package, f"folder:{tmp_path / 'images'}", "--runs", tmp_path / "runs") == 1
    assert "images contains no images. Expected files ending in .png" in error_of(capsys)
    assert not (tmp_path / "runs").exists()


def test_damaged_data_is_named(package, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = {"vampprior": "tomczak_caltech101_silhouettes_standard"}.get(package)
    (tmp_path / "caltech101_silhouettes").mkdir()
    (tmp_path / "caltech101_silhouettes" / "caltech101_silhouettes_28_split1.mat").write_bytes(
        b"MATLAB 5.0 MAT-file" + bytes(500)
    )
    arguments = (name or "caltech101_silhouettes", "--data-dir", tmp_path, "--runs", "runs")
    assert call(package, *arguments) == 1
    error = error_of(capsys)
    assert "28_split1.mat is truncated, altered or not a MATLAB file" in error
    assert "Download the file again from its publisher." in error


def test_unwritable_runs_folder(package, capsys, tmp_path):
    (tmp_path / "runs").write_text("a file in the way")
    options = {"balancingvae": ["--no-fid"], "vampprior": ["--priors", "standard"]}[package]
    assert call(package, "digits", "--runs", tmp_path / "runs", *options) == 1
    error = error_of(capsys)
    assert "error: Cannot write to " in error and "Choose another folder with --runs." in error
    assert (tmp_path / "runs").read_text() == "a file in the way"


def test_a_run_of_another_configuration_is_left_alone(package, capsys, tmp_path):
    name = {"balancingvae": "digits", "vampprior": "digits_standard"}[package]
    directory = tmp_path / package / name / "seed0"
    directory.mkdir(parents=True)
    (directory / "config.json").write_text('{"package": "another"}')
    options = {"balancingvae": ["--no-fid"], "vampprior": []}[package]
    assert call(package, name, "--runs", tmp_path, *options) == 1
    error = error_of(capsys)
    assert f"{directory} contains a run of another configuration (" in error
    assert f"package: 'another' instead of '{package}'" in error
    assert (directory / "config.json").read_text() == '{"package": "another"}'


def test_damaged_and_foreign_checkpoints(package, tmp_path):
    load = importlib.import_module(package).load
    with pytest.raises(UserError, match="nowhere"):
        load(tmp_path / "nowhere")
    for file in ("model.npz", "stage_one.npz", "stage_two.npz"):
        (tmp_path / file).write_bytes(b"")
    (tmp_path / "config.json").write_text('{"package": "another", "config": {}}')
    with pytest.raises(UserError, match=rf"of another|does not describe a {package} run"):
        load(tmp_path)
    (tmp_path / "config.json").write_text("[1, 2")
    with pytest.raises(UserError, match=r"config\.json is damaged: it is not JSON"):
        load(tmp_path)


def test_a_vampprior_of_more_images_than_there_are(capsys, tmp_path):
    arguments = ("digits_vampprior_data", "-K", "2000", "--runs", tmp_path)
    assert call("vampprior", *arguments) == 1
    expected = "num_pseudo_inputs must be at most the number of images, 1397"
    assert expected in error_of(capsys)


def test_a_side_that_cannot_be_halved_and_grey_for_rgb(capsys, tmp_path):
    from PIL import Image

    (tmp_path / "images").mkdir()
    for index in range(12):
        pixels = np.full((6, 6), index, np.uint8)
        Image.fromarray(pixels).save(tmp_path / "images" / f"{index}.png")
    arguments = (f"folder:{tmp_path / 'images'}", "--num-scale", "9", "--batch-size", "2")
    assert call("balancingvae", *arguments, "--runs", tmp_path / "runs", "--no-fid") == 1
    assert "num_scale 9 does not fit images of 6 x 6" in error_of(capsys)
