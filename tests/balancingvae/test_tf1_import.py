"""TensorFlow 1 checkpoints of many configurations, written here as the original codes name them."""

import itertools
from pathlib import Path

import numpy as np
import pytest

import balancingvae
from balancingvae.tf1 import importer
from balancingvae.tf1.importer import our_names
from vaekit.errors import UserError

tf = pytest.importorskip("tensorflow", reason="reading TensorFlow 1 checkpoints needs it")

FIXTURES = Path(__file__).parents[1] / "fixtures"
SMALL = {
    "side": 16, "channels": 3, "num_scale": 2, "block_per_scale": 1, "depth_per_block": 2,
    "kernel_size": 3, "base_dim": 2, "fc_dim": 5, "latent_dim": 3, "second_depth": 2,
    "second_dim": 7,
}  # fmt: skip


def shapes_of(settings, learned=False, first=0, numbered=True, outer=""):
    """Name -> shape of every variable except optimiser slots, as in the original graph code.

    Args:
        settings: as `SMALL`.
        learned: whether there are Dai & Wipf's loggammas.
        first: first of the automatic suffixes.
        numbered: whether they continue from scope to scope (TensorFlow's Keras layers) or start
            again in each (`tf.layers`).
        outer: enclosing variable scope, with its `/`.
    """
    s, shapes = settings, {}
    k, latent, depth = s["kernel_size"], s["latent_dim"], s["second_depth"]

    def layer(name, *kernel, bias=None):
        shapes[f"{name}/kernel"] = kernel
        shapes[f"{name}/bias"] = (bias or kernel[-1],)

    def norm(name, dim):
        path = f"{name}_w"
        for weight in ("beta", "gamma", "mean", "variance"):
            shapes[f"{path}/{weight}"] = (dim,)
        for statistic in ("mean", "variance"):
            shapes[f"{path}/{outer}{path}/{statistic}/biased"] = (dim,)
            shapes[f"{path}/{outer}{path}/{statistic}/local_step"] = ()

    def scale_block(name, dim):
        for block in range(s["block_per_scale"]):
            for index in range(s["depth_per_block"]):
                norm(f"{name}/block{block}/bn{index}", dim)
                layer(f"{name}/block{block}/layer{index}", k, k, dim, dim)
            layer(f"{name}/block{block}/shortcut", k, k, dim, dim)

    def automatic(name, index):
        index += first
        return f"{name}_{index}" if index and numbered else name

    dim = s["base_dim"]
    layer("stage1/encoder/conv0", k, k, s["channels"], dim)
    for scale in range(s["num_scale"]):
        scale_block(f"stage1/encoder/scale{scale}", dim)
        if scale < s["num_scale"] - 1:
            name = f"stage1/encoder/downsample{scale}/{automatic('conv2d', scale)}"
            layer(name, k, k, dim, 2 * dim)
            dim *= 2
    for index in range(s["depth_per_block"]):
        layer(f"stage1/encoder/fc/block0/layer{index}", s["fc_dim"] if index else dim, s["fc_dim"])
    layer("stage1/encoder/fc/block0/shortcut", dim, s["fc_dim"])
    for name in ("dense", "dense_1"):
        layer(f"stage1/encoder/{name}", s["fc_dim"], latent)

    ups = s["side"].bit_length() - 2
    dims = [min(s["base_dim"] * 2**level, 1024) for level in range(ups, -1, -1)]
    layer("stage1/decoder/fc0", latent, 4 * dims[0])
    for index, (above, dim) in enumerate(itertools.pairwise(dims)):
        name = f"stage1/decoder/up{index}/{automatic('conv2d_transpose', index)}"
        layer(name, k, k, dim, above, bias=dim)
        scale_block(f"stage1/decoder/scale{index}", dim)
    layer("stage1/decoder/conv2d", k, k, dims[-1], s["channels"])

    heads = {"encoder": ("mu_u", "logsd_u"), "decoder": ("z_hat",)}
    for part, names in heads.items():
        for index in range(depth):
            width = s["second_dim"] if index else latent
            layer(f"stage2/{part}/fc{index}", width, s["second_dim"])
        for name in names:
            layer(f"stage2/{part}/{name}", latent + s["second_dim"], latent)
    if learned:
        shapes |= {"stage1/decoder/loggamma_x": (), "stage2/decoder/loggamma_z": ()}
    return {outer + name: shape for name, shape in shapes.items()}


