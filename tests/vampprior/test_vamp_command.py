"""The command line: a small training from nothing to a report, its resumption, and mistakes."""

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import vampprior
from vaekit import files
from vaekit.reporting import reports
from vampprior import cli as command
from vampprior import evaluate, presets
from vampprior.importance import mean_and_standard_error
from vampprior.paper import collect, table

ROOT = Path(__file__).resolve().parents[2]
SMALL = ["--epochs", "2", "--batch-size", "50", "--images", "200", "--samples", "20", "--quiet"]
NAME = "digits_vampprior+batch_size=50+epochs=2+images=200"


def arguments(folder, *names):
    places = ["--runs", folder / "runs", "--report", folder / "report"]
    return [str(a) for a in (*names, *SMALL, *places)]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("command")
    assert vampprior_command(arguments(folder, "digits_vampprior")) == 0
    return folder


def vampprior_command(argv):
    from vaekit import cli

    return cli.run(command.main, [str(a) for a in argv])


def test_a_run_holds_what_the_report_shows(finished):
    run = finished / "runs" / "vampprior" / NAME / "seed0"
    metrics = files.read_json(run / "evaluation.json")
    values = files.load_npz(run / "log_likelihood.npz")["20"]
    assert len(values) == metrics["test_images"] == 200
    mean, error = mean_and_standard_error(values)
    assert metrics["log_likelihood"]["20"]["mean"] == mean
    assert metrics["log_likelihood"]["20"]["standard_error"] == error
    assert metrics["elbo"] == pytest.approx(metrics["reconstruction"] - metrics["kl"], rel=1e-5)
    assert mean > metrics["elbo"]
    page = (finished / "report" / "report.html").read_text()
    assert page.count("data:image/png;base64") == 6 and f"{mean:.2f}" in page
    assert (run / "report.md").exists()


def test_a_finished_run_is_not_repeated(finished, capsys):
    metrics_file = finished / "runs" / "vampprior" / NAME / "seed0" / "metrics.jsonl"
    before = metrics_file.read_text()
    evaluation = files.read_json(metrics_file.parent / "evaluation.json")
    assert vampprior_command(arguments(finished, "digits_vampprior")) == 0
    assert not capsys.readouterr().err
    assert metrics_file.read_text() == before
    assert files.read_json(metrics_file.parent / "evaluation.json") == evaluation


def test_a_fresh_process_with_jax_and_no_tensorflow_scores_and_trains_alike(finished, tmp_path):
    run = finished / "runs" / "vampprior" / NAME / "seed0"
    (tmp_path / "tensorflow.py").write_text("raise ImportError('blocked')")
    script = (
        "import sys, vampprior; from vampprior.cli import main; from vaekit import cli;"
        f"assert cli.run(main, ['score', {str(run)!r}]) == 0;"
        f"assert cli.run(main, {arguments(tmp_path, 'digits_vampprior')!r}) == 0"
    )
    environment = os.environ | {
        "KERAS_BACKEND": "jax",
        "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)]),
    }
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=environment,
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    recorded = files.read_json(run / "evaluation.json")["log_likelihood"]["20"]["mean"]
    told = float(done.stdout.split("S=20: ")[1].split()[0])
    assert told == pytest.approx(recorded, abs=2e-4)
    other = tmp_path / "runs" / "vampprior" / NAME / "seed0"
    ours, theirs = (
        json.loads((folder / "metrics.jsonl").read_text().splitlines()[-1])
        for folder in (run, other)
    )
    # Same batches and noise; only the initial weights are drawn by the backend.
    assert theirs["elbo"] == pytest.approx(ours["elbo"], rel=0.15)


