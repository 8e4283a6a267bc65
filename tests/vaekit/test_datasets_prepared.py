"""Prepared arrays: created once, mapped, checked and replaced; damage is named."""

import dataclasses
import json
import os

import numpy as np
import pytest
from dataset_files import prepared, write_mnist

from vaekit import datasets
from vaekit.datasets import cache
from vaekit.errors import UserError

pytestmark = pytest.mark.usefixtures("alone")


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
    # Prepared arrays suffice without the files; other options have arrays of their own.
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
    with pytest.raises(UserError, match=r"test\.npy is damaged: its sha256 differs"):
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


def test_nowhere_to_write_is_reported_before_the_work(small, tmp_path):
    small("mnist", train=6, test=4)
    write_mnist(tmp_path / "shelf")
    os.chmod(tmp_path / "shelf" / "mnist", 0o555)
    (tmp_path / "data").write_text("a file in the way")
    try:
        with pytest.raises(UserError, match=r"Cannot write prepared arrays to .*data.mnist"):
            datasets.load("mnist", "shelf", validation=2)
    finally:
        os.chmod(tmp_path / "shelf" / "mnist", 0o755)
