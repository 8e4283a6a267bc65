"""The command line on digits: one training, several seeds, the small scale."""

from balancingvae import __main__, checkpoint, presets
from vaekit import files

TINY = ["--images", "200", "--test-images", "100", "--epochs", "1", "--epochs2", "1"]


def run(tmp_path, *options):
    places = ["--runs", str(tmp_path / "runs"), "--report", str(tmp_path / "report")]
    __main__.main(["digits", *TINY, *options, *places, "--no-fid", "--quiet"])
    return sorted((tmp_path / "runs").glob("balancingvae/*/seed*"))


def test_several_seeds_stand_in_one_table_of_means(tmp_path, capsys):
    directories = run(tmp_path, "--scale", "small", "--seeds", "2", "--seed", "3")
    assert [path.name for path in directories] == ["seed3", "seed4"]
    values = [files.read_json(path / "evaluation.json")["mse"] for path in directories]
    assert values[0] != values[1]
    printed = capsys.readouterr().out
    assert f"{sum(values) / 2:.4g}"[:5] in printed and "±" in printed
    assert "Means ± deviations over 2 seeds." in (tmp_path / "report/report.md").read_text("utf-8")


def test_small_scale_is_the_comparisons_and_options_go_before_it(tmp_path):
    (directory,) = run(tmp_path, "--scale", "small", "--second-dim", "16")
    config = checkpoint.load(directory).config
    assert (config.network, config.base_dim, config.second_dim) == ("conv", 8, 16)
    assert presets.preset("digits").network == "resnet"
