"""`python -m vaekit.fid`, and the functions that evaluations call."""

import argparse
import json
import types

import numpy as np
import pytest
from PIL import Image

from vaekit import network
from vaekit.errors import UserError
from vaekit.fid import (
    Statistics,
    add_arguments,
    describe,
    evaluate_sets,
    fid,
    from_arguments,
    inception,
    register_extractor,
)
from vaekit.fid.__main__ import main
from vaekit.fid.registry import EXTRACTORS

PIXELS = ["--extractor", "pixels", "--quiet", "--json"]


def images(n, seed=0, channels=3):
    return np.random.default_rng(seed).integers(0, 256, (n, 4, 4, channels), np.uint8)


def folder_of(path, array):
    path.mkdir()
    for i, image in enumerate(array):
        Image.fromarray(image.squeeze()).save(path / f"{i:04d}.png")
    return str(path)


def run(capsys, *arguments):
    main([*map(str, arguments), *PIXELS])
    return json.loads(capsys.readouterr().out)


def test_two_folders(tmp_path, capsys):
    a, b = images(30), images(40, seed=1)
    row = run(capsys, folder_of(tmp_path / "a", a), folder_of(tmp_path / "b", b))
    np.testing.assert_allclose(row["value"], fid(a, b, "standard", "pixels"), rtol=1e-9)
    assert row["label"] == "Frechet distance, pixels"
    assert (row["num_reference"], row["num_generated"], row["protocol"]) == (30, 40, "standard")


def test_a_run_without_samples_gets_the_command_that_makes_them(tmp_path):
    (tmp_path / "config.json").write_text('{"package": "vampprior"}')
    with pytest.raises(UserError, match=r"python -m vampprior sample .* --n 10000 --out"):
        main([str(tmp_path), str(tmp_path), *PIXELS])


def test_arrays_runs_and_saved_statistics_agree(tmp_path, capsys):
    a, b = images(30), images(40, seed=1)
    np.save(tmp_path / "a.npy", a)
    (tmp_path / "run").mkdir()
    np.savez(tmp_path / "run" / "samples.npz", samples=b)
    np.savez(tmp_path / "several.npz", first=b, second=a)
    value = run(capsys, tmp_path / "a.npy", tmp_path / "run")["value"]
    assert value == run(capsys, tmp_path / "a.npy", f"{tmp_path}/several.npz:first")["value"]
    main([str(tmp_path / "a.npy"), "--save", str(tmp_path / "stats.npz"), *PIXELS])
    assert "statistics of 30 images" in capsys.readouterr().out
    assert value == run(capsys, tmp_path / "stats.npz", tmp_path / "run")["value"]
    with pytest.raises(
        UserError,
        match=r"Expected one array of .*, got first, second\. Name one as .*several\.npz:KEY",
    ):
        run(capsys, tmp_path / "a.npy", tmp_path / "several.npz")
    with pytest.raises(UserError, match="got different ones: name 'standard' against 'rae'"):
        run(capsys, tmp_path / "stats.npz", tmp_path / "run", "--protocol", "rae")
    with pytest.raises(UserError, match="--kid needs images, got saved statistics"):
        run(capsys, tmp_path / "stats.npz", tmp_path / "run", "--kid")


def test_a_dataset_split_is_kept_in_the_data_folder(tmp_path, capsys):
    np.save(tmp_path / "fake.npy", np.random.default_rng(0).random((150, 8, 8, 1)))
    arguments = ("digits", tmp_path / "fake.npy", "--data-dir", tmp_path, "--protocol", "rae")
    row = run(capsys, *arguments)
    assert row["reference"].startswith("digits:test:")
    (kept,) = (tmp_path / "fid").glob("*.npz")
    assert Statistics.load(kept).count == row["num_reference"] == 200
    assert run(capsys, *arguments) == row
    assert run(capsys, "digits:train", *arguments[1:])["num_reference"] > 1000