def test_a_longer_run_goes_on_where_a_shorter_one_ended(finished, tmp_path, capsys):
    def train(place, *more):
        argv = arguments(tmp_path / place, "digits_vampprior", "--epochs", "4")
        argv[argv.index("2") - 1 : argv.index("2") + 1] = []
        return vampprior_command([*argv, *more])

    shorter = finished / "runs" / "vampprior" / NAME / "seed0"
    longer = Path("runs") / "vampprior" / NAME.replace("epochs=2", "epochs=4") / "seed0"
    before = {path: path.read_bytes() for path in shorter.rglob("*") if path.is_file()}
    assert train("whole") == train("on", "--continue-from", shorter) == 0
    assert before == {path: path.read_bytes() for path in before}
    whole, on = (_records_and_weights(tmp_path / place / longer) for place in ("whole", "on"))
    assert [record["epoch"] for record in on[0]] == [0, 1, 2, 3]
    assert on[0] == whole[0] and on[1].keys() == whole[1].keys()
    assert all((on[1][key] == whole[1][key]).all() for key in on[1])
    # The first epochs have the same seconds, so they were not trained again.
    first = [_seconds(folder)[:2] for folder in (shorter, tmp_path / "on" / longer)]
    assert first[0] == first[1]
    page = (tmp_path / "on" / longer / "report.md").read_text()
    assert f"its first 2 epochs are those of {NAME}/seed0" in page
    capsys.readouterr()
    assert train("other", "--lr", "0.1", "--continue-from", shorter) == 1
    assert "another configuration (lr: " in capsys.readouterr().err


def _records_and_weights(run):
    lines = (run / "metrics.jsonl").read_text().splitlines()
    records = [{k: v for k, v in json.loads(x).items() if k != "seconds"} for x in lines]
    return records, files.load_npz(run / "model.npz")


def _seconds(run):
    return [json.loads(x)["seconds"] for x in (run / "metrics.jsonl").read_text().splitlines()]


