"""SIGKILL at random moments of a digits training: the resumed run ends with the same metrics."""

import json
import multiprocessing
import random
import time
from pathlib import Path

import numpy as np
import pytest

COMMANDS = {
    "vampprior": ["digits_vampprior", "--epochs", "14", "-K", "8", "--samples", "5"],
    "balancingvae": [
        "digits", "--epochs", "5", "--epochs2", "6", "--num-scale", "1", "--base-dim", "4",
        "--second-dim", "16", "--test-images", "50", "--no-fid",
    ],
}  # fmt: skip
LIMIT = 90  # longest time of one attempt in seconds


def run_command(package, arguments):
    """In a child process: the package's command line, as `python -m` calls it."""
    import importlib

    from vaekit import cli

    raise SystemExit(cli.run(importlib.import_module(f"{package}.cli").main, arguments))


@pytest.fixture(scope="module")
def processes():
    """Children are forked from a server that has imported the packages but computed nothing."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([f"{package}.cli" for package in COMMANDS])
    return context


def start(processes, package, folder):
    arguments = [*COMMANDS[package], "--runs", str(folder / "runs"), "--checkpoint-seconds", "0"]
    arguments += ["--report", str(folder / "report"), "--quiet"]
    process = processes.Process(target=run_command, args=(package, arguments))
    process.start()
    return process


def finish(process):
    process.join(LIMIT)
    assert process.exitcode == 0


def kill_after_epochs(process, folder, epochs, delay):
    """SIGKILL `delay` seconds after `epochs` epochs are recorded, unless the run ends before."""
    deadline = time.monotonic() + LIMIT
    while process.is_alive() and count_records(folder) < epochs and time.monotonic() < deadline:
        time.sleep(0.002)
    time.sleep(delay)
    process.kill()
    process.join()


def count_records(folder):
    files = list(Path(folder).glob("runs/*/*/seed0/metrics.jsonl"))
    return files[0].read_text().count("\n") if files else 0


def results(folder):
    """Records, evaluation and weights of the only run in `folder`, without the times."""
    (directory,) = Path(folder).glob("runs/*/*/seed0")
    lines = (directory / "metrics.jsonl").read_text().splitlines()
    records = [json.loads(line) for line in lines]
    evaluation = json.loads((directory / "evaluation.json").read_text())
    arrays = {}
    for path in sorted(directory.glob("*.npz")):
        with np.load(path, allow_pickle=False) as file:
            arrays |= {f"{path.name}/{key}": file[key] for key in file.files}
    return without_times(records), without_times(evaluation), arrays


def without_times(value):
    if isinstance(value, dict):
        return {k: without_times(v) for k, v in value.items() if "seconds" not in k}
    return [without_times(v) for v in value] if isinstance(value, list) else value


@pytest.mark.parametrize("package", sorted(COMMANDS))
def test_killed_training_ends_like_one_never_killed(package, processes, tmp_path):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    finish(start(processes, package, whole))
    random.seed(0)
    for epochs in (1, 7):
        kill_after_epochs(start(processes, package, cut), cut, epochs, random.uniform(0, 0.05))
    finish(start(processes, package, cut))
    expected, found = results(whole), results(cut)
    assert found[0] == expected[0]
    assert found[1] == expected[1]
    assert found[2].keys() == expected[2].keys()
    for name, array in expected[2].items():
        np.testing.assert_array_equal(found[2][name], array, err_msg=name)
