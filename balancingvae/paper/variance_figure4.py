"""Figure 4: variance loss against mean squared error, over many small VAEs.

Asperti, "Variance Loss in Variational Autoencoders", LOD 2020: families of networks, datasets,
latent sizes and budgets. `python -m balancingvae variance` trains them.
"""

import dataclasses

import numpy as np

from balancingvae.paper import first_stage, tables
from balancingvae.paper.claims import Claim
from balancingvae.paper.variance_losses import LOSSES, cells
from balancingvae.run import load_dataset
from vaekit import cli
from vaekit.reporting import plots
from vaekit.reporting.reports import Figure, Section, Table, show
from vaekit.runs import cost

# Key of a variance loss -> caption of its figure.
DRAWN = {
    "variance_loss": "Per image, as the paper defines it",
    "variance_loss_over_data": "With variances over data",
}


def _option(default, text, kind=cli.positive_integer):
    """A field with the help text and the type of its command-line option."""
    return dataclasses.field(default=default, metadata={"help": text, "type": kind})


@dataclasses.dataclass(frozen=True)
class Plan:
    """What the study trains: every combination of the fields, measured after each of the budgets.

    Every field is an option of the command line; a training ends at the last budget.
    """

    families: tuple = _option(("dense", "conv", "resnet", "draw"), "networks", str)
    datasets: tuple = _option(
        ("digits", "mnist", "fashion_mnist", "frey_faces", "cifar10"), "datasets", str
    )
    latent_dims: tuple = _option((8, 32), "numbers of latents")
    budgets: tuple = _option((5, 20), "epochs after which a training is measured")
    images: int = _option(2000, "most training images of each dataset, chosen with a fixed seed")
    test_images: int = _option(500, "most test images of each dataset")
    base_dim: int = _option(8, "width of convolutional networks")
    fc_dim: int = _option(128, "width of dense layers")
    seed: int = _option(0, "random seed", cli.seed)

    def __post_init__(self):
        object.__setattr__(self, "budgets", tuple(sorted(set(self.budgets))))

    def configs(self):
        """A `Config` per training."""
        return [
            first_stage.small_config(
                dataset,
                family,
                latent_dim,
                max(self.budgets),
                base_dim=self.base_dim,
                fc_dim=self.fc_dim,
                seed=self.seed,
            )
            for dataset in self.datasets
            for family in self.families
            for latent_dim in self.latent_dims
        ]

    def limit(self, options):
        """`run.Options` with this plan's numbers of images."""
        sizes = {"images": self.images, "test_images": self.test_images}
        return dataclasses.replace(options, **sizes)


def train(plan, options, say=print):
    """Train (or resume, or reuse) and measure everything in a plan.

    Args:
        plan: a `Plan`.
        options: `run.Options`, limited by the plan.
        say: function called with one line per training.
    Returns:
        list of rows as `first_stage.train_and_measure` returns them, one per training and budget.
    """
    rows, loaded = [], {}
    wanted = plan.configs()
    for index, config in enumerate(wanted, start=1):
        if config.dataset not in loaded:
            loaded = {config.dataset: load_dataset(config, options)}
        dataset = loaded[config.dataset]
        rows += first_stage.train_and_measure(config, dataset, plan.budgets, options)
        last = rows[-1]
        say(
            f"{index}/{len(wanted)} {config.dataset} {config.network} {config.latent_dim} latents: "
            f"mse {last['mse']:.5f}, variance loss {last['variance_loss']:.5f}"
        )
    return rows


@dataclasses.dataclass(frozen=True)
class Line:
    """A least-squares line and the correlation; None if all x are equal."""

    slope: float | None = None
    offset: float | None = None
    correlation: float | None = None

    @property
    def is_identity(self):
        """Whether the slope is about 1 and the points lie on the line."""
        return self.slope is not None and abs(self.slope - 1) < 0.15 and self.correlation > 0.95

    def __str__(self):
        if self.slope is None:
            return "no line through fewer than two errors"
        return f"slope {self.slope:.3f}, correlation {self.correlation:.3f}"


def fitted_line(rows, key, x="mse"):
    """The `Line` of the measurement `key` against the measurement `x` over rows."""
    from scipy import stats

    errors = [row[x] for row in rows]
    if len(set(errors)) < 2:
        return Line()
    found = stats.linregress(errors, [row[key] for row in rows])
    return Line(float(found.slope), float(found.intercept), float(found.rvalue))


def claims(rows):
    """The paper's claims about Figure 4, as a list of `claims.Claim`."""
    line, over_data = (fitted_line(rows, key) for key in DRAWN)
    return [
        _all_positive("reconstructions always lose variance", rows, "variance_loss"),
        Claim(
            "variance loss (per image) is about equal to the mse",
            str(line),
            line.is_identity,
        ),
        Claim("the same with variances over data", str(over_data), over_data.is_identity),
        _all_positive("images generated from the prior lose variance too", rows, "generated_loss"),
    ]


