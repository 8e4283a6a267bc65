"""Studies end to end on tiny networks: ablation, autoencoders, statistics, the page of results."""

import dataclasses

import keras
import numpy as np
import pytest
from keras import ops

from balancingvae import presets
from balancingvae.paper import (
    baselines_table,
    first_stage,
    latents_figures,
    learned_by_heart,
    page,
    renormalization_table,
    runner,
    variance_figure4,
)
from balancingvae.renormalization import LatentRule
from balancingvae.run import Options, load_dataset, unit_images
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
    return Options(
        runs=tmp_path_factory.mktemp("runs"),
        images=60,
        test_images=70,
        progress=False,
        settings=NO_FID,
    )


@pytest.fixture(scope="module")
def dataset(options):
    return load_dataset(TINY, options)


def test_datasets_of_bits_are_bool(dataset, options, monkeypatch):
    bits = np.eye(8, dtype=np.uint8)[None, :, :, None]
    found = dataclasses.replace(dataset, train=bits, test=bits, likelihood="bernoulli")
    monkeypatch.setattr("balancingvae.run.datasets.load", lambda *arguments: found)
    loaded = load_dataset(TINY, options)
    assert loaded.train.dtype == loaded.test.dtype == bool
    np.testing.assert_array_equal(unit_images(loaded.test), bits.astype(np.float32))


def test_every_reading_of_renormalisation_is_in_the_table(dataset, tmp_path, monkeypatch):
    rules = (
        renormalization_table.LATENT_RULES[0],
        LatentRule("unit"),
        LatentRule("unit", "per_dimension"),
    )
    monkeypatch.setattr(renormalization_table, "LATENT_RULES", rules)
    found = renormalization_table.ablate(presets.model(TINY), dataset, NO_FID, 70)
    rows = {row.name: row for row in found.latents}
    assert len(rows) == 1 + len(rules)
    unit = rows["unit, per dimension, batch"]
    assert unit.after["GEN-2"] == pytest.approx(1, abs=1e-4)
    assert unit.after["GEN-1"] == unit.before["GEN-1"]
    assert rows["none"].after == rows["none"].before
    untouched = rows["none"].distances["Frechet distance, pixels"]
    ruled = rows["original law, scalar, batch, if ratio > 0.25"].distances
    assert (ruled["Frechet distance, pixels"] == untouched) == (found.ratio <= 0.25)
    stds = [row.pixel_std for row in found.images]
    assert stds[0]["REC"] < stds[1]["REC"] and stds[0]["GEN-1"] == stds[1]["GEN-1"]
    assert stds[0]["GEN-1"] < stds[3]["GEN-1"]
    sections = renormalization_table.sections(found, tmp_path / "figures", "70")
    written = reports.write_report(tmp_path, "One", sections)
    assert "unit, per dimension, batch" in written.read_text()


def test_figure_6_pairs_rows_of_the_same_seeds(tmp_path, monkeypatch):
    grids = []

    def image_grid(path, images, columns):
        grids.append(images)

    monkeypatch.setattr(renormalization_table.plots, "image_grid", image_grid)
    plain = np.arange(23.0)[:, None, None, None] * np.ones((1, 2, 2, 1))
    renormalization_table.figure_6(tmp_path / "a.png", plain, 100 + plain)
    (grid,) = grids
    first = [*range(10), *range(100, 110), *range(10, 20), *range(110, 120)]
    assert grid[:, 0, 0, 0].tolist() == first


def test_an_autoencoder_is_trained_once(dataset, options):
    baseline = baselines_table.Autoencoder("l2", "dense")
    train = baselines_table.train_autoencoder
    found, run = train(TINY, baseline, dataset, {"epochs": 2}, options)
    values = {row["set"]: row["value"] for row in found["distances"] if row["label"] != "FID"}
    assert set(values) == {"REC", "gaussian", "mixture"} and min(values.values()) > 0
    again, _ = train(TINY, baseline, dataset, {"epochs": 2}, options)
    assert again == found
    assert run.directory.parent.name == "digits-l2+epochs=2+images=60+network=dense"
    model = keras.saving.load_model(run.directory / "autoencoder.keras")
    real = unit_images(dataset.test)
    assert np.square(model.reconstruct(dataset.test) - real).mean() == pytest.approx(found["mse"])
    row = runner.Row(baseline.name, TINY, [found], [run])
    parts = baselines_table.sections([row], "budget")
    assert parts[0].tables[0].rows[0][0] == "RAE-L2, dense network"


