"""From images to network inputs: resizes, ranges, and every switch of a protocol."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from vaekit.errors import UserError
from vaekit.fid import PROTOCOLS, Extractor, feature_statistics, fid, get_extractor, get_protocol
from vaekit.fid.pixels import prepare
from vaekit.fid.resize import bilinear_matrix, resize

RECORDED = Path(__file__).parents[1] / "fixtures" / "fid_numerics.npz"
AS_IS = Extractor(lambda x: x, "as is", "as is")
SCALED = Extractor(lambda x: x, "scaled", "scaled", image_size=6, channels=3, scaled=True)


def rgb(n=3, size=4, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (n, size, size, 3), np.uint8)


def test_legacy_resize_equals_values_recorded_from_tensorflow_1():
    with np.load(RECORDED) as recorded:
        # One side at a time, since the recorded target is not square.
        image, expected = recorded["resize_in"], recorded["resize_13x11"]
        rows, columns = bilinear_matrix(5, 13, False), bilinear_matrix(7, 11, False)
        ours = np.einsum("yh,nhwc,xw->nyxc", rows, image, columns)
        np.testing.assert_allclose(ours, expected, atol=1e-6 * np.abs(expected).max())
        at = np.ix_(recorded["resize_index"], recorded["resize_index"])
        for size in (32, 64):
            image, expected = recorded[f"resize{size}_in"], recorded[f"resize{size}_299_at"]
            ours = resize(image, 299, "tf1_bilinear")[0][at]
            np.testing.assert_allclose(ours, expected, atol=1e-6 * np.abs(expected).max())
            modern = resize(image, 299, "bilinear")[0][at]
            assert np.abs(modern - expected).max() > 0.1 * np.abs(expected).max()


@pytest.mark.parametrize("target", [5, 16, 37])
def test_bilinear_equals_tensorflows(target):
    import tensorflow as tf

    image = rgb(2, 16).astype(np.float32)
    modern = tf.image.resize(image, (target, target)).numpy()
    np.testing.assert_allclose(resize(image, target, "bilinear"), modern, atol=1e-3)
    legacy = tf.compat.v1.image.resize_bilinear(image, (target, target)).numpy()
    np.testing.assert_allclose(resize(image, target, "tf1_bilinear"), legacy, atol=1e-3)


def test_clean_resize_averages_when_it_shrinks():
    checkerboard = np.indices((64, 64)).sum(axis=0) % 2 * 255.0
    image = np.float32(checkerboard)[None, :, :, None]
    inner = resize(image, 16, "clean")[0, 2:-2, 2:-2]
    np.testing.assert_allclose(inner, 127.5, atol=1.0)
    assert np.ptp(resize(image, 16, "tf1_bilinear")) in (0, 255)  # aliased: one colour of the board
    constant = np.full((2, 7, 9, 3), 200.25, np.float32)
    np.testing.assert_allclose(resize(constant, 30, "clean"), 200.25, rtol=1e-6)


def test_scaling_and_rounding():
    half = np.full((1, 6, 6, 3), 0.5)
    protocol = get_protocol("balancing")  # x/127.5 - 1, not rounded
    np.testing.assert_allclose(prepare(half, protocol, SCALED), 0.0, atol=1e-7)
    protocol = get_protocol("rae")  # (x - 128)/128, rounded: 127.5 goes to the even 128
    np.testing.assert_allclose(prepare(half, protocol, SCALED), 0.0)
    np.testing.assert_allclose(prepare(0.3 + half * 0, protocol, AS_IS), 76 / 255, rtol=1e-6)
    exact = prepare(rgb(), get_protocol("balancing"), AS_IS)
    np.testing.assert_array_equal(exact, (rgb() / np.float32(255)).astype(np.float32))


def test_two_stage_stretches_generated_images_only():
    protocol = get_protocol("two_stage")
    image = 0.25 + rgb() / 1024
    np.testing.assert_allclose(prepare(image, protocol, AS_IS), image, rtol=1e-6)
    stretched = prepare(image, protocol, AS_IS, generated=True)
    np.testing.assert_allclose(stretched.min(axis=(1, 2, 3)), 0.0, atol=1e-7)
    np.testing.assert_allclose(stretched.max(axis=(1, 2, 3)), 1.0, atol=1e-6)
    assert not prepare(np.full((1, 4, 4, 3), 0.7), protocol, AS_IS, generated=True).any()
    with pytest.raises(
        UserError, match=r"Expected statistics of generated images.*stretches generated images"
    ):
        fid(image, feature_statistics(image, "pixels", protocol), protocol, "pixels")


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((4, 4, 3), np.uint8), "Add a channel axis"),
        (
            np.zeros((2, 4), np.uint8),
            r"Expected images of shape \(n, height, width, channels\), got \(2, 4\)",
        ),
        (np.full((2, 4, 4, 3), 2.0), "Divide by 255"),
        (np.full((2, 4, 4, 3), -0.1), "from -0.1"),
        (np.full((2, 4, 4, 3), np.nan), "NaN"),
        (np.zeros((2, 4, 4, 3), np.int64), "got int64"),
        (np.zeros((2, 4, 4, 3), complex), "dtype complex"),
        (
            np.ones((2, 4, 4, 3), np.uint8),
            r"got only the values 0 and 1\. Pass images\.astype\(bool\)",
        ),
        (np.zeros((2, 4, 4, 1)), "--grey-to-rgb"),
        (np.zeros((2, 4, 4, 4)), "scaled expects images with 3 channels, got 4"),
    ],
)
def test_refused_images(images, message):
    with pytest.raises(UserError, match=message):
        prepare(images, get_protocol("rae"), SCALED)


def test_grey_to_rgb_repeats():
    grey = rgb()[..., :1]
    given = prepare(grey, get_protocol("rae"), SCALED, grey_to_rgb=True)
    expected = prepare(np.repeat(grey, 3, axis=-1), get_protocol("rae"), SCALED)
    np.testing.assert_array_equal(given, expected)


@pytest.mark.parametrize(
    "switch",
    [
        {"resize": "bilinear"},
        {"resize": "clean"},
        {"scaling": "minus128"},
        {"round_uint8": True},
        {"num_reference": 50},
        {"num_generated": 50},
        {"whole_batches": 64},
        {"ddof": 0},
        {"stretch_generated": True},
    ],
    ids=str,
)
def test_every_switch_moves_the_distance(switch):
    base = dataclasses.replace(get_protocol("balancing"), whole_batches=1)
    real, fake = rgb(90, seed=1), rgb(80, seed=2) / 255 * 0.9
    before = fid(real, fake, base, SCALED)
    assert fid(real, fake, dataclasses.replace(base, **switch), SCALED) != before


def test_presets_say_what_they_are():
    assert set(PROTOCOLS) >= {"balancing", "two_stage", "rae", "standard"}
    described = {p.describe() for p in PROTOCOLS.values()}
    assert len(described) == len(PROTOCOLS)
    assert len(get_protocol("balancing").choose(10_000, True)) == 9_984
    assert len(get_protocol("standard").choose(162_770, False)) == 162_770
    chosen = get_protocol("rae").choose(50_000, True)
    assert len(np.unique(chosen)) == 10_000
    assert chosen.max() > 49_000  # not the first ones: files are often sorted by class
    with pytest.raises(UserError, match=r"Unknown FID protocol 'raw'.*balancing"):
        get_protocol("raw")
    with pytest.raises(UserError, match="Unknown resize 'nearest'"):
        dataclasses.replace(get_protocol("rae"), resize="nearest")


def test_unknown_extractor_lists_the_known_ones():
    with pytest.raises(
        UserError,
        match=r"Unknown extractor 'incepton'\. Did you mean inception .*Known: inception, inc",
    ):
        get_extractor("incepton")
