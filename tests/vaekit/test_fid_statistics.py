"""Streaming, keeping and refusing feature statistics; the cache of reference sets."""

import dataclasses

import numpy as np
import pytest

from vaekit.errors import UserError
from vaekit.fid import KerasExtractor, Moments, Statistics, feature_statistics
from vaekit.fid.cache import reference_statistics
from vaekit.fid.measure import Measurement


def images(n, seed, size=4):
    return np.random.default_rng(seed).integers(0, 256, (n, size, size, 1), np.uint8)


def test_streaming_equals_one_piece():
    x = np.random.default_rng(0).standard_normal((5000, 7)) + 1e4  # far from zero
    moments = Moments()
    for start in range(0, 5000, 64):
        moments.update(x[start : start + 64])
    result = moments.statistics(Statistics(np.zeros(0), np.zeros((0, 0)), 0))
    assert result.count == 5000
    np.testing.assert_allclose(result.mean, x.mean(axis=0), rtol=1e-14)
    np.testing.assert_allclose(result.covariance, np.cov(x, rowvar=False), atol=1e-11)


def test_equals_numpy_on_pixels_and_divides_as_the_protocol_says():
    x = images(300, 1)
    flat = x.reshape(300, -1) / 255
    result = feature_statistics(x, "pixels", "standard")
    np.testing.assert_allclose(result.covariance, np.cov(flat, rowvar=False), atol=1e-8)
    population = dataclasses.replace(Measurement("standard", "pixels").protocol, ddof=0)
    result = feature_statistics(x, "pixels", population)
    np.testing.assert_allclose(result.covariance, np.cov(flat, rowvar=False, ddof=0), atol=1e-8)


def test_save_and_load(tmp_path):
    saved = feature_statistics(images(50, 3), "pixels", "rae", dataset="set:test:abc")
    saved.save(tmp_path / "s.npz")
    loaded = Statistics.load(tmp_path / "s.npz")
    for field in dataclasses.fields(Statistics):
        assert np.array_equal(getattr(loaded, field.name), getattr(saved, field.name)), field.name
    np.savez(tmp_path / "other.npz", mean=np.zeros(3))
    with pytest.raises(UserError, match="no feature statistics: count, covariance"):
        Statistics.load(tmp_path / "other.npz")


def test_other_protocols_and_extractors_are_refused():
    a = feature_statistics(images(50, 3), "pixels", "rae")
    b = feature_statistics(images(50, 3), "pixels", "two_stage")
    with pytest.raises(UserError, match="stretch_generated False against True"):
        a.check_comparable(b)
    c = feature_statistics(images(50, 3), lambda x: 1 - x, "rae")
    with pytest.raises(UserError, match=r"of one extractor, got pixels.* and <lambda>"):
        a.check_comparable(c)


def test_weights_are_part_of_the_identity():
    import keras

    model = keras.Sequential([keras.layers.Input((4, 4, 1)), keras.layers.Flatten()])
    model.add(keras.layers.Dense(3))
    before = feature_statistics(images(50, 3), KerasExtractor(model))
    model.layers[-1].bias.assign([1.0, 2.0, 3.0])
    after = feature_statistics(images(50, 3), KerasExtractor(model))
    np.testing.assert_allclose(after.mean - before.mean, [1, 2, 3], atol=1e-5)
    with pytest.raises(UserError, match="Expected statistics of one extractor"):
        before.check_comparable(after)


def test_too_few_images_and_broken_extractors():
    with pytest.raises(UserError, match=r"Expected at least 2 images .* got 1"):
        feature_statistics(images(1, 0), "pixels")
    with pytest.raises(
        UserError,
        match=r"at least 64 images for the balancing protocol.*whole batches of 64, got 63",
    ):
        feature_statistics(images(63, 0), "pixels", "balancing")
    with pytest.raises(UserError, match="Expected finite features, got NaN"):
        feature_statistics(images(5, 0), lambda x: x * np.nan)
    with pytest.raises(UserError, match=r"Expected one row of features per image.*for 5 images"):
        feature_statistics(images(5, 0), lambda x: x[:2])


def test_memory_does_not_grow_with_the_number_of_images():
    class Endless:
        """A hundred thousand images that are never in memory together."""

        largest = 0

        def __len__(self):
            return 100_000

        def __getitem__(self, rows):
            self.largest = max(self.largest, len(rows))
            return np.broadcast_to(
                (rows % 256).astype(np.uint8)[:, None, None, None], (len(rows), 2, 2, 1)
            )

    source = Endless()
    measured = feature_statistics(source, "pixels", "standard")
    assert measured.count == 100_000
    assert source.largest <= 256


class Counted(Measurement):
    def statistics(self, *args, **kwargs):
        object.__setattr__(self, "computed", getattr(self, "computed", 0) + 1)
        return super().statistics(*args, **kwargs)


def test_reference_statistics_are_kept_and_reused(tmp_path):
    measurement = Counted("rae", "pixels")
    for _ in range(2):
        kept = reference_statistics(measurement, images(50, 1), "set:test:abc", tmp_path)
    assert measurement.computed == 1
    (file,) = (tmp_path / "fid").iterdir()
    assert file.name.startswith("set-test-rae-pixels-")
    other = reference_statistics(measurement, images(50, 2), "set:test:def", tmp_path)
    assert measurement.computed == 2
    assert not np.array_equal(other.mean, kept.mean)
    file.write_bytes(b"damaged")
    again = reference_statistics(measurement, images(50, 1), "set:test:abc", tmp_path)
    assert measurement.computed == 3
    assert np.array_equal(again.mean, kept.mean)


def test_a_read_only_data_folder_is_left_alone(tmp_path, monkeypatch):
    folder = tmp_path / "given"
    folder.mkdir(mode=0o555)
    monkeypatch.chdir(tmp_path)
    reference_statistics(Measurement("rae", "pixels"), images(50, 1), "set:test:abc", folder)
    assert not list(folder.iterdir())
    assert len(list((tmp_path / "data" / "fid").iterdir())) == 1
