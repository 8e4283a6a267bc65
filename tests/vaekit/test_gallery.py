"""Interpolations and traversals on a linear model, whose pictures are known."""

import argparse

import numpy as np
import pytest
from PIL import Image

from vaekit import files
from vaekit.errors import UserError
from vaekit.reporting import gallery, pictures


class Linear:
    """Two latents, the means of the left and of the right pixel; the second is less certain."""

    def encode(self, images):
        mean = np.asarray(images, np.float32).reshape(len(images), 2) / 255
        return mean, np.tile(np.float32([-1.0, -0.5]), (len(mean), 1))

    def decode(self, z):
        return np.clip(np.reshape(z, (-1, 1, 2, 1)), 0, 1)

    def reconstruct(self, images):
        return self.decode(self.encode(images)[0])


IMAGES = np.uint8([[0, 255], [255, 0], [255, 255], [0, 0]]).reshape(4, 1, 2, 1)
PACKAGE = gallery.Package(
    name="toy",
    load=lambda directory: Linear(),
    read_config=lambda directory: {"images": IMAGES},
    sample=lambda model, n, seed, arguments: np.full((n, 1, 2, 1), arguments.level),
    test_images=lambda config, data_dir: config["images"],
    sample_options=lambda parser: parser.add_argument("--level", type=float, default=0.5),
)


def test_interpolation_runs_straight_from_image_to_image():
    rows = pictures.interpolate(Linear(), IMAGES, steps=3).reshape(2, 3, 2)
    assert rows.tolist() == [[[0, 1], [0.5, 0.5], [1, 0]], [[1, 1], [0.5, 0.5], [0, 0]]]


def test_traversal_moves_one_latent_and_begins_with_the_most_active():
    grid, latents = pictures.traverse(Linear(), IMAGES, rows=2, steps=3, reach=1.0)
    assert latents.tolist() == [0, 1]
    first, second = grid.reshape(2, 3, 2)
    assert first.tolist() == [[0, 1], [0, 1], [1, 1]]
    assert second.tolist() == [[0, 0], [0, 0], [0, 1]]


def test_reconstructions_are_below_their_originals():
    originals = np.arange(3.0).reshape(3, 1, 1, 1)
    grid = pictures.beside(originals, originals + 10, columns=2)
    assert grid.ravel().tolist() == [0, 1, 10, 11, 2, 1, 12, 1]  # the last row filled with white


@pytest.mark.parametrize("name", gallery.COMMANDS[1:])
def test_commands_write_pictures_and_arrays(name, tmp_path, capsys):
    parser = argparse.ArgumentParser()
    gallery.add_commands(parser.add_subparsers(), PACKAGE)
    for suffix in ("png", "npz"):
        out = tmp_path / f"x.{suffix}"
        arguments = parser.parse_args([name, str(tmp_path), "--n", "2", "--out", str(out)])
        arguments.function(arguments)
    assert Image.open(tmp_path / "x.png").size[0] > 0
    arrays = files.load_npz(tmp_path / "x.npz")
    assert all(a.dtype == np.uint8 and a.shape[1:] == (1, 2, 1) for a in arrays.values())
    assert "x.png" in capsys.readouterr().out
    if name == "reconstruct":
        assert np.array_equal(arrays["originals"], arrays["reconstructions"])
    if name == "sample":
        assert arrays["images"].tolist() == [[[[128], [128]]]] * 2


def test_other_file_names_are_refused(tmp_path):
    with pytest.raises(UserError, match=r"file name ending in \.png or \.npz, got .*x\.jpg"):
        pictures.write(tmp_path / "x.jpg", IMAGES)


def test_a_negative_seed_is_refused(capsys):
    parser = argparse.ArgumentParser()
    gallery.add_commands(parser.add_subparsers(), PACKAGE)
    with pytest.raises(SystemExit):
        parser.parse_args(["sample", "here", "--seed", "-1"])
    assert "argument --seed: must be a non-negative integer, got '-1'" in capsys.readouterr().err
