"""Preparation of pixels: crops, resizing, JPEG, binarisation, splits."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from vaekit.datasets import prepare, splits
from vaekit.datasets.binarize import binarize
from vaekit.datasets.celeba import face_from_pixels
from vaekit.errors import UserError
from vaekit.files import load_npz

FIXTURES = Path(__file__).parents[1] / "fixtures"


@pytest.fixture(scope="module")
def numerics():
    return load_npz(FIXTURES / "data_numerics.npz")


def test_jpeg_round_trip_is_that_of_the_original_code(numerics):
    result = prepare.jpeg_round_trip(numerics["jpeg_in"])
    # Which of the two depends on the JPEG library that Pillow was built with.
    assert any(
        np.array_equal(result, numerics[f"jpeg_roundtrip_{library}"])
        for library in ("turbo", "ijg9")
    )


def test_celeba_face_is_that_of_the_original_code(numerics):
    for resize, key in (("bilinear", "celeba_64"), ("nearest", "celeba_64_nearest")):
        face = face_from_pixels(numerics["celeba_in"][0], {"size": 64, "resize": resize})
        np.testing.assert_array_equal(face, numerics[key].reshape(64, 64, 3))


def test_celeba_crop_takes_rows_45_to_172_and_columns_25_to_152():
    rows, columns = np.mgrid[:218, :178].astype(np.uint8)
    pixels = np.stack([rows, columns, rows], axis=-1)
    face = face_from_pixels(pixels, {"size": 128, "resize": "bilinear"})
    np.testing.assert_array_equal(face, pixels[45:173, 25:153])
    with pytest.raises(UserError, match="178 wide and 218 high, got 100 wide and 90 high"):
        prepare.celeba_face(Image.new("RGB", (100, 90)))


def edge_roughness(face):
    """Root mean square distance in pixels of a light-dark edge from its best straight line."""
    # Grey levels of a row add up to the position of its edge, to fractions of a pixel.
    position = face[:, :, 0].astype(float).sum(axis=1) / 255
    rows = np.arange(len(position))
    line = np.polyval(np.polyfit(rows, position, 1), rows)
    return np.sqrt(np.mean((position - line) ** 2))


def test_nearest_neighbour_gives_jagged_edges_and_bilinear_does_not():
    # A straight, slanted, antialiased edge through the crop, drawn at 8 times the size.
    large = Image.new("L", (178 * 8, 218 * 8), 0)
    ImageDraw.Draw(large).polygon([(0, 0), (600, 0), (870, 218 * 8), (0, 218 * 8)], fill=255)
    image = large.resize((178, 218), Image.BOX).convert("RGB")
    pixels = np.asarray(image)
    rough = {
        resize: edge_roughness(face_from_pixels(pixels, {"size": 64, "resize": resize}))
        for resize in ("bilinear", "nearest")
    }
    assert rough["bilinear"] < 0.02  # pixels
    assert rough["nearest"] > 5 * rough["bilinear"]


def test_centre_square_is_centred_and_antialiased():
    pixels = np.zeros((40, 80), np.uint8)
    pixels[:, 20:60:2] = 255  # stripes of one pixel: any subsampling shows
    square = np.asarray(prepare.centre_square(Image.fromarray(pixels), 10))
    assert square.shape == (10, 10)
    assert np.abs(square[:, 1:-1].astype(int) - 127).max() < 3
    assert square.min() > 90  # nothing of the dark sides


def test_stochastic_binarisation_is_fixed_and_has_the_right_mean():
    levels = np.repeat(np.array([0, 64, 128, 255], np.uint8), 40_000)
    draws = binarize(levels, "stochastic", seed=3)
    np.testing.assert_array_equal(draws, binarize(levels, "stochastic", seed=3))
    assert (draws != binarize(levels, "stochastic", seed=4)).any()
    means = draws.reshape(4, -1).mean(axis=1)
    assert means[0] == 0 and means[3] == 1
    np.testing.assert_allclose(means, [0, 64 / 255, 128 / 255, 1], atol=4 * 0.5 / 200)  # 4 sigma


def test_threshold_binarisation():
    assert binarize(np.array([0, 127, 128, 255], np.uint8), "threshold").tolist() == [0, 0, 1, 1]
    with pytest.raises(UserError, match=r"Unknown mode 'coin'.*Known: stochastic, threshold"):
        binarize(np.zeros(3, np.uint8), "coin")
    with pytest.raises(
        UserError, match=r"Expected uint8 images with grey levels 0..255, got float64"
    ):
        binarize(np.zeros(3))


def test_splits_depend_on_the_seed_alone():
    # These are pinned, because another order would silently make another dataset of Frey Face.
    assert splits.permutation(1965, 0)[:5].tolist() == [1374, 980, 513, 1382, 1118]
    images = np.arange(50, dtype=np.uint8).reshape(50, 1, 1, 1)
    parts = splits.split(images, (10, 5), seed=1)
    assert [len(parts[name]) for name in splits.PARTS] == [35, 10, 5]
    assert sorted(np.concatenate(list(parts.values())).ravel()) == list(range(50))
    assert (parts["train"] != splits.split(images, (10, 5), seed=2)["train"]).any()


def test_held_out_images_leave_the_others_in_order():
    images = np.arange(20, dtype=np.uint8).reshape(20, 1, 1, 1)
    train, validation = splits.hold_out(images, 5, seed=0)
    assert (np.diff(train.ravel().astype(int)) > 0).all()
    assert sorted([*train.ravel(), *validation.ravel()]) == list(range(20))
    train, validation = splits.hold_out(images, 0, seed=0)
    assert train is images and validation.shape == (0, 1, 1, 1)
    with pytest.raises(
        UserError, match="validation must be an integer from 0 to 19 for 20 training images, got 20"
    ):
        splits.hold_out(images, 20, seed=0)
    with pytest.raises(UserError, match="cannot be divided"):
        splits.split(images, (10, 10), seed=0)
