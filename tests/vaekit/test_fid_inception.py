"""Loading and running tf-gan's Inception module, with a small module of the same signature."""

import hashlib
import time

import numpy as np
import pytest

from vaekit import network
from vaekit.errors import UserError
from vaekit.fid import (
    InceptionExtractor,
    evaluate_sets,
    feature_statistics,
    get_extractor,
    inception,
    tfgan_import,
)

WIDTH = 2048  # as the real module's pool_3
RNG = np.random.default_rng(0)
KERNEL = RNG.standard_normal((13 * 13 * 3, WIDTH)).astype(np.float32)


def expected_features(images):
    """The result of the module: means of 23 x 23 tiles of the scaled image times a matrix."""
    tiles = images.reshape(len(images), 13, 23, 13, 23, 3).mean(axis=(2, 4))
    return tiles.reshape(len(images), -1) @ KERNEL


@pytest.fixture(scope="session")
def saved_model(tmp_path_factory):
    """A SavedModel folder: images (n, 299, 299, 3) to a map of logits and pool_3."""
    import tensorflow as tf

    class Module(tf.Module):
        def __init__(self):
            super().__init__()
            self.kernel = tf.Variable(KERNEL)

        @tf.function(input_signature=[tf.TensorSpec((None, 299, 299, 3), tf.float32)])
        def __call__(self, images):
            tiles = tf.nn.avg_pool2d(images, 23, 23, "VALID")
            pool = tf.reshape(tiles, (-1, 13 * 13 * 3)) @ self.kernel
            return {"pool_3": pool, "logits": pool[:, :1008]}

    path = tmp_path_factory.mktemp("module")
    tf.saved_model.save(Module(), str(path))
    return path


@pytest.fixture(scope="session")
def frozen_graphs(tmp_path_factory):
    """Frozen graphs built as the one of 2015 is: one JPEG, resize, shift, scale, network."""
    import tensorflow as tf

    folder = tmp_path_factory.mktemp("graphs")
    for file, scaled_name in (("with_mul.pb", "Mul"), ("without_mul.pb", "Scaled")):
        graph = tf.Graph()
        with graph.as_default():
            jpeg = tf.compat.v1.placeholder(tf.string, (), name="DecodeJpeg/contents")
            image = tf.cast(tf.io.decode_jpeg(jpeg, channels=3), tf.float32)
            batch = tf.expand_dims(image, 0, name="ExpandDims")
            batch = tf.compat.v1.image.resize_bilinear(batch, (299, 299))
            scaled = tf.multiply(batch - 128.0, 1 / 128, name=scaled_name)
            tiles = tf.nn.avg_pool2d(scaled, 23, 23, "VALID")
            norm = [
                [0.0] * 3,
                [1.0 - 1e-3] * 3,
                [0.5] * 3,
                [2.0] * 3,
            ]  # mean, variance, offset, gain
            norm = [tf.constant(v, name=f"norm{i}") for i, v in enumerate(norm)]
            tiles = tf.identity(tiles, name="batch_norm")
            pool = tf.reshape(tiles, (-1, 13 * 13 * 3)) @ tf.constant(KERNEL)
            pool = tf.reshape(pool, (-1, 1, 1, WIDTH), name="pool_3")
            tf.nn.softmax(tf.reshape(pool, (1, WIDTH)), name="softmax")  # fixed to one image
        frozen = graph.as_graph_def()
        with_old_batch_norm(frozen, [v.op.name for v in norm], scaled_name == "Mul")
        (folder / file).write_bytes(frozen.SerializeToString())
    return folder


def with_old_batch_norm(graph, inputs, scale):
    """Turn the identity named batch_norm into the operation in graphs of 2015."""
    node = next(n for n in graph.node if n.name == "batch_norm")
    node.op = "BatchNormWithGlobalNormalization"
    node.input.extend(inputs)
    node.attr["variance_epsilon"].f = 1e-3
    node.attr["scale_after_normalization"].b = scale
    graph.versions.producer = 8  # the operation was removed in version 9


def images(n, seed=0, size=32):
    return np.random.default_rng(seed).integers(0, 256, (n, size, size, 3), np.uint8)


def prepared(n):
    return np.random.default_rng(n).uniform(-1, 1, (n, 299, 299, 3)).astype(np.float32)


def test_batches_and_leftovers(saved_model):
    extractor = InceptionExtractor(saved_model, batch_size=4)
    assert (extractor.label, extractor.image_size, extractor.channels) == ("FID", 299, 3)
    for n in (1, 4, 8, 11):
        x = prepared(n)
        np.testing.assert_allclose(extractor(x), expected_features(x), atol=2e-4)


