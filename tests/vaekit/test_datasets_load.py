"""`load`: options, the publishers' files, and one clear error for each mistake."""

import gzip
import io
import os
import tarfile
from pathlib import Path

import numpy as np
import pytest
from dataset_files import (
    RNG,
    prepared,
    write_celeba,
    write_cifar_batches,
    write_idx,
    write_image,
    write_mnist,
)
from PIL import Image

from vaekit import cli, datasets
from vaekit.datasets import NAMES, official, resolve
from vaekit.datasets.__main__ import main
from vaekit.datasets.recipes import RECIPES
from vaekit.errors import UserError

pytestmark = pytest.mark.usefixtures("alone")


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


def test_idx_of_other_images_is_refused(alone, small):
    small("mnist", train=6, test=4)
    write_mnist(alone)
    write_idx(alone / "mnist" / "t10k-images-idx3-ubyte", np.zeros((4, 20, 20), np.uint8))
    with pytest.raises(UserError, match=r"Expected images of 28 x 28 in .*, got \(20, 20\)"):
        datasets.load("mnist")


def test_incomplete_files_are_named(alone, small):
    small("mnist", train=6, test=4)
    write_mnist(alone)
    (alone / "mnist" / "t10k-images-idx3-ubyte").unlink()
    with pytest.raises(UserError, match="lacks t10k-images-idx3-ubyte"):
        datasets.load("mnist")


def test_other_counts_than_the_publishers_are_refused(alone):
    write_mnist(alone)
    with pytest.raises(UserError, match="Expected 60,000 images of mnist for train, got 6"):
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


def test_matlab_sets_are_read_upright(alone, small):
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
    np.testing.assert_array_equal(silhouettes.train[1, ..., 0], 1 - upright)
    published = datasets.load("caltech101_silhouettes", silhouette=0)
    np.testing.assert_array_equal(published.train[1, ..., 0], upright)
    savemat(alone / "caltech101_silhouettes" / "caltech101_silhouettes_28_split1.mat", {"x": 1})
    with pytest.raises(UserError, match="no two-dimensional uint8 array named train_data"):
        datasets.load("caltech101_silhouettes")


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
    with pytest.raises(UserError, match=r"got several \(pictures\.tar, second\.zip\)"):
        datasets.load("cifar10", validation=1)


def test_celeba_uses_the_images_that_are_present(alone):
    write_celeba(alone / "celeba", [11, 4, 9, 14, 8, 20])
    faces = datasets.load("celeba")
    assert faces.image_shape == (64, 64, 3) and "6 of 202599 images" in faces.source
    assert faces.train[:, 0, 0, 0].tolist() == [4, 8, 9, 20]
    assert faces.validation[:, 0, 0, 0].tolist() == [14]
    assert faces.test[:, 0, 0, 0].tolist() == [11]
    assert datasets.load("celeba", size=32, resize="nearest").image_shape == (32, 32, 3)
    assert "listing order" in datasets.load("celeba", split="listing").source
    with pytest.raises(
        UserError, match="resize of celeba must be 'bilinear' or 'nearest', got 'cubic'"
    ):
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
    with pytest.raises(UserError, match="limit must be a positive integer, got 0"):
        datasets.load("digits", limit=0)


def test_a_choice_of_images_is_a_dataset_of_its_own(alone):
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
        ("minst", {}, "Unknown dataset 'minst'. Did you mean mnist"),
        ("digits", {"jpeg": True}, "digits has no option 'jpeg'. Its options and defaults: none"),
        ("celeba", {"resise": "nearest"}, "no option 'resise'.*resize='bilinear'"),
        ("cifar10", {"jpeg": "yes"}, "jpeg of cifar10 must be False or True, got 'yes'"),
        (
            "mnist",
            {"validation": 0.1},
            "validation of mnist must be an integer from 0 to 100000, got 0.1",
        ),
        ("celeba", {"size": 0}, "size of celeba must be an integer from 1 to 128, got 0"),
        ("digits", {"split_seed": -1}, "split_seed must be a non-negative integer, got -1"),
        ("folder:nowhere", {}, r"nowhere does not exist\. Name a folder, zip or tar"),
        ("folder:.", {"channels": 2}, "channels of folder:. must be None or 1 or 3, got 2"),
        ("folder:.", {}, r"contains no images\. Expected files ending in \.png"),
    ],
)
def test_mistakes_get_one_clear_error(name, options, message):
    with pytest.raises(UserError, match=message):
        datasets.load(name, **options)


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_without_files_and_network_the_error_names_three_remedies(name, tmp_path):
    with pytest.raises(UserError) as error:
        datasets.load(name, "elsewhere")
    text = str(error.value)
    for part in (f"elsewhere/{name}: none found", "no answer from", "(1)", "(2)", "(3)", "digits"):
        assert part in text
    assert not os.listdir(tmp_path)


def test_command_line(capsys):
    assert cli.run(main, ["digits"]) == 0
    assert "train: (1397, 8, 8, 1) uint8, mean pixel" in capsys.readouterr().out
    assert cli.run(main, ["mnist", "--data-dir", "nowhere"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: mnist was not found") and "Traceback" not in error


def test_every_name_has_a_recipe_and_known_contents():
    assert set(NAMES) == {"digits", *official.CONTENTS}
    assert resolve.data_folder("x") == Path("x")
