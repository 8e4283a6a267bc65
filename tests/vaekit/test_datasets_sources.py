"""Sources of images: files, TensorFlow Datasets, downloads, your own folders."""

import dataclasses
import http.server
import io
import json
import sys
import threading
import types
from pathlib import Path

import numpy as np
import pytest
from dataset_files import RNG, write_image
from PIL import Image

from vaekit import datasets, network
from vaekit.datasets import official
from vaekit.errors import UserError

pytestmark = pytest.mark.usefixtures("alone")


def test_image_folders_as_train_and_test_are_prepared_once(alone, small):
    small("mnist", train=3, test=2)
    for part, count in (("train", 3), ("test", 2)):
        for i in range(count):
            pixels = np.full((28, 28), 10 * i, np.uint8)
            write_image(alone / "mnist" / part / "7" / f"{i}.png", pixels)
    assert datasets.load("mnist", validation=1).source.startswith("files mnist: images")
    assert datasets.load("mnist", validation=1).source.startswith("prepared arrays")
    write_image(alone / "mnist" / "train" / "7" / "3.png", np.zeros((30, 28), np.uint8))
    with pytest.raises(
        UserError, match=r"Expected images of shape \(28, 28, 1\) .*, got \(30, 28, 1\): .*3\.png"
    ):
        datasets.load("mnist", validation=1)


def fake_tfds(monkeypatch, images):
    """Replace tensorflow_datasets by one that serves `images`, a dict by part."""
    calls = []

    class Builder:
        def download_and_prepare(self):
            calls.append("prepared")

        def as_dataset(self, split, shuffle_files):
            assert not shuffle_files
            return [{"image": image, "label": 0} for image in images[split]]

    def builder(name, data_dir):
        calls.append((name, Path(data_dir)))
        return Builder()

    module = types.SimpleNamespace(builder=builder, as_numpy=lambda dataset: dataset)
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", module)
    monkeypatch.setattr(network, "is_reachable", lambda url: True)
    return calls


def test_tensorflow_datasets_come_after_files_and_are_kept(alone, small, monkeypatch):
    small("cifar10", train=5, test=2)
    images = RNG.integers(0, 256, (7, 32, 32, 3), dtype=np.uint8)
    calls = fake_tfds(monkeypatch, {"train": images[:5], "test": images[5:]})
    first = datasets.load("cifar10")
    assert calls[0] == ("cifar10", Path("data/tfds"))
    assert first.source == "TensorFlow Datasets cifar10"
    np.testing.assert_array_equal(first.train, images[:5])
    calls.clear()
    assert datasets.load("cifar10").source.startswith("prepared arrays, made from TensorFlow")
    assert not calls
    assert "JPEG round trip" in datasets.load("cifar10", jpeg=True).source


def test_celeba_of_tensorflow_datasets_is_cropped_alike(alone, monkeypatch):
    pixels = RNG.integers(0, 256, (218, 178, 3), dtype=np.uint8)
    fake_tfds(monkeypatch, {part: [pixels] for part in ("train", "validation", "test")})
    theirs = datasets.load("celeba").train[0]
    (alone / "celeba").mkdir(exist_ok=True)
    write_image(alone / "celeba" / "img_align_celeba" / "000001.png", pixels)
    (alone / "celeba" / "list_eval_partition.txt").write_text("000001.png 0\n")
    np.testing.assert_array_equal(datasets.load("celeba").train[0], theirs)


def test_failing_or_missing_tensorflow_datasets_is_reported(monkeypatch):
    fake_tfds(monkeypatch, {})
    with pytest.raises(UserError, match="TensorFlow Datasets: mnist: KeyError"):
        datasets.load("mnist")
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    with pytest.raises(UserError, match="pip install tensorflow-datasets"):
        datasets.load("mnist")


@pytest.fixture
def serve(monkeypatch):
    """A local web server: `serve(body, length)` is its answer from then on."""
    answer = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", str(answer["length"]))
            self.end_headers()
            self.wfile.write(answer["body"])

        def log_message(self, *arguments):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/frey_rawface.mat"
        recipe = dataclasses.replace(datasets.RECIPES["frey_faces"], url=url)
        monkeypatch.setitem(datasets.RECIPES, "frey_faces", recipe)
        monkeypatch.setattr(network, "is_reachable", lambda url: True)
        yield lambda body, length=None: answer.update(body=body, length=length or len(body))
        server.shutdown()


