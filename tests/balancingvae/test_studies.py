"""Studies end to end on tiny networks: ablation, autoencoders, statistics, the page of results."""

import dataclasses

import numpy as np
import pytest
from balancingvae.stages import StageOne
from keras import ops

from balancingvae import presets
from balancingvae.baselines import study as baselines
from balancingvae.model import TwoStageVAE
from balancingvae.paper import ablation, experiments, paper_figures
from balancingvae.paper import variance_study as study
from balancingvae.renormalization import LatentRule
from vaekit import fid
from vaekit.errors import UserError
from vaekit.reporting import pages, reports
from vaekit.runs import Run

TINY = dataclasses.replace(
    presets.preset("digits"),
    network="dense",
    fc_dim=8,
    latent_dim=4,
    num_scale=1,
    second_dim=8,
    epochs=2,
    batch_size=20,
)
NO_FID = fid.Settings(enabled=False)


@pytest.fixture(scope="module")
def options(tmp_path_factory):
    return experiments.Options(
        runs=tmp_path_factory.mktemp("runs"),
        images=60,
        test_images=70,
        progress=False,
        settings=NO_FID,
    )


@pytest.fixture(scope="module")
def dataset(options):
    return experiments.load(TINY, options)


def test_every_reading_of_renormalisation_is_in_the_table(dataset, tmp_path, monkeypatch):
    rules = (ablation.LATENT_RULES[0], LatentRule("unit"), LatentRule("unit", "per_dimension"))
    monkeypatch.setattr(ablation, "LATENT_RULES", rules)
    figures, pictures = ablation.ablate(TwoStageVAE(TINY), dataset, NO_FID, 70)
    rows = {row["rule"]: row for row in figures["latents"]}
    assert len(rows) == 1 + len(rules)
    unit = rows["unit, per dimension, batch"]
    assert unit["after"]["GEN-2"] == pytest.approx(1, abs=1e-4)
    assert unit["after"]["GEN-1"] == unit["before"]["GEN-1"]
    assert rows["none"]["after"] == rows["none"]["before"]
    untouched = rows["none"]["distances"]["Frechet distance, pixels"]
    ruled = rows["original law, scalar, batch, if ratio > 0.25"]["distances"]
    assert (ruled["Frechet distance, pixels"] == untouched) == (figures["ratio"] <= 0.25)
    stds = [row["pixel_std"] for row in figures["images"]]
    assert stds[0]["REC"] < stds[1]["REC"] and stds[0]["GEN-1"] == stds[1]["GEN-1"]
    assert stds[0]["GEN-1"] < stds[3]["GEN-1"]
    ablation.figure_6(tmp_path / "figures", pictures)
    page = reports.write_report(
        tmp_path, "One", ablation.sections(figures, tmp_path / "figures", "70")
    )
    assert "unit, per dimension, batch" in page.read_text()


def test_an_autoencoder_is_trained_once(dataset, options):
    baseline = baselines.Autoencoder("l2", "dense")
    found, run = baselines.run_autoencoder(TINY, baseline, dataset, {"epochs": 2}, options)
    values = {row["set"]: row["value"] for row in found["distances"] if row["label"] != "FID"}
    assert set(values) == {"REC", "gaussian", "mixture"} and min(values.values()) > 0
    again, _ = baselines.run_autoencoder(TINY, baseline, dataset, {"epochs": 2}, options)
    assert again == found
    parts = baselines.sections({baseline.name: [(found, run)]}, ["budget"])
    assert parts[0].tables[0].rows[0][0] == "RAE-L2, dense network"


def test_fresh_statistics_are_taken_back(monkeypatch):
    monkeypatch.setattr(study, "STATISTICS_BATCHES", 1)
    config = dataclasses.replace(TINY, network="resnet", base_dim=2, num_scale=2)
    stage = StageOne(config)
    images = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 1), np.uint8)
    kept = [ops.convert_to_numpy(weight).copy() for weight in stage.non_trainable_weights]
    with study.fresh_statistics(stage, images):
        inside = [ops.convert_to_numpy(weight).copy() for weight in stage.non_trainable_weights]
    after = [ops.convert_to_numpy(weight) for weight in stage.non_trainable_weights]
    assert any((a != b).any() for a, b in zip(kept, inside, strict=True))
    for a, b in zip(kept, after, strict=True):
        np.testing.assert_array_equal(a, b)


def test_latents_are_watched_during_the_first_epoch(dataset, tmp_path):
    with Run(tmp_path / "run", {}) as run:
        watcher = paper_figures.Watcher(run, dataset, TINY, NO_FID)
        watcher.set_model(StageOne(TINY))
        for batch in range(3):
            watcher.on_train_batch_end(batch)
        watcher.on_epoch_end(0)
        watcher.on_epoch_begin(1)
        watcher.on_train_batch_end(0)
        watcher.on_epoch_end(1)
        records = run.records(paper_figures.PHASE)
    assert [(r["epoch"], round(r["part"], 2)) for r in records] == [
        (0, 0.33), (0, 0.67), (0, 1.0), (1, 1.0),
    ]  # fmt: skip
    assert {len(r["sigma_squared"]) for r in records} == {4}
    assert records[-1]["distance"] > 0 and records[-1]["label"] == "Frechet distance, pixels"
    parts = paper_figures.sections(records, "tiny", tmp_path / "figures")
    assert all((tmp_path / figure.file).exists() for figure in parts[0].figures)


def test_the_page_holds_what_the_reports_hold(tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "a.png").write_bytes(b"picture")
    section = reports.Section(
        "Part",
        text=["Words."],
        tables=[reports.Table(["k", "v"], [["mse", 0.01234567]])],
        figures=[reports.Figure("a.png", "A caption")],
    )
    content = {"title": "First", "sections": [dataclasses.asdict(section)]}
    reports.files.write_json(tmp_path / "one" / "report.json", content)
    pages.write_page(tmp_path / "docs" / "variance.md", "# Page\n", [tmp_path / "one"])
    name = f"variance_{tmp_path.name}_one_a.png"
    page = (tmp_path / "docs" / "variance.md").read_text()
    for part in ("# Page", "## First", "### Part", "| mse | 0.01235 |", f"images/{name}"):
        assert part in page
    assert (tmp_path / "docs" / "images" / name).read_bytes() == b"picture"
    readme = tmp_path / "README.md"
    readme.write_text("Above\n<!-- overview: cmd -->\nold\n<!-- end of overview -->\nbelow\n")
    for _ in range(2):
        pages.write_overview(readme, tmp_path / "one", "cmd")
    lines = readme.read_text().split("\n")
    assert (lines[0], lines[-2]) == ("Above", "below") and "old" not in lines
    assert lines.count("| mse | 0.01235 |") == lines.count("Words.") == 1
    with pytest.raises(UserError, match="end of overview"):
        pages.write_overview(readme, tmp_path / "one", "another command")