def arrays_of(shapes, slots=False):
    """Name -> small random values, with positive variances; optionally with Adam's slots."""
    rng = np.random.default_rng(0)
    arrays = {
        name: np.asarray(rng.uniform(0.1, 0.2, shape), np.float32) for name, shape in shapes.items()
    }
    if slots:
        owners = [name for name in shapes if not name.endswith(("/biased", "/local_step"))]
        for ending in ("Adam", "Adam_1"):
            arrays |= {f"{name}/{ending}": np.zeros_like(arrays[name]) for name in owners}
        for power in ("beta1_power", "beta2_power", "beta1_power_1", "beta2_power_1"):
            arrays[power] = np.float32(0.5)
        arrays["global_step"] = np.int32(12)
    return arrays


def write(path, arrays):
    """Write a checkpoint in the Saver's format; returns its prefix."""
    names = sorted(arrays)
    values = [tf.constant(arrays[name]) for name in names]
    tf.raw_ops.SaveV2(
        prefix=str(path), tensor_names=names, shape_and_slices=[""] * len(names), tensors=values
    )
    return path


@pytest.mark.parametrize("name", ["cifar10", "celeba"])
def test_names_here_are_those_of_the_original_graph(name):
    facts = tf.train.load_checkpoint(str(FIXTURES / name / "stage2")).get_variable_to_shape_map()
    config, _ = importer.read(FIXTURES / name / "stage2")
    settings = {key: getattr(config, key) for key in SMALL if hasattr(config, key)}
    shapes = shapes_of(settings | {"side": config.image_shape[0], "channels": 3})
    model = {name: tuple(shape) for name, shape in facts.items() if name.startswith("stage")}
    assert {n: s for n, s in model.items() if "/Adam" not in n}.items() <= shapes.items()
    assert {n for n in shapes if not n.endswith(("/biased", "/local_step"))} <= model.keys()


CASES = {
    "small": ({"side": 32}, {}, {}),
    "suffixes_from_3": ({"side": 16, "num_scale": 3, "base_dim": 3}, {"first": 3}, {"slots": True}),
    "no_suffixes": ({"side": 64, "block_per_scale": 2, "num_scale": 1}, {"numbered": False}, {}),
    "grey_in_a_scope": ({"side": 32, "channels": 1, "depth_per_block": 1}, {"outer": "model/"}, {}),
    "wide_kernels": ({"kernel_size": 5, "num_scale": 1, "second_depth": 4}, {}, {"slots": True}),
    "learned_gamma": (
        {"side": 16, "latent_dim": 6, "depth_per_block": 3},
        {"learned": True, "numbered": False},
        {"slots": True},
    ),
    # More units at 2 x 2 than the widest layer may have.
    "capped": ({"base_dim": 72, "num_scale": 1, "kernel_size": 1}, {}, {}),
}


@pytest.mark.parametrize("case", CASES)
def test_configuration_and_weights(case, tmp_path):
    changed, naming, content = CASES[case]
    settings = SMALL | changed
    arrays = arrays_of(shapes_of(settings, **naming), **content)
    config, model = importer.read(write(tmp_path / "stage2-1200", arrays))
    assert config.image_shape == (settings["side"], settings["side"], settings["channels"])
    for key in SMALL.keys() - {"side", "channels"}:
        assert getattr(config, key) == settings[key], key
    learned = naming.get("learned", False)
    assert config.gamma_policy == ("learned" if learned else "computed")
    assert not config.cross_entropy
    values = {n.removeprefix(naming.get("outer", "")): a for n, a in arrays.items()}
    for scope, stage in (("stage1", model.stage_one), ("stage2", model.stage_two)):
        weights = stage.named_weights()
        for ours, canonical in our_names(stage, scope).items():
            if "shadow" in ours or ours.endswith("/updates"):
                continue
            original = original_of(canonical, values)
            np.testing.assert_array_equal(weights[ours], values[original], err_msg=ours)
    if learned:
        log_gamma = values["stage2/decoder/loggamma_z"]
        np.testing.assert_allclose(model.stage_two.gamma, np.exp(log_gamma), rtol=1e-6)


def original_of(canonical, values):
    """The original variable of a canonical name, found by the rules of naming alone."""
    scope, weight = canonical.rsplit("/", 1)
    scope = {
        "stage1/encoder/mean": "stage1/encoder/dense",
        "stage1/encoder/log_std": "stage1/encoder/dense_1",
        "stage1/decoder/conv_out": "stage1/decoder/conv2d",
    }.get(scope, scope)
    inner = [f"{scope}/{weight}", f"{scope}_w/{weight}"]
    found = [name for name in inner if name in values]
    if not found:
        found = [
            name
            for name in values
            if name.startswith(f"{scope}/") and name.endswith(f"/{weight}") and name.count("/") == 4
        ]
    (name,) = found
    return name