def test_hub_cache_folder_is_found_without_a_network(saved_model, tmp_path, monkeypatch):
    handle = tfgan_import.inception_metrics().INCEPTION_TFHUB
    cached = tmp_path / hashlib.sha1(handle.encode()).hexdigest()
    cached.symlink_to(saved_model)
    monkeypatch.delenv(inception.VARIABLE, raising=False)
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(network, "is_reachable", lambda url: pytest.fail("used the network"))
    x = prepared(2)
    np.testing.assert_allclose(InceptionExtractor()(x), expected_features(x), atol=2e-4)
    # The argument or variable may also name the cache folder; the network is loaded only once.
    monkeypatch.setenv(inception.VARIABLE, str(tmp_path))
    opened = get_extractor("inception")
    assert opened is get_extractor("inception")
    assert opened.digest == InceptionExtractor(saved_model).digest


@pytest.mark.parametrize(("file", "gain"), [("with_mul.pb", 2.0), ("without_mul.pb", 1.0)])
def test_frozen_graph_accepts_batches(frozen_graphs, file, gain):
    extractor = InceptionExtractor(frozen_graphs / file, batch_size=2)
    x = prepared(5)
    expected = gain * expected_features(x) + 0.5 * KERNEL.sum(axis=0)
    np.testing.assert_allclose(extractor(x), expected, atol=1e-3)
    assert extractor.label == "FID"


def test_folder_with_a_graph_by_its_published_name(frozen_graphs, tmp_path):
    (tmp_path / "classify_image_graph_def.pb").symlink_to(frozen_graphs / "with_mul.pb")
    assert InceptionExtractor(tmp_path).num_features == WIDTH


def test_statistics_and_rows_from_end_to_end(saved_model):
    extractor = InceptionExtractor(saved_model, batch_size=4)
    real, fake = images(70), images(70, seed=1) / 255 * 0.9
    (row,) = evaluate_sets(real, {"GEN-1": fake}, "balancing", extractor)
    assert row["label"] == "FID"
    assert (row["num_generated"], row["num_reference"], row["num_features"]) == (64, 64, WIDTH)
    assert row["value"] > 0
    assert "64 images are too few for 2,048 features" in row["warning"]
    assert row["extractor_digest"] == extractor.digest
    with pytest.raises(UserError, match="--grey-to-rgb"):
        feature_statistics(real[..., :1], extractor)
    grey = feature_statistics(real[..., :1], extractor, grey_to_rgb=True)
    assert grey.count == 70


def test_another_width_is_never_called_fid(tmp_path):
    import tensorflow as tf

    class Module(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec((None, 299, 299, 3), tf.float32)])
        def __call__(self, images):
            return {"pool_3": tf.reduce_mean(images, (1, 2)), "logits": images[:, 0, 0]}

    tf.saved_model.save(Module(), str(tmp_path / "small"))
    assert InceptionExtractor(tmp_path / "small").label == "Frechet distance, Inception-like small"


def test_no_weights_and_no_network_is_one_quick_error(tmp_path, monkeypatch):
    monkeypatch.delenv(inception.VARIABLE, raising=False)
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(network, "is_reachable", lambda url: False)
    with pytest.raises(UserError) as caught:
        InceptionExtractor()
    for remedy in (
        "inceptionv1_for_inception_score.pb",
        "classify_image_graph_def.pb",
        "saved_model.pb",
        "--inception PATH",
        "VAE_INCEPTION=PATH",
        "--no-fid",
        str(tmp_path),
    ):
        assert remedy in str(caught.value)


def test_an_unreachable_server_is_abandoned_quickly():
    began = time.monotonic()
    assert not network.is_reachable("http://192.0.2.1/", seconds=0.3)  # reserved: never answers
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda p: p / "missing", "does not exist"),
        (lambda p: p, "the folder .* contains none"),
        (lambda p: _written(p / "text.pb", b"this is no graph"), "not a TensorFlow GraphDef"),
        (lambda p: _written(p / "empty.pb", b""), "no input Mul:0 or ExpandDims:0"),
        (lambda p: _written(p / "saved_model.pb", b"damaged").parent, "cannot be opened"),
    ],
)
def test_wrong_files(tmp_path, make, message):
    with pytest.raises(UserError, match=message):
        InceptionExtractor(make(tmp_path))


def _written(path, data):
    path.write_bytes(data)
    return path


def test_keras_inception_without_weights_and_network(monkeypatch, tmp_path):
    import keras

    monkeypatch.setattr(keras.config, "keras_home", lambda: str(tmp_path), raising=False)
    monkeypatch.setattr(network, "is_reachable", lambda url: False)
    with pytest.raises(UserError, match=r"inception_v3_weights.*notop\.h5.*--no-fid"):
        get_extractor("inceptionv3")
