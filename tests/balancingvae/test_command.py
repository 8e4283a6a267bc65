"""The command line on digits: one training, several seeds, small scale; options, defaults."""

import pytest

from balancingvae import checkpoint, cli, presets
from balancingvae.paper import variance_figure4
from balancingvae.run import QUICK, SCALES, Options, from_arguments
from vaekit import files
from vaekit.errors import UserError

TINY = ["--images", "200", "--test-images", "100", "--epochs", "1", "--epochs2", "1"]


def run(tmp_path, *options):
    places = ["--runs", str(tmp_path / "runs"), "--report", str(tmp_path / "report")]
    cli.main(["digits", *TINY, *options, *places, "--no-fid", "--quiet"])
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
    config = checkpoint.read_config(directory)
    assert (config.network, config.base_dim, config.second_dim) == ("conv", 8, 16)
    # Runs made by earlier versions are found by these names.
    assert directory.parent.name == (
        "digits+base_dim=8+batch_size=20+epochs=1+epochs2=1+fc_dim=128+images=200+lr=0.002"
        "+lr2=0.002+lr_epochs=10+lr_epochs2=15+network=conv+second_dim=16+test_images=100"
    )
    described = files.read_json(directory / "config.json")
    assert list(described) == ["package", "config", "data_fingerprint", "images", "policy"]
    assert presets.preset("digits").network == "resnet"


def test_options_are_those_of_the_command_line():
    parsed = cli.parser().parse_args(
        ["train", "digits", "--devices", "2", "--images", "5", "--verbose", "--no-fid"]
    )
    options = from_arguments(parsed)
    assert (options.devices, options.images, options.test_images) == (2, 5, None)
    assert options.progress == "verbose" and not options.settings.enabled
    parsed = cli.parser().parse_args(["variance", "--quiet", "--runs", "there"])
    found = from_arguments(parsed)
    assert (found.runs.name, found.progress, found.images) == ("there", False, 2000)
    assert found.settings == Options().settings


def test_the_variance_study_has_the_plans_defaults():
    parsed = vars(cli.parser().parse_args(["variance", "--budgets", "20", "5", "5"]))
    names = variance_figure4.Plan.__dataclass_fields__
    plan = variance_figure4.Plan(**{name: parsed[name] for name in names})
    assert plan == variance_figure4.Plan() and plan.budgets == (5, 20)


@pytest.mark.parametrize(
    ("quick", "scale", "images", "kept"),
    [(True, "full", 2000, 500), (False, "small", 2000, 2000), (False, "full", None, None)],
)
def test_budgets_limit_the_images_that_were_not_chosen(quick, scale, images, kept):
    budget = QUICK if quick else SCALES[scale]
    assert budget.limit(Options()).images == images
    assert budget.limit(Options()).test_images == kept
    assert budget.limit(Options(images=7)).images == 7


def test_tables_are_about_two_datasets():
    with pytest.raises(UserError, match="tables of cifar10 and celeba, got 'digits'"):
        cli.main(["tables", "digits"])
