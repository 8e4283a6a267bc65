"""Released checkpoints: copied without resume state, found by name, checked by sha256."""

import functools
import http.server
import json
import shutil
import threading

import pytest

from vaekit import files
from vaekit import shelf as shelf_command
from vaekit.environment import portable_command
from vaekit.errors import UserError
from vaekit.release import shelf
from vaekit.release.publish import release


@pytest.fixture
def finished_run(tmp_path):
    """A function that makes a small finished run of a package and preset."""

    def make(package="balancingvae", preset="digits", seed=0, **config):
        folder = tmp_path / "runs" / package / preset / f"seed{seed}"
        config = {"dataset": "digits", **config}
        files.write_json(folder / "config.json", {"package": package, "config": config})
        files.write_json(
            folder / "environment.json",
            {"command": f"__main__.py {preset} --data-dir /d/x --seed {seed}", "hardware": "a CPU"},
        )
        files.write_text(folder / "metrics.jsonl", '{"seconds": 2.5}\n{"seconds": 1.5}\n')
        files.write_json(folder / "evaluation.json", {"headline": "FID 3"})
        files.save_npz(folder / "stage_one.npz", {"w": [1.0]})
        files.write_text(folder / "last" / "stage_one.npz", "what resuming needs")
        files.write_text(folder / "figures" / "samples.png", "a picture")
        files.write_text(folder / ".lock", "")
        return folder

    return make


@pytest.fixture
def clone(tmp_path, monkeypatch, finished_run):
    """A shelf as in a clone, with two seeds of one preset."""
    folder = tmp_path / "checkpoints"
    for seed in (10, 2):
        release(finished_run(seed=seed), folder)
    monkeypatch.setattr(shelf, "CLONE", folder)
    return folder


@pytest.fixture
def server(clone, tmp_path, monkeypatch):
    """The shelf behind a local web server, and an installation outside a clone."""
    handler = functools.partial(_Silent, directory=str(clone))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as http_server:
        thread = threading.Thread(target=http_server.serve_forever)
        thread.start()
        monkeypatch.setattr(shelf, "CLONE", tmp_path / "nowhere")
        monkeypatch.setenv("VAE_RELEASE_URL", f"http://127.0.0.1:{http_server.server_port}/")
        monkeypatch.setenv("VAE_CACHE", str(tmp_path / "cache"))
        yield clone
        http_server.shutdown()
        thread.join()