@pytest.mark.parametrize(
    "argv, message",
    [
        (["digits_vamprior"], "Did you mean digits_vampprior"),
        (["digits_vampprior", "--precision", "bfloat16"], "float32 only"),
        (
            ["digits_vampprior_data", "--num-pseudo-inputs", "1400"],
            "at most the number of images, 1397",
        ),
        (
            ["digits_vampprior", "--batch-size", "5000"],
            "one batch of 5000 training images",
        ),
        (["digits_vampprior", "--warmup-epochs", "-1"], "warmup_epochs"),
        (
            ["digits_vampprior", "--min-log-scale", "-3"],
            "so it needs likelihood 'discretized_logistic'",
        ),
        (["report_frey_faces_standard", "--min-log-scale", "1"], "must be finite and below 0"),
        (["score", "nowhere"], "nowhere"),
        (["table", "nowhere"], "contains no evaluated run of a published preset"),
    ],
)
def test_mistakes_get_one_line_and_a_status(argv, message, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert vampprior_command([*argv, *(["--quiet"] if argv[0].startswith("d") else [])]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ") and message in error and error.count("\n") == 1


def _evaluation(folder, run, seed, mean, **changes):
    preset = presets.preset(run.split("+")[0])
    config = dataclasses.asdict(dataclasses.replace(preset, seed=seed, **changes))
    bits = evaluate.bits_per_dimension(mean, (28, 20, 1))
    score = {"mean": mean, "standard_error": 1.0, "bits_per_dimension": bits, "seconds": 1.0}
    metrics = {"config": config, "epochs": config["epochs"], "test_images": 200}
    metrics |= {"training_seconds": 60.0, "log_likelihood": {"500": score}}
    files.write_json(folder / run / f"seed{seed}" / "evaluation.json", metrics)
    files.write_json(folder / run / f"seed{seed}" / "environment.json", {"hardware": "a machine"})


def test_table_puts_measured_beside_published(tmp_path):
    for seed, mean in ((0, -2250.0), (1, -2254.0)):
        _evaluation(tmp_path, "report_frey_faces_vampprior", seed, mean)
    _evaluation(tmp_path, "report_frey_faces_vampprior+epochs=20", 0, -2300.0, epochs=20)
    _evaluation(tmp_path, "report_frey_faces_standard", 0, -2280.0)
    # Seed 0 has two validation bounds and seed 1 has none, so the full-length runs have no row.
    for run, bounds in (("_vampprior+epochs=20", (-9.0, -5.0, -6.5)), ("_standard", (-7.0, -8.0))):
        lines = [
            json.dumps({"phase": "training", "epoch": e, "val/elbo": b}) + "\n"
            for e, b in enumerate(bounds)
        ]
        metrics = tmp_path / f"report_frey_faces{run}" / "seed0" / "metrics.jsonl"
        metrics.write_text("".join(lines))
    # Another bound of the likelihood gets a section of its own.
    _evaluation(
        tmp_path, "report_frey_faces_vampprior+min_log_scale=-3.0", 0, -2250.5, min_log_scale=-3.0
    )
    # Runs with other settings have no row in the table.
    _evaluation(tmp_path, "report_frey_faces_vampprior+lr=1.0", 0, 0.0, lr=1.0)
    _evaluation(tmp_path, "report_frey_faces_mixture", 0, 0.0, lr=1.0)
    section, other = table.sections(collect.collect(tmp_path), tmp_path / "report")
    assert other.title.startswith("frey_faces, log-scale from -3, report")
    assert [row[5] for row in other.tables[0].rows] == ["-2250.50"]
    standard, row, shortened = (
        dict(zip(section.tables[0].columns, row, strict=True)) for row in section.tables[0].rows
    )
    assert standard["log p(x)"] == "-2280.00" and standard["sd over seeds"] == ""
    assert row["epochs"] == "1000" and shortened["epochs"] == "20 of 1000"
    assert "Against the standard prior: VampPrior +28.00 nats (S = 500)." in section.text
    assert "4 trainings on a machine: 4 minutes in all, without evaluation." in section.text
    assert row["log p(x)"] == "-2252.00" and row["sd over seeds"] == "2.83"
    assert row["published"] == "-2257.76" and row["difference"] == "+5.76"
    assert row["bits/dim"] == f"{2252 / (560 * np.log(2)):.3f}"
    assert [bound[0] for bound in section.tables[1].rows] == ["standard Gaussian", "VampPrior"]
    assert section.tables[1].rows[1][2:] == ["-5.00", "2", "-6.50", "-1.50"]


def test_overview_has_a_cell_per_prior_at_the_protocols_samples(tmp_path):
    for seed, mean in ((0, -2250.0), (1, -2254.0)):
        _evaluation(tmp_path, "report_frey_faces_vampprior", seed, mean)
    _evaluation(tmp_path, "report_frey_faces_vampprior+epochs=20", 0, -2300.0, epochs=20)
    _evaluation(tmp_path, "report_frey_faces_mixture+epochs=20", 0, -2280.0, epochs=20)
    _evaluation(tmp_path, "tomczak_frey_faces_vampprior", 0, -1750.0)  # S = 500, not its 5000
    (only,) = table.overview(collect.collect(tmp_path)).tables
    (row,) = (dict(zip(only.columns, row, strict=True)) for row in only.rows)
    assert row["VampPrior"] == "-2252.00 ± 2.83 (-2257.76)"
    assert row["mixture of Gaussians"] == "-2280.00" and row["VampPrior-data"] == ""
    assert (row["unit"], row["seeds"], row["S"]) == ("nats", "1-2", 500)
    assert row["epochs"] == "20-1000"


def test_k_figure_has_a_row_per_k(tmp_path):
    argv = ["k", "--preset", "digits_vampprior", "--ks", "3", *SMALL]
    argv += ["--epochs", "1", "--runs", tmp_path / "runs", "--report", tmp_path / "report"]
    assert vampprior_command(argv) == 0
    _, (figure, made) = reports.read_report(tmp_path / "report")
    assert [row[0] for row in figure.tables[0].rows] == [3]
    assert made.tables[0].rows
    assert (tmp_path / "report" / "figures" / "k.png").exists()


def test_a_run_directory_loads_as_a_model(finished):
    model = vampprior.load(finished / "runs" / "vampprior" / NAME / "seed0")
    assert model.sample(2, seed=0).shape == (2, 8, 8, 1)
