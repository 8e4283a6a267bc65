"""Files that are complete and hold plain arrays only; images and their checks."""

import io
import os
import zipfile

import numpy as np
import pytest

from vaekit import files
from vaekit.errors import UserError
from vaekit.images import check_images, to_uint8

GREY = (4, 5, 1)


def test_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.json"
    files.write_json(path, {"a": np.float32(1.5), "b": np.arange(2)})

    def half(file):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(UserError, match="No space left on device"):
        files.atomic_write(path, half)
    assert files.read_json(path) == {"a": 1.5, "b": [0, 1]}
    assert os.listdir(tmp_path) == ["a.json"]


def test_full_disk_is_one_clear_error():
    if not os.path.exists("/dev/full"):
        pytest.skip("this system has no /dev/full")
    with pytest.raises(UserError, match=r"Cannot write .*Free disk space"):
        files.atomic_write("/dev/full/x.npz", lambda file: file.write(b"x"))


def test_damaged_json_and_npz_are_named(tmp_path):
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(UserError, match=r"a\.json is damaged"):
        files.read_json(tmp_path / "a.json")
    files.save_npz(tmp_path / "a.npz", {"x": np.arange(1000)})
    whole = (tmp_path / "a.npz").read_bytes()
    (tmp_path / "a.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match=r"a\.npz is damaged"):
        files.load_npz(tmp_path / "a.npz")
    changed = bytearray(whole)
    changed[len(whole) // 2] ^= 255
    (tmp_path / "a.npz").write_bytes(changed)
    with pytest.raises(UserError, match=r"a\.npz is damaged"):
        files.load_npz(tmp_path / "a.npz")


def test_npz_with_a_pickle_does_not_execute_it(tmp_path):
    class Attack:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "attacked"),))

    member = io.BytesIO()
    np.save(member, np.array([Attack()], dtype=object), allow_pickle=True)
    with zipfile.ZipFile(tmp_path / "bad.npz", "w") as file:
        file.writestr("x.npy", member.getvalue())
    with pytest.raises(UserError, match=r"bad\.npz is damaged or not a plain"):
        files.load_npz(tmp_path / "bad.npz")
    assert not (tmp_path / "attacked").exists()


def test_uint8_and_floats_mean_the_same():
    images = np.arange(40, dtype=np.uint8).reshape(2, *GREY)
    np.testing.assert_array_equal(check_images(images, GREY), images / np.float32(255))
    np.testing.assert_array_equal(
        check_images(images / np.float32(255), GREY), images / np.float32(255)
    )
    np.testing.assert_array_equal(to_uint8(check_images(images, GREY)), images)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((2, 4, 5)), "Add a channel axis"),
        (np.zeros(GREY), "Add a batch axis"),
        (
            np.zeros((0, *GREY)),
            r"Expected images of shape \(n, 4, 5, 1\) with n at least 1, got no images",
        ),
        (np.zeros((2, 4, 4, 1)), r"Expected images of shape \(n, 4, 5, 1\), got \(2, 4, 4, 1\)"),
        (np.full((2, *GREY), 3.0), "Divide by 255 if they are 0..255"),
        (np.full((2, *GREY), -0.1), r"Expected float images in \[0, 1\], got values from -0.1"),
        (np.full((2, *GREY), np.nan), "Expected finite pixels, got 40 of 40 that are NaN"),
        (np.zeros((2, *GREY), np.int64), "Expected uint8, bool or float images, got int64"),
        (np.full((2, *GREY), "a"), "Expected numeric images, got dtype <U1"),
    ],
)
def test_wrong_images_are_refused_with_a_remedy(images, message):
    with pytest.raises(UserError, match=message):
        check_images(images, GREY)


def test_grey_images_for_an_rgb_model():
    with pytest.raises(UserError, match="Repeat a grey image to three channels"):
        check_images(np.zeros((2, 4, 5, 1), np.uint8), (4, 5, 3))


def test_binary_model_takes_zeros_and_ones_of_any_type():
    for dtype in (bool, np.uint8, np.float64):
        assert check_images(np.ones((1, *GREY), dtype), GREY, binary=True).dtype == np.float32
    with pytest.raises(
        UserError, match="exactly 0 or 1 for a Bernoulli likelihood, got 20 of 20 that"
    ):
        check_images(np.full((1, *GREY), 128, np.uint8), GREY, binary=True)
