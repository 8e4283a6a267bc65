"""The shell entry: its list of targets, and that importing the packages needs no TensorFlow."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TARGETS = ("digits", "tests", "docs", "cifar10", "celeba")
TARGETS += ("balancingvae-DATASET", "vampprior-DATASET")
TARGETS += ("static_mnist", "fashion_mnist", "frey_faces", "caltech101", "vampprior_k")
TARGETS += ("variance", "policies", "baselines", "tables", "renormalization", "figures")


def reproduce(*arguments):
    command = ["bash", str(ROOT / "reproduce.sh"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd="/", timeout=30, check=False)


@pytest.mark.parametrize("arguments", [(), ("--help",), ("-h",)])
def test_help_lists_the_targets_with_times(arguments):
    shown = reproduce(*arguments)
    assert shown.returncode == 0 and shown.stderr == ""
    assert all(target in shown.stdout for target in TARGETS)
    assert "time on two CPU cores" in shown.stdout


def test_unknown_target_lists_the_known_ones_and_exits_with_2():
    shown = reproduce("digit")
    assert shown.returncode == 2
    assert "unknown target: digit\n" in shown.stderr and "balancingvae-DATASET" in shown.stderr


def test_second_call_does_not_install_again(tmp_path):
    """With an environment whose marker fits, set-up goes straight to the target."""
    import hashlib

    (tmp_path / "bin").mkdir()
    fake = tmp_path / "bin" / "python"
    fake.write_text(f'#!/bin/sh\n[ "$1" = -c ] && exec {sys.executable} "$@"\necho "called $@"\n')
    fake.chmod(0o755)
    environment = os.environ | {"VIRTUAL_ENV": str(tmp_path)}
    command = ["bash", str(ROOT / "reproduce.sh"), "vampprior-digits", "--epochs", "1"]
    first, second = (
        subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
        for _ in range(2)
    )
    assert "called -m pip install" in first.stdout
    assert second.stdout == "called -m vampprior digits --epochs 1\n"
    digest = hashlib.sha256((ROOT / "setup.py").read_bytes()).hexdigest()
    assert digest in (tmp_path / ".reproduce-installed").read_text()