def test_printed_text_says_everything(tmp_path, capsys):
    np.save(tmp_path / "a.npy", images(30))
    np.save(tmp_path / "b.npy", images(30, seed=1))
    main([str(tmp_path / "a.npy"), str(tmp_path / "b.npy"), "--kid", *PIXELS[:-1]])
    printed = capsys.readouterr().out
    assert "Frechet distance, pixels" in printed
    assert "FID" not in printed.split("warning")[0]
    assert "Kernel distance, pixels: " in printed and "(standard error)" in printed
    assert "protocol standard: TF1 bilinear" in printed and "rounded to uint8" in printed
    assert "warning: 30 images are too few for 48 features" in printed


def test_mistakes(tmp_path, capsys):
    np.save(tmp_path / "a.npy", images(30))
    with pytest.raises(
        UserError, match=r"missing does not exist\. Name a file, a folder or a dataset"
    ):
        run(capsys, tmp_path / "a.npy", tmp_path / "missing")
    with pytest.raises(UserError, match="Expected two sets of images, got one"):
        run(capsys, tmp_path / "a.npy")
    with pytest.raises(UserError, match=r"empty contains no images\. Expected files ending in"):
        (tmp_path / "empty").mkdir()
        run(capsys, tmp_path / "empty", tmp_path / "a.npy")
    np.save(tmp_path / "pickled.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(UserError, match="damaged or not a plain"):
        run(capsys, tmp_path / "a.npy", tmp_path / "pickled.npy")
    with pytest.raises(UserError, match="Unknown dataset 'no_such_dataset'"):
        run(capsys, "no_such_dataset", tmp_path / "a.npy")


def settings_of(*options, **changes):
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return from_arguments(parser.parse_args(options), **changes)


def test_no_fid_says_so_and_needs_nothing():
    settings = settings_of("--no-fid")
    settings.check()
    (row,) = settings.evaluate(None, {"REC": None})
    assert row["value"] is None
    assert describe(row) == "REC: FID was not computed (--no-fid)"


def test_missing_weights_fail_before_the_work(monkeypatch, tmp_path):
    monkeypatch.delenv(inception.VARIABLE, raising=False)
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(network, "is_reachable", lambda url: False)
    with pytest.raises(UserError, match="Inception weights not found"):
        settings_of().check()
    with pytest.raises(UserError, match="does not exist"):
        settings_of("--inception", str(tmp_path / "gone.pb")).check()


def test_settings_evaluate_a_dataset(tmp_path):
    settings = settings_of("--fid-extractor", "pixels", "--fid-protocol", "rae", data_dir=tmp_path)
    binary = types.SimpleNamespace(
        name="bits",
        test=images(50) % 2,
        train=images(0),
        likelihood="bernoulli",
        fingerprint="abc",
    )
    same, empty = settings.evaluate(
        binary, {"REC": binary.test.astype("float32"), "GEN-1": np.zeros((50, 4, 4, 3))}
    )
    assert same["value"] == pytest.approx(0, abs=1e-9)
    assert empty["value"] > 10
    assert same["reference"] == "bits:test:abc"
    assert describe(same).startswith(
        "REC: Frechet distance, pixels 0.0000 (50 images against 50 of bits:test;"
    )
    with pytest.raises(UserError, match="no images in the split 'train'"):
        evaluate_sets(binary, {}, "standard", "pixels")


def test_own_extractor_by_name():
    from vaekit.fid import Extractor

    register_extractor("means", lambda: Extractor(lambda x: x.mean(axis=(1, 2)), "means", "v1"))
    (row,) = evaluate_sets(images(64), {"GEN-1": images(64, seed=1)}, extractor="means")
    assert (row["label"], row["num_features"]) == ("Frechet distance, means", 3)
    del EXTRACTORS["means"]


def test_a_keras_file_as_extractor(tmp_path):
    import keras

    model = keras.Sequential([keras.layers.Input((4, 4, 3)), keras.layers.GlobalMaxPooling2D()])
    model.save(tmp_path / "peaks.keras")
    (row,) = evaluate_sets(
        images(64), {"G": images(64, 1)}, extractor=str(tmp_path / "peaks.keras")
    )
    assert row["label"] == "Frechet distance, peaks"
    (tmp_path / "broken.keras").write_bytes(b"no model")
    with pytest.raises(UserError, match="cannot be opened as a Keras model"):
        evaluate_sets(images(64), {}, extractor=str(tmp_path / "broken.keras"))