def test_the_model_works_and_is_saved(tmp_path):
    prefix = write(tmp_path / "stage2", arrays_of(shapes_of(SMALL)))
    # Any of the checkpoint's files may be named.
    config, model = importer.read(f"{prefix}.index", dataset="folder:faces")
    assert config.dataset == "folder:faces"
    assert model.generate(2, seed=0).shape == (2, 16, 16, 3)
    balancingvae.save(model, tmp_path / "run", config)
    again = balancingvae.load(tmp_path / "run")
    np.testing.assert_array_equal(again.generate(2, seed=0), model.generate(2, seed=0))


def test_cross_entropy_is_seen_by_the_loggamma_without_slots(tmp_path):
    arrays = arrays_of(shapes_of(SMALL, learned=True), slots=True)
    del arrays["stage1/decoder/loggamma_x/Adam"], arrays["stage1/decoder/loggamma_x/Adam_1"]
    config, model = importer.read(write(tmp_path / "stage2", arrays))
    assert config.cross_entropy
    assert model.stage_one.reconstruction == "cross_entropy"


def test_statistics_without_shadows_are_those_of_a_long_training(tmp_path):
    arrays = arrays_of(shapes_of(SMALL))
    arrays = {n: a for n, a in arrays.items() if not n.endswith(("/biased", "/local_step"))}
    model = balancingvae.import_tf1_checkpoint(write(tmp_path / "stage2", arrays))
    weights = model.stage_one.named_weights()
    layer = "decoder/scale0_block0_bn0"
    np.testing.assert_array_equal(weights[f"{layer}/mean_shadow"], weights[f"{layer}/mean"])


WRONG = {
    "missing": (
        ["stage1/encoder/conv0/kernel", "stage1/encoder/dense_1/bias"],
        None,
        ["stage1/encoder/conv0/kernel is missing", "stage1/encoder/dense_1/bias is missing"],
    ),
    "missing_in_the_last_scale": (
        ["stage1/encoder/scale1/block0/bn1_w/gamma", "stage2/decoder/z_hat/kernel"],
        None,
        ["scale1/block0/bn1_w/gamma is missing", "stage2/decoder/z_hat/kernel is missing"],
    ),
    "misshapen": (
        ["stage1/decoder/up1/conv2d_transpose_1/kernel", "stage1/encoder/conv0/bias"],
        np.zeros((3, 3), np.float32),
        [
            "up1/conv2d_transpose_1/kernel has shape (3, 3), not (3, 3, 4, 8)",
            "stage1/encoder/conv0/bias has shape (3, 3), not (2,)",
        ],
    ),
    "unknown": (
        ["stage1/encoder/attention/kernel", "stage2/encoder/bn0_w/gamma"],
        np.zeros(2, np.float32),
        ["stage1/encoder/attention/kernel is unknown", "stage2/encoder/bn0_w/gamma is unknown"],
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_each_variable_that_does_not_fit_is_named(case, tmp_path):
    names, value, expected = WRONG[case]
    arrays = arrays_of(shapes_of(SMALL))
    for name in names:
        arrays.pop(name, None)
        if value is not None:
            arrays[name] = value
    with pytest.raises(UserError) as found:
        balancingvae.import_tf1_checkpoint(write(tmp_path / "stage2", arrays))
    message = str(found.value)
    assert all(text in message for text in expected), message
    assert message.count(";") == len(expected) - 1, message


def test_one_stage_alone_other_networks_and_damage(tmp_path):
    arrays = arrays_of(shapes_of(SMALL))
    one = {name: array for name, array in arrays.items() if name.startswith("stage1")}
    with pytest.raises(UserError, match=r"lacks stage2/encoder/fc0/bias"):
        balancingvae.import_tf1_checkpoint(write(tmp_path / "one", one))
    infogan = {"stage1/encoder/conv1/w": np.zeros((4, 4, 3, 64), np.float32)}
    with pytest.raises(UserError, match="not its Infogan"):
        balancingvae.import_tf1_checkpoint(write(tmp_path / "infogan", infogan))
    foreign = {"model/kernel": np.zeros(2, np.float32)}
    with pytest.raises(UserError, match="not a checkpoint of BalancingVAE"):
        balancingvae.import_tf1_checkpoint(write(tmp_path / "foreign", foreign))
    write(tmp_path / "cut", arrays)
    data = tmp_path / "cut.data-00000-of-00001"
    data.write_bytes(data.read_bytes()[:1000])
    with pytest.raises(UserError, match="damaged"):
        balancingvae.import_tf1_checkpoint(tmp_path / "cut")
    not_finite = arrays | {"stage2/encoder/mu_u/bias": np.full(3, np.nan, np.float32)}
    with pytest.raises(UserError, match="encoder/mean/bias has values that are not finite"):
        balancingvae.import_tf1_checkpoint(write(tmp_path / "nan", not_finite))
