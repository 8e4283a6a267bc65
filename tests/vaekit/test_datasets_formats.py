"""Publishers' formats: images are read upright, and damaged files are named."""

import gzip
import io
import os
import pickle
import struct
import tarfile
import zipfile

import numpy as np
import pytest
from PIL import Image

from vaekit.datasets.celeba import by_listing, read_partition
from vaekit.datasets.cifar_batches import BATCHES, batch_files, batch_images
from vaekit.datasets.image_files import ImageStore, decode
from vaekit.datasets.numeric import amat_images, content, idx_images, mat_arrays
from vaekit.errors import UserError

IMAGES = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4, 1)
IDX = struct.pack(">IIII", 2051, 2, 3, 4) + IMAGES.tobytes()


def png(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def write_tar(path, members):
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))


def test_idx_is_read_row_by_row():
    np.testing.assert_array_equal(idx_images(IDX, "a"), IMAGES)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "got an empty file"),
        (struct.pack(">II", 2049, 2) + b"\x00" * 20, r"\(labels: 00000801\), got 00000801"),
        (IDX[:-1], r"expected 24 bytes \(2 images of 3 x 4\), got 23"),
        (IDX + b"\x00", r"expected 24 bytes .*, got 25"),
        (struct.pack(">IIII", 2051, 2**32 - 1, 2**32 - 1, 28), "truncated or altered"),
    ],
)
def test_damaged_idx_is_refused(data, message):
    with pytest.raises(UserError, match=message):
        idx_images(data, "train-images-idx3-ubyte")


def test_gzip_is_known_by_its_bytes_and_damage_is_named(tmp_path):
    path = tmp_path / "a.gz"
    packed = gzip.compress(IDX)
    for data in (IDX, packed):
        path.write_bytes(data)
        assert content(path) == IDX
    altered = bytearray(packed)
    altered[-6] ^= 255  # in the checksum
    for data in (packed[:-9], bytes(altered), packed[:10] + b"\xff" * 20):
        path.write_bytes(data)
        with pytest.raises(UserError, match=r"a\.gz is truncated or damaged"):
            content(path)


def test_amat_is_read_with_any_white_space():
    image = np.eye(28, dtype=np.uint8)
    image[0, 5] = 1
    line = " ".join(map(str, image.ravel()))
    for text in (f"{line}\n{line}\n", f"{line} \r\n{line} \r\n", f"{line}\n{line}"):
        images = amat_images(text.encode(), "a")
        assert images.shape == (2, 28, 28, 1) and images.dtype == np.uint8
        np.testing.assert_array_equal(images[1, ..., 0], image)


@pytest.mark.parametrize("text", ["", "0 1 2", "0.5 0.1", "0 1 1\n", "<html>", "0 " * 784 + "\n0"])
def test_damaged_amat_is_refused(text):
    with pytest.raises(UserError, match=r"train\.amat"):
        amat_images(text.encode(), "train.amat")


def test_mat_gives_only_named_bytes(tmp_path):
    from scipy.io import savemat

    path = tmp_path / "a.mat"
    savemat(path, {"ff": np.ones((4, 2), np.uint8), "text": "no"})
    (array,) = mat_arrays(path, ["ff"])
    assert array.shape == (4, 2)
    for name in ("missing", "text"):
        with pytest.raises(UserError, match=f"no two-dimensional uint8 array named {name}"):
            mat_arrays(path, [name])
    for data in (path.read_bytes()[:150], b"", b"<html>not found</html>" * 20):
        path.write_bytes(data)
        with pytest.raises(UserError, match=r"a\.mat"):
            mat_arrays(path, ["ff"])


# A batch as Python 2 and numpy 1 pickled it: protocol 2, byte strings, numpy.core.multiarray.
def python2_batch(pixels):
    def string(data):
        return b"T" + struct.pack("<i", len(data)) + data

    return (
        b"\x80\x02}(" + string(b"data") + b"cnumpy.core.multiarray\n_reconstruct\n"
        b"(cnumpy\nndarray\n(K\x00t" + string(b"b") + b"tR(K\x01(M"
        + struct.pack("<H", len(pixels)) + b"M\x00\x0ctcnumpy\ndtype\n("
        + string(b"u1") + b"K\x00K\x01tR(K\x03" + string(b"|")
        + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89" + string(pixels.tobytes()) + b"tbu."
    )  # fmt: skip


def test_cifar_batches_of_any_python_are_read_upright():
    images = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    pixels = np.ascontiguousarray(images.transpose(0, 3, 1, 2)).reshape(3, 3072)
    pickles = [python2_batch(pixels)]
    pickles += [pickle.dumps({"data": pixels}, protocol) for protocol in (2, 4)]
    pickles.append(pickle.dumps({b"data": np.asfortranarray(pixels)}, 2))
    for data in pickles:
        np.testing.assert_array_equal(batch_images(data, "data_batch_1"), images)


class Attack:
    """Pickles as a call of os.system that leaves a trace."""

    def __init__(self, trace):
        self.trace = trace

    def __reduce__(self):
        return os.system, (f"touch {self.trace}",)


def test_pickle_that_executes_is_refused_before_it_does(tmp_path):
    trace = tmp_path / "executed"
    for value in (Attack(trace), {"data": Attack(trace)}):
        with pytest.raises(
            UserError, match=r"data_batch_2 is not a CIFAR-10 batch .*Nothing in it was exec"
        ):
            batch_images(pickle.dumps(value), "data_batch_2")
    assert not trace.exists()


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"data": [1, 2]},
        {"data": np.zeros((2, 3072), np.float32)},
        {"data": np.zeros((2, 5), np.uint8)},
        {"data": np.array([print], object)},
        np.zeros(3, np.uint8),
    ],
)
def test_pickle_of_anything_else_is_refused(value):
    for data in (pickle.dumps(value, 2), pickle.dumps(value, 2)[:-3], b"\x80\x04junk"):
        with pytest.raises(UserError, match="is not a CIFAR-10 batch"):
            batch_images(data, "test_batch")


