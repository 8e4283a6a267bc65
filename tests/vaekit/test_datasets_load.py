"""`load`: the order of sources, the cache, options, and one clear error for each mistake."""

import dataclasses
import gzip
import io
import json
import os
import pickle
import struct
import sys
import tarfile
import types
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vaekit import datasets, network
from vaekit.datasets import NAMES, cache, download, official, resolve
from vaekit.datasets.__main__ import main
from vaekit.datasets.recipes import RECIPES
from vaekit.errors import UserError

RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def alone(tmp_path, monkeypatch):
    """An empty working folder and no network; returns the data folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("VAE_DATA_DIR", raising=False)
    monkeypatch.setattr(network, "is_reachable", lambda url: False)
    return tmp_path / "data"


@pytest.fixture
def small(monkeypatch):
    """Counts of the published sets, made small: `small(name, train=6, test=4)`."""

    def shrink(name, **counts):
        monkeypatch.setitem(RECIPES, name, dataclasses.replace(RECIPES[name], counts=counts))

    return shrink


def write_idx(path, images):
    path.parent.mkdir(parents=True, exist_ok=True)
    data = struct.pack(">IIII", 2051, *images.shape[:3]) + images.tobytes()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)


def write_mnist(folder, train=6, test=4):
    images = RNG.integers(0, 256, (train + test, 28, 28, 1), dtype=np.uint8)
    write_idx(folder / "mnist" / "train-images-idx3-ubyte.gz", images[:train])
    write_idx(folder / "mnist" / "t10k-images-idx3-ubyte", images[train:])
    return images


def write_image(path, pixels, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)


def prepared(folder):
    return sorted(path.parent for path in folder.rglob("prepared.json"))


def test_digits_need_nothing(tmp_path):
    digits = datasets.load("digits")
    assert [len(getattr(digits, part)) for part in ("train", "validation", "test")] == [
        1397,
        200,
        200,
    ]
    assert digits.image_shape == (8, 8, 1) and digits.train.dtype == np.uint8
    assert digits.train.min() == 0 and digits.train.max() == 255
    assert digits.fingerprint == datasets.load("digits").fingerprint
    assert digits.fingerprint != datasets.load("digits", split_seed=1).fingerprint
    assert "train 1,397" in repr(digits) and "8 x 8 x 1" in repr(digits)
    assert not os.listdir(tmp_path)


def test_files_then_prepared_arrays(alone, small):
    small("mnist", train=6, test=4)
    images = write_mnist(alone)
    first = datasets.load("mnist", validation=2)
    assert first.source.startswith("files train-images-idx3-ubyte.gz, t10k-images-idx3-ubyte")
    assert first.likelihood == "discretized_logistic"
    np.testing.assert_array_equal(first.test, images[6:])
    again = datasets.load("mnist", str(alone), validation=2)
    assert again.source.startswith("prepared arrays, made from files")
    assert (
        again.fingerprint
        == first.fingerprint
        == cache.fingerprint(
            {part: getattr(again, part) for part in ("train", "validation", "test")}
        )
    )
    for part in ("train", "validation", "test"):
        np.testing.assert_array_equal(getattr(first, part), getattr(again, part))
    # Prepared arrays are enough on their own, and arrays of other options are others.
    for path in (alone / "mnist").glob("*ubyte*"):
        path.unlink()
    assert datasets.load("mnist", validation=2).fingerprint == first.fingerprint
    with pytest.raises(UserError, match="was not found"):
        datasets.load("mnist", validation=3)


def test_arrays_are_mapped_not_copied_and_cannot_be_written(alone, small):
    small("mnist", train=6, test=4)
    write_mnist(alone)
    dataset = datasets.load("mnist", validation=2)
    assert isinstance(dataset.train.base, np.memmap)
    assert dataset.train.dtype == np.uint8
    with pytest.raises(ValueError, match="read-only"):
        dataset.train[0] = 0
    with pytest.raises(dataclasses.FrozenInstanceError):
        dataset.train = None


def test_replaced_files_are_noticed(alone, small):
    small("mnist", train=6, test=4)
    write_mnist(alone)
    first = datasets.load("mnist", validation=2)
    small("mnist", train=7, test=4)
    write_mnist(alone, train=7)
    second = datasets.load("mnist", validation=2)
    assert len(second.train) == 5 and second.source.startswith("files")
    assert second.fingerprint != first.fingerprint


def test_options_do_not_share_arrays(alone, small):
    small("mnist", train=6, test=4)
    write_mnist(alone)
    seen = {
        datasets.load("mnist", validation=2, split_seed=0).fingerprint,
        datasets.load("mnist", validation=2, split_seed=1).fingerprint,
        datasets.load("mnist", validation=3, split_seed=0).fingerprint,
        datasets.load("mnist", validation=0).fingerprint,
    }
    assert len(seen) == len(prepared(alone)) == 4
    empty = datasets.load("mnist", validation=0).validation
    assert empty.shape == (0, 28, 28, 1)


def test_data_dir_is_the_argument_then_the_variable_then_data(alone, small, monkeypatch, tmp_path):
    small("mnist", train=6, test=4)
    for name in ("data", "variable", "argument"):
        write_mnist(tmp_path / name)
    assert len({datasets.load("mnist", validation=1).fingerprint for _ in range(2)}) == 1
    default = datasets.load("mnist", validation=1).fingerprint
    monkeypatch.setenv("VAE_DATA_DIR", str(tmp_path / "variable"))
    variable = datasets.load("mnist", validation=1).fingerprint
    argument = datasets.load("mnist", tmp_path / "argument", validation=1).fingerprint
    assert len({default, variable, argument}) == 3
    assert len(prepared(tmp_path)) == 3


def test_read_only_data_folder_leaves_arrays_in_data(alone, small, tmp_path):
    small("mnist", train=6, test=4)
    write_mnist(tmp_path / "shelf")
    os.chmod(tmp_path / "shelf", 0o555)
    os.chmod(tmp_path / "shelf" / "mnist", 0o555)
    try:
        first = datasets.load("mnist", "shelf", validation=2)
        second = datasets.load("mnist", "shelf", validation=2)
    finally:
        os.chmod(tmp_path / "shelf", 0o755)
        os.chmod(tmp_path / "shelf" / "mnist", 0o755)
    assert "in ./data (the data folder is read-only)" in first.source
    assert second.source.startswith("prepared arrays in ./data (the data folder is read-only)")
    assert [path.is_relative_to(alone) for path in prepared(tmp_path)] == [True]


@pytest.mark.parametrize("damage", ["truncated", "altered", "missing", "foreign", "description"])
def test_damaged_prepared_arrays_are_named(alone, small, damage):
    small("mnist", train=6, test=4)
    write_mnist(alone)
    datasets.load("mnist", validation=2)
    (folder,) = prepared(alone)
    path = folder / "train.npy"
    data = path.read_bytes()
    if damage == "truncated":
        path.write_bytes(data[:-1])
    elif damage == "altered":
        path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    elif damage == "missing":
        path.unlink()
    elif damage == "foreign":
        with open(path, "wb") as file:
            np.save(file, np.array([print], object), allow_pickle=True)
    else:
        path = folder / "prepared.json"
        description = json.loads(path.read_text())
        del description["arrays"]["test"]["sha256"]
        path.write_text(json.dumps(description))
    with pytest.raises(UserError, match="Delete the folder") as error:
        datasets.load("mnist", validation=2)
    assert str(path.relative_to(alone)) in str(error.value)
    for file in folder.iterdir():
        file.unlink()
    assert len(datasets.load("mnist", validation=2).train) == 4


def test_arrays_too_large_for_a_full_check_are_checked_on_demand(alone, small, monkeypatch):
    small("mnist", train=6, test=4)
    write_mnist(alone)
    datasets.load("mnist", validation=2)
    (folder,) = prepared(alone)
    data = (folder / "test.npy").read_bytes()
    (folder / "test.npy").write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    monkeypatch.setattr(cache, "FULL_CHECK_BYTES", 0)
    datasets.load("mnist", validation=2)
    with pytest.raises(UserError, match=r"test\.npy: its sha256 differs"):
        datasets.load("mnist", validation=2, check_all=True)


def test_full_disk_leaves_nothing_behind(alone, small, monkeypatch):
    small("mnist", train=6, test=4)
    write_mnist(alone)

    def full(file, array):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(np, "save", full)
        with pytest.raises(UserError, match=r"Cannot write .*train\.npy: No space left"):
            datasets.load("mnist", validation=2)
    assert not [path for path in alone.rglob("*") if path.suffix in (".npy", ".tmp")]
    assert len(datasets.load("mnist", validation=2).train) == 4


def test_nowhere_to_write_is_said_before_the_work(small, tmp_path):
    small("mnist", train=6, test=4)
    write_mnist(tmp_path / "shelf")
    os.chmod(tmp_path / "shelf" / "mnist", 0o555)
    (tmp_path / "data").write_text("a file in the way")
    try:
        with pytest.raises(UserError, match=r"Cannot write to .*data.mnist"):
            datasets.load("mnist", "shelf", validation=2)
    finally:
        os.chmod(tmp_path / "shelf" / "mnist", 0o755)


def test_idx_of_other_images_is_refused(alone, small):
    small("mnist", train=6, test=4)
    write_mnist(alone)
    write_idx(alone / "mnist" / "t10k-images-idx3-ubyte", np.zeros((4, 20, 20), np.uint8))
    with pytest.raises(UserError, match=r"holds images of \(20, 20\), not 28 x 28"):
        datasets.load("mnist")


def test_incomplete_files_are_named(alone, small):
    small("mnist", train=6, test=4)
    write_mnist(alone)
    (alone / "mnist" / "t10k-images-idx3-ubyte").unlink()
    with pytest.raises(UserError, match="lacks t10k-images-idx3-ubyte"):
        datasets.load("mnist")


def test_other_counts_than_the_publishers_are_refused(alone):
    write_mnist(alone)
    with pytest.raises(UserError, match="6 images came for train, its publisher has 60,000"):
        datasets.load("mnist")


def test_static_mnist_and_its_bernoulli_likelihood(alone, small):
    small("static_mnist", train=3, validation=2, test=1)
    folder = alone / "static_mnist"
    folder.mkdir(parents=True)
    for part, count in (("train", 3), ("valid", 2), ("test", 1)):
        text = (" ".join(["0", "1"] * 392) + "\n") * count
        (folder / f"binarized_mnist_{part}.amat.gz").write_bytes(gzip.compress(text.encode()))
    dataset = datasets.load("static_mnist")
    assert dataset.likelihood == "bernoulli" and set(np.unique(dataset.train)) == {0, 1}
    assert "content differs" in dataset.source


def test_matlab_sets_come_out_upright(alone, small):
    from scipy.io import savemat

    small("frey_faces", all=420)
    small("caltech101_silhouettes", train=2, validation=1, test=1)
    (alone / "frey_faces").mkdir(parents=True)
    (alone / "caltech101_silhouettes").mkdir()
    frame = np.arange(560, dtype=np.uint32).reshape(28, 20).astype(np.uint8)
    savemat(alone / "frey_faces" / "frey_rawface.mat", {"ff": np.tile(frame.reshape(560, 1), 420)})
    faces = datasets.load("frey_faces")
    assert [len(faces.train), len(faces.validation), len(faces.test)] == [20, 200, 200]
    np.testing.assert_array_equal(faces.train[7, ..., 0], frame)

    upright = np.triu(np.ones((28, 28), np.uint8))
    row = upright.reshape(1, 784, order="F")
    arrays = {"train_data": np.tile(row, (2, 1)), "val_data": row, "test_data": row}
    savemat(alone / "caltech101_silhouettes" / "caltech101_silhouettes_28_split1.mat", arrays)
    silhouettes = datasets.load("caltech101_silhouettes")
    assert silhouettes.likelihood == "bernoulli"
    np.testing.assert_array_equal(silhouettes.train[1, ..., 0], upright)
    savemat(alone / "caltech101_silhouettes" / "caltech101_silhouettes_28_split1.mat", {"x": 1})
    with pytest.raises(UserError, match="no two-dimensional uint8 array named train_data"):
        datasets.load("caltech101_silhouettes")


def write_cifar_batches(folder):
    images = RNG.integers(0, 256, (12, 32, 32, 3), dtype=np.uint8)
    folder.mkdir(parents=True)
    names = [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]
    for i, name in enumerate(names):
        pixels = np.ascontiguousarray(images[2 * i : 2 * i + 2].transpose(0, 3, 1, 2))
        (folder / name).write_bytes(pickle.dumps({b"data": pixels.reshape(2, 3072)}, 2))
    return images


def test_cifar_jpeg_option(alone, small):
    small("cifar10", train=10, test=2)
    images = write_cifar_batches(alone / "cifar10" / "cifar-10-batches-py")
    plain = datasets.load("cifar10")
    np.testing.assert_array_equal(plain.train, images[:10])
    assert plain.validation.shape == (0, 32, 32, 3)
    lossy = datasets.load("cifar10", jpeg=True)
    error = np.abs(lossy.train.astype(int) - images[:10]).mean()
    assert 1 < error < 60 and "JPEG round trip" in lossy.source
    assert lossy.fingerprint != plain.fingerprint


def test_jpeg_files_are_never_compressed_twice(alone, small):
    small("cifar10", train=4, test=2)
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for part, count in (("test", 2), ("train", 4)):
            for i in range(count):
                picture = io.BytesIO()
                pixels = RNG.integers(0, 256, (32, 32, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(picture, "JPEG")
                info = tarfile.TarInfo(f"{part}/cat/{i:04}.jpg")
                info.size = len(picture.getvalue())
                archive.addfile(info, io.BytesIO(picture.getvalue()))
    (alone / "cifar10").mkdir(parents=True)
    (alone / "cifar10" / "pictures.tar").write_bytes(file.getvalue())
    plain, lossy = datasets.load("cifar10"), datasets.load("cifar10", jpeg=True)
    assert plain.fingerprint == lossy.fingerprint
    assert "JPEG round trip: done by the source" in lossy.source
    (alone / "cifar10" / "second.zip").write_bytes(b"")
    with pytest.raises(UserError, match=r"several archives \(pictures\.tar, second\.zip\)"):
        datasets.load("cifar10", validation=1)


def test_image_folders_as_train_and_test_are_prepared_once(alone, small):
    small("mnist", train=3, test=2)
    for part, count in (("train", 3), ("test", 2)):
        for i in range(count):
            pixels = np.full((28, 28), 10 * i, np.uint8)
            write_image(alone / "mnist" / part / "7" / f"{i}.png", pixels)
    assert datasets.load("mnist", validation=1).source.startswith("files mnist: images")
    assert datasets.load("mnist", validation=1).source.startswith("prepared arrays")
    write_image(alone / "mnist" / "train" / "7" / "3.png", np.zeros((30, 28), np.uint8))
    with pytest.raises(UserError, match=r"3\.png has shape \(30, 28, 1\)"):
        datasets.load("mnist", validation=1)


def write_celeba(folder, numbers, partition=True):
    for number in numbers:
        pixels = np.full((218, 178, 3), number, np.uint8)
        write_image(folder / "img_align_celeba" / f"{number:06}.jpg", pixels)
    if partition:
        lines = [f"{i:06}.jpg {(0, 0, 1, 2)[i % 4]}\r\n" for i in range(100)]
        (folder / "list_eval_partition.txt").write_bytes("".join(lines).encode())


def test_celeba_takes_the_images_that_are_there(alone):
    write_celeba(alone / "celeba", [11, 4, 9, 14, 8, 20])
    faces = datasets.load("celeba")
    assert faces.image_shape == (64, 64, 3) and "6 of 202599 images" in faces.source
    assert faces.train[:, 0, 0, 0].tolist() == [4, 8, 9, 20]
    assert faces.validation[:, 0, 0, 0].tolist() == [14]
    assert faces.test[:, 0, 0, 0].tolist() == [11]
    assert datasets.load("celeba", size=32, resize="nearest").image_shape == (32, 32, 3)
    assert "listing order" in datasets.load("celeba", split="listing").source
    with pytest.raises(UserError, match="resize='cubic' came; celeba takes 'bilinear', 'nearest'"):
        datasets.load("celeba", resize="cubic")


def test_celeba_without_a_usable_partition(alone):
    write_celeba(alone / "celeba", [4], partition=False)
    with pytest.raises(UserError, match=r'lacks list_eval_partition\.txt.*split="listing"'):
        datasets.load("celeba")
    (alone / "celeba" / "list_eval_partition.txt").write_text("000001.jpg 0\n")
    with pytest.raises(UserError, match=r"does not list the image 000004\.jpg"):
        datasets.load("celeba")
    write_image(alone / "celeba" / "img_align_celeba" / "000001.jpg", np.zeros((9, 9), np.uint8))
    (alone / "celeba" / "list_eval_partition.txt").write_text("000001.jpg 0\n000004.jpg 0\n")
    with pytest.raises(UserError, match=r"000001\.jpg.* 9 wide and 9 high"):
        datasets.load("celeba")


def test_limit_draws_from_every_part(alone):
    whole, few = datasets.load("digits"), datasets.load("digits", limit=30)
    assert [len(few.train), len(few.validation), len(few.test)] == [30, 30, 30]
    assert few.fingerprint == datasets.load("digits", limit=30).fingerprint != whole.fingerprint
    assert (few.train != whole.train[:30]).any()
    assert len(datasets.load("digits", limit=1000).test) == 200
    with pytest.raises(UserError, match="limit=0 came"):
        datasets.load("digits", limit=0)


def test_taken_part_is_a_dataset_of_its_own(alone):
    whole = datasets.load("digits")
    few = whole.take(train=30, test=20)
    assert (len(few.train), len(few.validation), len(few.test)) == (30, 200, 20)
    assert few.fingerprint not in (whole.fingerprint, whole.take(train=30).fingerprint)
    assert "30 train images, 20 test images" in few.source
    np.testing.assert_array_equal(few.test, whole.take(test=20).test)
    assert whole.take(test=200) is whole


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("minst", {}, "'minst' is unknown. Known are digits, mnist"),
        ("digits", {"jpeg": True}, "digits has no option 'jpeg'. Its options and defaults: none"),
        ("celeba", {"resise": "nearest"}, "no option 'resise'.*resize='bilinear'"),
        ("cifar10", {"jpeg": "yes"}, "jpeg='yes' came; cifar10 takes False, True"),
        ("mnist", {"validation": 0.1}, "validation=0.1 came; mnist takes a whole number"),
        ("celeba", {"size": 0}, "takes a whole number 1..128"),
        ("digits", {"split_seed": -1}, "split_seed=-1 came; a whole number from 0"),
        ("folder:nowhere", {}, "nowhere does not exist"),
        ("folder:.", {"channels": 2}, "channels=2 came; folder:. takes None, 1, 3"),
        ("folder:.", {}, r"holds no images; files ending in \.png"),
    ],
)
def test_mistakes_get_one_clear_error(name, options, message):
    with pytest.raises(UserError, match=message):
        datasets.load(name, **options)


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_without_files_and_network_the_error_names_three_ways_out(name, tmp_path):
    with pytest.raises(UserError) as error:
        datasets.load(name, "elsewhere")
    text = str(error.value)
    for part in (f"elsewhere/{name}: none found", "no answer from", "(1)", "(2)", "(3)", "digits"):
        assert part in text
    assert not os.listdir(tmp_path)


def fake_tfds(monkeypatch, images):
    """A stand-in for tensorflow_datasets that serves `images`, a dict by part."""
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


def test_downloads_are_kept_only_when_their_content_is_known(alone, small, monkeypatch):
    from scipy.io import savemat

    small("frey_faces", all=410)
    frames = RNG.integers(0, 256, (560, 410), dtype=np.uint8)
    answer = io.BytesIO()
    savemat(answer, {"ff": frames})
    monkeypatch.setattr(network, "is_reachable", lambda url: True)

    class Response(io.BytesIO):
        headers = {"Content-Length": str(len(answer.getvalue()))}  # noqa: RUF012

    served = [answer.getvalue()]
    monkeypatch.setattr(
        download.urllib.request, "urlopen", lambda url, timeout: Response(served[0])
    )
    with pytest.raises(UserError, match="answered with another content than the known one"):
        datasets.load("frey_faces")
    assert not list(alone.rglob("*.mat"))
    served[0] = answer.getvalue()[:-5]
    with pytest.raises(UserError, match=rf"{len(served[0])} of {len(answer.getvalue())} bytes"):
        datasets.load("frey_faces")
    served[0] = answer.getvalue()
    monkeypatch.setattr(official, "is_official", lambda *_: True)
    assert datasets.load("frey_faces").source.startswith("downloaded frey_rawface.mat: content ver")
    assert (alone / "frey_faces" / "frey_rawface.mat").is_file()


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
    exif[0x0112] = 6  # the camera was held turned by a quarter
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
    with pytest.raises(UserError, match="holds 1 images; at least 3"):
        datasets.load("folder:two")


def test_command_line(capsys):
    assert main(["digits"]) == 0
    assert "train: (1397, 8, 8, 1) uint8, mean pixel" in capsys.readouterr().out
    assert main(["mnist", "--data-dir", "nowhere"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: mnist was not found") and "Traceback" not in error


def test_every_name_has_a_recipe_and_known_contents():
    assert set(NAMES) == {"digits", *official.CONTENTS}
    assert resolve.data_folder("x") == Path("x")