def test_downloads_are_kept_only_if_their_content_is_known(alone, small, serve, monkeypatch):
    from scipy.io import savemat

    small("frey_faces", all=410)
    file = io.BytesIO()
    savemat(file, {"ff": RNG.integers(0, 256, (560, 410), dtype=np.uint8)})
    content = file.getvalue()
    serve(content)
    with pytest.raises(UserError, match="differs from the known one and was deleted"):
        datasets.load("frey_faces")
    serve(content[:-5], length=len(content))
    with pytest.raises(UserError, match=rf"download: http://.*{len(content) - 5} bytes read"):
        datasets.load("frey_faces")
    assert not [path for path in alone.rglob("*") if path.is_file()]
    serve(content)
    monkeypatch.setattr(official, "is_official", lambda *_: True)
    assert datasets.load("frey_faces").source.startswith("downloaded frey_rawface.mat: content ver")
    assert (alone / "frey_faces" / "frey_rawface.mat").read_bytes() == content


def test_checksums_beside_the_data_are_those_of_the_loader():
    path = Path(__file__).parents[2] / "data" / "checksums.json"
    assert json.loads(path.read_text()) == official.CONTENTS


def test_own_images_nested_and_split_by_seed(tmp_path):
    for i in range(20):
        pixels = np.full((6, 8, 3), i, np.uint8)
        write_image(tmp_path / "cats" / str(i % 3) / f"{i}.png", pixels)
    cats = datasets.load(f"folder:{tmp_path / 'cats'}")
    assert [len(cats.train), len(cats.validation), len(cats.test)] == [16, 2, 2]
    assert cats.image_shape == (6, 8, 3) and cats.source.startswith("images in cats")
    assert datasets.load("folder:cats").source.startswith("prepared arrays")
    write_image(tmp_path / "cats" / "20.png", np.zeros((6, 8, 3), np.uint8))
    assert len(datasets.load("folder:cats").train) == 17
    grey = datasets.load("folder:cats", image_size=4, channels=1)
    assert grey.image_shape == (4, 4, 1)


def test_own_images_in_train_and_test_folders(tmp_path):
    for part, count in (("train", 3), ("val", 2), ("test", 1)):
        for i in range(count):
            write_image(tmp_path / "own" / part / f"{i}.png", np.full((4, 4), i, np.uint8))
    own = datasets.load("folder:own")
    assert [len(own.train), len(own.validation), len(own.test)] == [3, 2, 1]
    assert own.image_shape == (4, 4, 1)


def test_photos_are_turned_upright(tmp_path):
    pixels = np.zeros((20, 40, 3), np.uint8)
    pixels[:, 30:] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # taken with the device turned by 90 degrees
    for i in range(3):
        write_image(tmp_path / "own" / f"{i}.jpg", pixels, exif=exif)
    image = datasets.load("folder:own").train[0]
    assert image.shape == (40, 20, 3) and image[35:].mean() > 250 > 5 > image[:25].mean()


def test_own_images_of_several_kinds_are_refused_with_a_remedy(tmp_path):
    for i, shape in enumerate([(4, 4, 3), (4, 4, 3), (5, 4, 3)]):
        write_image(tmp_path / "sizes" / f"{i}.png", np.zeros(shape, np.uint8))
        write_image(tmp_path / "colours" / f"{i}.png", np.zeros((4, 4, 3)[: 2 + i % 2], np.uint8))
    with pytest.raises(UserError, match=r"2 of 4 x 4, such as 0\.png; 1 of 5 x 4.*image_size=64"):
        datasets.load("folder:sizes")
    assert datasets.load("folder:sizes", image_size=4).image_shape == (4, 4, 3)
    with pytest.raises(UserError, match=r"mixes grey images \(0\.png\) and colour .*channels=1"):
        datasets.load("folder:colours")
    (tmp_path / "sizes" / "1.png").write_bytes(b"no picture")
    with pytest.raises(UserError, match=r"The image 1\.png in .*sizes cannot be read"):
        datasets.load("folder:sizes", image_size=4)
    (tmp_path / "two").mkdir()
    write_image(tmp_path / "two" / "0.png", np.zeros((4, 4), np.uint8))
    with pytest.raises(UserError, match="Expected at least 3 images to split in two, got 1"):
        datasets.load("folder:two")