def test_cifar_archive_and_folder_give_the_same(tmp_path):
    members = {f"cifar-10-batches-py/{name}": name.encode() for name in BATCHES}
    archive = tmp_path / "cifar-10-python.tar.gz"
    write_tar(archive, members)
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    for name in BATCHES:
        (folder / name).write_bytes(name.encode())
    assert batch_files(archive) == batch_files(folder) == {name: name.encode() for name in BATCHES}
    (folder / "test_batch").unlink()
    with pytest.raises(UserError, match="lacks test_batch"):
        batch_files(folder)
    archive.write_bytes(archive.read_bytes()[:-30])
    with pytest.raises(UserError, match=r"cifar-10-python\.tar\.gz is truncated or damaged"):
        batch_files(archive)


def test_images_of_folder_zip_and_tar_are_the_same(tmp_path):
    members = {f"a/b/{i}.png": png(np.full((2, 2, 3), i, np.uint8)) for i in range(3)}
    members |= {"a/readme.txt": b"no image", "a/._0.png": b"no image either"}
    for name, data in members.items():
        path = tmp_path / "folder" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    write_tar(tmp_path / "a.tar", members)
    write_tar(tmp_path / "a.tar.gz", members)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    for source in ("folder", "a.tar", "a.tar.gz", "a.zip"):
        with ImageStore(tmp_path / source) as store:
            assert sorted(store.names) == ["a/b/0.png", "a/b/1.png", "a/b/2.png"]
            assert store.read("a/b/2.png") == members["a/b/2.png"]


@pytest.mark.parametrize("name", ["../out.png", "/etc/out.png", "a/../../out.png", "C:\\out.png"])
def test_members_that_point_outside_are_refused(tmp_path, name):
    write_tar(tmp_path / "a.tar", {"in.png": png(IMAGES[0, ..., 0]), name: b"x"})
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(name, b"x")
    for path in ("a.tar", "a.zip"):
        with pytest.raises(UserError, match="points outside the archive"):
            ImageStore(tmp_path / path)
    assert sorted(os.listdir(tmp_path)) == ["a.tar", "a.zip"]


def test_links_and_devices_are_refused(tmp_path):
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE):
        info = tarfile.TarInfo("0.png")
        info.type, info.linkname = kind, "/etc/passwd"
        with tarfile.open(tmp_path / "a.tar", "w") as archive:
            archive.addfile(info)
        with pytest.raises(UserError, match=r"'0\.png' is not a plain file"):
            ImageStore(tmp_path / "a.tar")
    link = zipfile.ZipInfo("0.png")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(UserError, match=r"'0\.png' is not a plain file"):
        ImageStore(tmp_path / "a.zip")


def test_truncated_and_altered_archives_are_named(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    members = {f"{i}.png": png(noise) for i in range(4)}
    path = tmp_path / "a.tar"
    write_tar(path, members)
    whole = path.read_bytes()
    # Everywhere: in a header, in an image, and exactly between two members.
    for size in (100, 700, len(whole) // 2, 512 * (2 + len(members["0.png"]) // 512 + 1)):
        path.write_bytes(whole[:size])
        with pytest.raises(UserError, match=r"a\.tar"), ImageStore(path) as store:
            [store.read(name) for name in store.names]
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    whole = path.read_bytes()
    for data in (whole[:-30], whole[:200] + b"\x00" * 50 + whole[250:], b"PK", b""):
        path.write_bytes(data)
        with pytest.raises(UserError, match=r"a\.zip cannot be read"), ImageStore(path) as store:
            [store.read(name) for name in store.names]


def test_unreadable_images_are_named():
    whole = png(np.zeros((30, 30, 3), np.uint8))
    deep = io.BytesIO()
    Image.fromarray(np.zeros((3, 3), np.uint16)).save(deep, "PNG")
    script = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"
    for data in (b"", b"GIF89a", whole[:60], script, deep.getvalue()):
        with pytest.raises(UserError, match=r"The image cat\.png cannot be read"):
            decode(data, "cat.png")


def test_decode_keeps_grey_grey():
    assert decode(png(np.zeros((3, 5), np.uint8)), "a").shape == (3, 5, 1)
    assert decode(png(np.zeros((3, 5, 4), np.uint8)), "a").shape == (3, 5, 3)
    assert decode(png(np.zeros((3, 5, 3), np.uint8)), "a", "L").shape == (3, 5, 1)


def test_partition_file_with_any_line_ends():
    wanted = {"000001.jpg": "train", "000002.jpg": "validation", "000003.jpg": "test"}
    for end in ("\r\n", "\n"):
        text = end.join(["000001.jpg 0", "000002.jpg 1", "000003.jpg 2", ""])
        assert read_partition(text.encode(), "p") == wanted
    for text in ("000001.jpg", "000001.jpg 3", "a 0 1", "\xff"):
        with pytest.raises(UserError, match=r"list_eval_partition\.txt is truncated or altered"):
            read_partition(text.encode("latin1"), "list_eval_partition.txt")


def test_listing_order_is_divided_as_in_the_original_code():
    parts = by_listing(list(range(202_599)))
    assert parts["train"][-1] == 162_769
    assert (parts["validation"][0], parts["validation"][-1]) == (162_770, 182_636)
    assert (parts["test"][0], parts["test"][-1]) == (182_637, 202_598)