class _Silent(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


def test_release_leaves_out_what_resuming_needs_and_names_no_local_folder(clone):
    copied = {p.name for p in (clone / "balancingvae/digits/seed2").rglob("*") if p.is_file()}
    assert copied == {
        "config.json", "environment.json", "evaluation.json", "metrics.jsonl", "samples.png",
        "stage_one.npz",
    }  # fmt: skip
    entry = json.loads((clone / "MANIFEST.json").read_text())["checkpoints"]
    assert list(entry) == ["balancingvae/digits/seed10", "balancingvae/digits/seed2"]
    entry = entry["balancingvae/digits/seed2"]
    assert entry["command"] == "python -m balancingvae digits --seed 2"
    assert (entry["training_seconds"], entry["figure"]) == (4.0, "FID 3")
    assert "/d/x" not in (clone / "balancingvae/digits/seed2/environment.json").read_text()
    assert shelf.verify(clone) == []


@pytest.mark.parametrize("command", ["__main__.py", "balancingvae", "/usr/bin/balancingvae"])
def test_portable_command(command):
    given = f"{command} digits --runs=/a/b --continue-from /a/c '/a d' --epochs 2 --report /c"
    assert portable_command(given, "balancingvae") == "python -m balancingvae digits --epochs 2"


@pytest.mark.parametrize("dataset", ["celeba", "frey_faces", "folder:/home/me"])
def test_pictures_of_other_datasets_are_left_out(finished_run, tmp_path, dataset):
    run = finished_run(preset="a", dataset=dataset)
    name = release(run, tmp_path / "shelf")
    assert not (tmp_path / "shelf" / name / "figures").exists()
    assert not list((tmp_path / "shelf" / name).glob("report.*"))


@pytest.mark.parametrize(
    "config", [{"prior": "vampprior_data"}, {"prior": "vampprior", "pseudo_input_start": "data"}]
)
def test_weights_that_hold_images_are_released_without_them_or_not_at_all(
    finished_run, tmp_path, config
):
    run = finished_run("vampprior", "f", dataset="celeba", **config)
    files.save_npz(run / "model.npz", {"images": [1.0]})
    with pytest.raises(UserError, match=r"weights in .* contain images of celeba as pseudo-inputs"):
        release(run, tmp_path / "shelf")
    files.save_npz(run / "model_without_images.npz", {"posteriors": [2.0]})
    folder = tmp_path / "shelf" / release(run, tmp_path / "shelf")
    assert list(files.load_npz(folder / "model.npz")) == ["posteriors"]
    assert not (folder / "model_without_images.npz").exists()


def test_unfinished_run_is_refused(finished_run, tmp_path):
    run = finished_run()
    (run / "evaluation.json").unlink()
    with pytest.raises(UserError, match=r"is not a finished run: evaluation\.json is missing"):
        release(run, tmp_path)


@pytest.mark.parametrize(
    "name", ["digits", "digits/seed2", "balancingvae/digits", "balancingvae/digits/seed2"]
)
def test_names_in_a_clone(clone, name):
    assert shelf.resolve(name, "balancingvae") == clone / "balancingvae/digits/seed2"


def test_paths_pass_unchanged(clone, tmp_path):
    for path in (str(tmp_path), "runs/balancingvae/digits", "/no/where", "../x"):
        assert str(shelf.resolve(path, "balancingvae")) == path


def test_unknown_names_list_the_known_ones(clone):
    with pytest.raises(UserError, match=r"neither a folder nor a released .*Did you mean digits"):
        shelf.resolve("digit/seed2", "balancingvae")
    with pytest.raises(UserError, match="There is none yet"):
        shelf.resolve("digits", "vampprior")
    with pytest.raises(UserError, match=r"of vampprior, not of balancingvae\. Load it with"):
        shelf.resolve("vampprior/digits_vampprior/seed0", "balancingvae")


def test_damage_is_found(clone):
    (clone / "balancingvae/digits/seed2/stage_one.npz").write_bytes(b"changed")
    (clone / "balancingvae/digits/seed10/config.json").unlink()
    (clone / "stray").write_text("")
    problems = "; ".join(shelf.verify(clone))
    for part in (
        "seed2/stage_one.npz has another",
        "seed10/config.json is missing",
        "stray is not",
    ):
        assert part in problems
    with pytest.raises(UserError, match=r"npz is damaged according to MANIFEST\.json\. Restore"):
        shelf.resolve("digits", "balancingvae")


def test_large_files_are_listed_not_copied(finished_run, tmp_path, monkeypatch):
    monkeypatch.setattr("vaekit.release.publish.LARGEST", 100)
    folder = tmp_path / "shelf"
    name = release(finished_run(), folder)
    assert not (folder / name / "stage_one.npz").exists()
    assert shelf.verify(folder) == []
    monkeypatch.setattr(shelf, "CLONE", folder)
    with pytest.raises(UserError, match="python -m balancingvae digits --seed 0"):
        shelf.resolve("digits", "balancingvae")


def test_metrics_alone_of_a_further_seed(finished_run, tmp_path, monkeypatch, capsys):
    run, folder = finished_run(seed=1), tmp_path / "shelf"
    files.save_npz(run / "log_likelihood.npz", {"500": [-1.0]})
    shelf_command.main(["release", str(run), "--metrics-only", "--checkpoints", str(folder)])
    name = capsys.readouterr().out.strip()
    copied = {path.name for path in (folder / name).iterdir()}
    assert {"evaluation.json", "log_likelihood.npz"} <= copied and "stage_one.npz" not in copied
    assert shelf.verify(folder) == []
    monkeypatch.setattr(shelf, "CLONE", folder)
    with pytest.raises(UserError, match=r"was not released.*digits --seed 1"):
        shelf.resolve(name, "balancingvae")
    shelf.print_list()
    assert "metrics only" in capsys.readouterr().out


def test_download_once_then_from_the_cache(server, monkeypatch):
    folder = shelf.resolve("digits", "balancingvae")
    assert "cache" in folder.parts and not (folder / "figures").exists()
    assert files.sha256(folder / "stage_one.npz") == files.sha256(
        server / "balancingvae/digits/seed2/stage_one.npz"
    )
    monkeypatch.setenv("VAE_RELEASE_URL", "http://127.0.0.1:9/")  # nobody listens there
    assert shelf.resolve("digits", "balancingvae") == folder
    with pytest.raises(UserError, match=r"Cannot download .*no answer from 127\.0\.0\.1"):
        shelf.resolve("digits/seed10", "balancingvae")


def test_changed_download_is_not_kept(server):
    (server / "balancingvae/digits/seed2/stage_one.npz").write_bytes(b"changed")
    with pytest.raises(UserError, match="its digest differs from sha256:"):
        shelf.resolve("digits", "balancingvae")
    assert not list((shelf.cache_folder() / "checkpoints").rglob("stage_one.npz*"))


@pytest.mark.parametrize("file", ["../../x", "/etc/x", "a\\..\\x", "c:x"])
def test_manifest_that_leads_outside_is_refused(clone, file):
    manifest = json.loads((clone / "MANIFEST.json").read_text())
    entry = manifest["checkpoints"]["balancingvae/digits/seed2"]
    entry["files"][file] = entry["files"]["config.json"]
    files.write_json(clone / "MANIFEST.json", manifest)
    with pytest.raises(UserError, match="points outside the folder"):
        shelf.open_shelf()


def test_no_clone_and_no_address(clone, tmp_path, monkeypatch):
    monkeypatch.setattr(shelf, "CLONE", tmp_path / "nowhere")
    monkeypatch.setattr(shelf, "RELEASE_URL", "")
    monkeypatch.delenv("VAE_RELEASE_URL", raising=False)
    with pytest.raises(UserError, match=r"outside a clone.*set \$VAE_RELEASE_URL"):
        shelf.resolve("digits", "balancingvae")
    monkeypatch.setenv("VAE_RELEASE_URL", "file:///etc")
    with pytest.raises(
        UserError, match=r"\$VAE_RELEASE_URL must be an https:// address, got 'file:///etc'"
    ):
        shelf.resolve("digits", "balancingvae")


def test_list(clone, capsys):
    shelf.print_list("balancingvae")
    assert "balancingvae/digits/seed2" in capsys.readouterr().out
    shutil.rmtree(clone)