def _all_positive(text, rows, key):
    count = sum(row[key] > 0 for row in rows)
    return Claim(text, f"{count} of {len(rows)} measurements positive", count == len(rows))


def sections(rows, plan, figures):
    """The report's sections: the figure, generated images, all measurements.

    Args:
        rows: from `train`.
        plan: the `Plan`.
        figures: folder of the pictures.
    """
    return [_figure_4(rows, plan, figures), _generated(rows, figures), _all_rows(rows)]


def _figure_4(rows, plan, figures):
    for key in DRAWN:
        line = fitted_line(rows, key)
        plots.scatter(
            figures / f"{key}.png",
            _points(rows, key),
            "mean squared error",
            key.replace("_", " "),
            None if line.slope is None else (line.slope, line.offset),
        )
    body = [["all", *_fit_cells(rows)]]
    for key in ("network", "dataset", "latent_dim", "epochs"):
        body += [
            [f"{key.replace('_', ' ')} {value}", *_fit_cells(part)]
            for value, part in _groups(rows, key).items()
        ]
    columns = ["measurements", "count"]
    for kind in ("per image", "over data"):
        columns += [f"slope, {kind}", f"correlation, {kind}", f"median ratio, {kind}"]
    trainings = [r for r in rows if r["epochs"] == max(plan.budgets)]
    return Section(
        "Variance loss against mean squared error (Figure 4)",
        text=[_budget(rows, plan), cost([(r["hardware"], r["seconds"]) for r in trainings])],
        tables=[Table(columns, body), tables.claims_table(claims(rows))],
        figures=[Figure(f"{figures.name}/{key}.png", text) for key, text in DRAWN.items()],
    )


def _budget(rows, plan):
    sizes = ", ".join(
        f"{name} {part[0]['images']:,} + {part[0]['test_images']:,}"
        for name, part in _groups(rows, "dataset").items()
    )
    latents, epochs = (" and ".join(map(str, n)) for n in (plan.latent_dims, plan.budgets))
    return (
        f"Networks {', '.join(plan.families)} (base_dim {plan.base_dim}, fc_dim {plan.fc_dim}); "
        f"{latents} latents; measured after {epochs} epochs with batches of 50, learning rate "
        f"0.001, computed gamma, KL weight 1 and seed {plan.seed}. Numbers of training and test "
        f"images: {sizes}. Test images are reconstructed from one sample of z; batch norm uses the "
        "statistics of ten batches of training images."
    )


def _fit_cells(rows):
    found = [len(rows)]
    for key in DRAWN:
        line = fitted_line(rows, key)
        ratio = float(np.median([row[key] / row["mse"] for row in rows]))
        found += [line.slope, line.correlation, ratio]
    return found


def _generated(rows, figures):
    last = max(row["epochs"] for row in rows)
    part = [row for row in rows if row["epochs"] == last]
    columns = {
        "mse": "mse",
        "variance": "variance of images",
        "variance_loss": "variance loss of reconstructions",
        "generated_loss": "of generated, per image",
        "generated_loss_over_data": "of generated, over data",
    }
    body = []
    for dataset, group in _groups(part, "dataset").items():
        for network, chosen in _groups(group, "network").items():
            means = [float(np.mean([row[key] for row in chosen])) for key in columns]
            body.append([f"{dataset}, {network}", *means])
    plots.scatter(
        figures / "generated.png",
        _points(part, "generated_loss"),
        "mse of reconstructions",
        "variance loss of generated",
    )
    line = fitted_line(part, "generated_loss")
    text = (
        f"The table shows the same difference for images decoded from z ~ N(0, I), after {last} "
        "epochs, as means over latent sizes. Against the mse of reconstructions its slope is "
        f"{show(line.slope)} and the correlation is {show(line.correlation)}."
    )
    picture = Figure(f"{figures.name}/generated.png", "Variance loss of generated images")
    table = Table(["", *columns.values()], body)
    return Section("Generated images", text=[text], tables=[table], figures=[picture])


def _all_rows(rows):
    before = ("dataset", "network", "latent_dim", "epochs")
    after = ("generated_loss", "kl", "inactive", "gamma")
    columns = [key.replace("_", " ") for key in (*before, *LOSSES, *after)]
    body = [[*(r[k] for k in before), *cells(r), *(r[k] for k in after)] for r in rows]
    return Section("All measurements", tables=[Table(columns, body)])


def _points(rows, key):
    """Points (mse, key) by network, for a scatter plot."""
    return {
        network: ([row["mse"] for row in part], [row[key] for row in part])
        for network, part in _groups(rows, "network").items()
    }


def _groups(rows, key):
    """Rows by their value of `key`, in order of appearance."""
    found = {}
    for row in rows:
        found.setdefault(row[key], []).append(row)
    return found
