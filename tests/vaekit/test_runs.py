"""Run directories, their configurations and environment, and the shared command line."""

import dataclasses
import os
import sys

import keras
import numpy as np
import pytest

from vaekit import cli, configs, environment, files, runs
from vaekit.errors import UserError


def test_run_refuses_another_configuration_and_a_second_process(tmp_path):
    with runs.Run(tmp_path / "r", {"epochs": 3, "sides": (2, 2)}) as run:
        run.log({"phase": "one", "epoch": 0, "loss": np.float32(2)})
        with pytest.raises(UserError, match="Another process is using"):
            runs.Run(tmp_path / "r", {"epochs": 3, "sides": (2, 2)})
    before = (tmp_path / "r" / "config.json").read_bytes()
    with pytest.raises(UserError, match=r"of another configuration \(epochs: 3 instead of 4\)"):
        runs.Run(tmp_path / "r", {"epochs": 4, "sides": (2, 2)})
    assert (tmp_path / "r" / "config.json").read_bytes() == before
    with runs.Run(tmp_path / "r", {"epochs": 3, "sides": (2, 2)}) as run:
        assert run.records("one") == [{"phase": "one", "epoch": 0, "loss": 2.0}]


def test_a_run_from_before_a_setting_existed_continues_with_its_default(tmp_path):
    folder, defaults = tmp_path / "r", {"warm": (1, 2)}
    runs.Run(folder, {"config": {"lr": 1.0}}).close()
    runs.Run(folder, {"config": {"lr": 1.0, "warm": (1, 2)}}, defaults=defaults).close()
    with pytest.raises(UserError, match=r"\(warm: \[1, 2\] instead of \[1, 3\]\)"):
        runs.Run(folder, {"config": {"lr": 1.0, "warm": (1, 3)}}, defaults=defaults)


def test_unwritable_folder_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="Choose another folder with --runs"):
        runs.Run(tmp_path / "file" / "run", {})


def test_changed_options_get_a_folder_of_their_own():
    assert runs.run_name("cifar10", {}) == "cifar10"
    assert runs.run_name("cifar10", {"epochs": 1, "base_dim": 8}) == "cifar10+base_dim=8+epochs=1"
    assert "/" not in runs.run_name("folder:/home/me", {})


def test_environment_says_what_a_figure_depends_on(monkeypatch):
    program = "/home/me/vampprior/__main__.py"
    monkeypatch.setattr(sys, "argv", [program, "digits", "--runs", "/home/me/a b", "-K", "3"])
    assert environment.environment()["command"] == "python -m vampprior digits -K 3"
    found = environment.environment()
    assert found["libraries"]["numpy"] == np.__version__
    assert found["hardware"] and found["backend"] in ("tensorflow", "jax", "torch")


@dataclasses.dataclass(frozen=True)
class Config:
    name: str
    sides: tuple = (1, 2)

    def __post_init__(self):
        len(self.sides)


def test_configurations_are_described_and_read(tmp_path):
    described = configs.describe("toy", Config("a"), images=3)
    assert described == {"package": "toy", "config": {"name": "a", "sides": (1, 2)}, "images": 3}
    files.write_json(tmp_path / "config.json", described)
    assert configs.read_config(tmp_path, "toy", Config) == Config("a", [1, 2])
    with pytest.raises(UserError, match="does not describe a run of other, but of toy"):
        configs.read_config(tmp_path, "other", Config)
    with pytest.raises(UserError, match="with unknown field x; unknown field y; missing field na"):
        configs.config_from_dict("toy", Config, {"y": 1, "x": 2})
    with pytest.raises(UserError, match=r"Expected a dict of fields of a toy .*, got \[1\]"):
        configs.config_from_dict("toy", Config, [1])
    with pytest.raises(UserError, match=r"a value of the wrong type: .*int.* Use the config\.json"):
        configs.config_from_dict("toy", Config, {"name": "a", "sides": 3})
    files.write_json(tmp_path / "config.json", [1])
    with pytest.raises(UserError, match="but of no package"):
        configs.read_config(tmp_path, "toy", Config)


def test_user_mistakes_end_without_a_stack_trace(capsys):
    def mistake(argv):
        raise UserError("n must be a positive integer, got 0.")

    assert cli.run(mistake) == 1
    captured = capsys.readouterr()
    assert captured.err == "error: n must be a positive integer, got 0.\n"


def test_default_command():
    assert cli.with_default_command(["digits", "--epochs", "1"], ["list"])[0] == "train"
    assert cli.with_default_command(["list"], ["list"]) == ["list"]
    assert cli.with_default_command([], ["list"]) == ["--help"]


def test_arithmetic_is_refused_or_chosen(tmp_path):
    from vaekit.training import backend

    with pytest.raises(
        UserError, match=r"Unknown precision 'float16'.*Known: auto, bfloat16, float32"
    ):
        backend.arithmetic("mlp", "float16")
    assert backend.arithmetic("mlp").policy == "float32"
    (tmp_path / "cpuinfo").write_text("flags : avx512_bf16")
    assert backend.multiplies_bfloat16(tmp_path / "cpuinfo")
    assert not backend.multiplies_bfloat16(os.devnull)
    found = [backend.steps_per_execution(steps) for steps in (500, 7)]
    assert found == ([1, 1] if keras.backend.backend() == "torch" else [25, 7])


@pytest.mark.parametrize(
    "late, flags, expected",
    [(True, "avx2", True), (True, "avx2 avx512_vnni", False), (False, "avx2", False)],
)
def test_a_tensorflow_without_onednn_is_noticed(tmp_path, monkeypatch, late, flags, expected):
    import vaekit
    from vaekit.training import backend

    (tmp_path / "cpuinfo").write_text(f"flags : {flags}")
    monkeypatch.setattr(vaekit, "TENSORFLOW_WAS_IMPORTED_FIRST", late)
    monkeypatch.setattr(backend.keras.backend, "backend", lambda: "tensorflow")
    assert backend._without_onednn(tmp_path / "cpuinfo") == expected
    monkeypatch.setattr(backend, "_without_onednn", lambda: True)
    monkeypatch.setattr(backend, "has_gpu", lambda: False)
    with pytest.warns(UserWarning, match="Import balancingvae before keras"):
        backend.arithmetic("resnet")