def test_baselines_and_vaes_stand_in_one_table(options, tmp_path, capsys):
    comparison = runner.Comparison(
        TINY, {"epochs": 1, "epochs2": 1}, range(1), options, str(tmp_path), lambda line: None
    )
    baseline = baselines_table.Autoencoder("ae", "dense", latent_weight=0.0, penalty_weight=0.0)
    variants = [runner.Variant("computed gamma", {"gamma_policy": "computed"})]
    baselines_table.study(comparison, [baseline], variants)
    title, (section, *_) = reports.read_report(tmp_path)
    assert title == "Baselines: digits"
    assert [row[0] for row in section.tables[0].rows] == ["computed gamma", "AE, dense network"]
    assert "computed gamma" in capsys.readouterr().out


def stage_of(**changes):
    return presets.model(dataclasses.replace(TINY, **changes)).stage_one


def test_fresh_statistics_are_taken_back(monkeypatch):
    monkeypatch.setattr(first_stage, "STATISTICS_BATCHES", 1)
    stage = stage_of(network="resnet", base_dim=2, num_scale=2)
    images = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 1), np.uint8)
    kept = [ops.convert_to_numpy(weight).copy() for weight in stage.non_trainable_weights]
    with first_stage.fresh_statistics(stage, images, batch_size=20):
        inside = [ops.convert_to_numpy(weight).copy() for weight in stage.non_trainable_weights]
    after = [ops.convert_to_numpy(weight) for weight in stage.non_trainable_weights]
    assert any((a != b).any() for a, b in zip(kept, inside, strict=True))
    for a, b in zip(kept, after, strict=True):
        np.testing.assert_array_equal(a, b)


def test_figure_4_is_drawn_from_runs_that_are_trained_once(options, tmp_path, monkeypatch):
    plan = variance_figure4.Plan(("dense", "conv"), ("digits",), (2,), (1, 2), 60, 70, 2, 8)
    options = plan.limit(dataclasses.replace(options, runs=tmp_path / "runs"))
    said = []
    rows = variance_figure4.train(plan, options, said.append)
    assert [(row["network"], row["epochs"]) for row in rows] == [
        ("dense", 1), ("dense", 2), ("conv", 1), ("conv", 2),
    ]  # fmt: skip
    assert len(said) == 2 and said[0].startswith("1/2 digits dense 2 latents: mse ")
    (directory,) = (tmp_path / "runs/balancingvae/variance").glob("digits-dense+*/seed0")
    assert directory.parent.name == (
        "digits-dense+base_dim=2+epochs=2+fc_dim=8+gamma_policy=computed+images=60+latent_dim=2"
    )
    monkeypatch.setattr(first_stage, "fit", None)
    assert variance_figure4.train(plan, options, said.append) == rows
    parts = variance_figure4.sections(rows, plan, tmp_path / "report" / "figures")
    reports.write_report(tmp_path / "report", "Variance loss", parts)
    assert [len(part.tables[0].rows) for part in parts] == [1 + 2 + 1 + 1 + 2, 2, 4]


def test_a_network_that_learns_by_heart_is_measured_on_both(options, tmp_path, monkeypatch):
    for name, value in (("DATASET", "digits"), ("IMAGES", 50), ("EPOCHS", 1), ("LATENT_DIM", 2)):
        monkeypatch.setattr(learned_by_heart, name, value)
    options = dataclasses.replace(options, runs=tmp_path)
    found = learned_by_heart.measure(options, base_dim=2, fc_dim=8, seed=0)
    assert {name: row["test_images"] for name, row in found.items()} == {
        "training images": 50,
        "unseen images": 70,
    }
    assert [row["gamma"] for row in found.values()] == pytest.approx([0.05, 0.05])
    assert "50 images of digits for 1 epochs" in learned_by_heart.section(found).text[0]


def test_latents_are_watched_during_the_first_epoch(dataset, tmp_path):
    with Run(tmp_path / "run", {}) as run:
        watcher = latents_figures.Watcher(run, dataset, TINY, NO_FID)
        watcher.set_model(stage_of())
        for batch in range(3):
            watcher.on_train_batch_end(batch)
        watcher.on_epoch_end(0)
        watcher.on_epoch_begin(1)
        watcher.on_train_batch_end(0)
        watcher.on_epoch_end(1)
        records = run.records(latents_figures.PHASE)
    assert [(r["epoch"], round(r["part"], 2)) for r in records] == [
        (0, 0.33), (0, 0.67), (0, 1.0), (1, 1.0),
    ]  # fmt: skip
    assert {len(r["sigma_squared"]) for r in records} == {4}
    assert records[-1]["distance"] > 0 and records[-1]["label"] == "Frechet distance, pixels"
    section = latents_figures.section(records, "tiny", tmp_path / "figures")
    assert all((tmp_path / figure.file).exists() for figure in section.figures)


def test_the_pages_introduction_is_the_documents():
    text = (reports.Path(__file__).parents[2] / "docs" / "variance.md").read_text()
    assert text.startswith(page.INTRODUCTION)


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
