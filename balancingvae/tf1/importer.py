"""Checkpoints of the original TensorFlow 1 codes: BalancingVAE, and Dai & Wipf's ResNet.

Variables are matched by the scopes that the codes name explicitly (`stage1/encoder/scale0/block0`),
never by the automatic names of layers, which changed between TensorFlow versions. A stride-2 layer
is the only child of `downsampleK` or `upK`. The two unnamed dense layers of the encoder are mean
and log standard deviation, in the order of their suffixes.
"""

import re
from pathlib import Path

import numpy as np

from balancingvae import checkpoint, presets
from balancingvae.tf1 import config as tf1_config
from vaekit.errors import UserError

# Optimiser slots and powers, and step counters, which are not part of the model.
_IGNORED = re.compile(
    r"(^|/)(Adam(_\d+)?|beta[12]_power(_\d+)?|global_step|.*ExponentialMovingAverage)$"
)
# <scope>/bn0_w/mean repeated under the statistic's own scope: the zero-debias shadow.
_SHADOW = re.compile(
    r"^(?P<norm>.*?/bn\d+)_w/.*/(?P<statistic>mean|variance)/(?P<part>biased|local_step)$"
)


def import_tf1_checkpoint(prefix, dataset=None):
    """A `TwoStageVAE` with the weights and moving statistics of a TensorFlow 1 Saver checkpoint.

    Args:
        prefix: path of the checkpoint, with or without `.index`, such as `.../stage2`.
        dataset: name for the configuration; by default guessed from the image size.
    Returns:
        The model; `read` also returns its configuration. Optimiser slots are ignored. Checkpoints
        do not contain the computed gamma: it is 1 until you train further.
    Raises:
        UserError: the checkpoint is not readable, or variables are missing or do not fit; the
            message names each.
    """
    return read(prefix, dataset)[1]


def read(prefix, dataset=None):
    """The `Config` inferred from a checkpoint, and the model; see `import_tf1_checkpoint`."""
    prefix = _bare(prefix)
    variables, originals, cross_entropy = read_variables(prefix)
    config = tf1_config.infer_config(variables, prefix, dataset, cross_entropy)
    model = presets.model(config)
    stages = {"stage1": model.stage_one, "stage2": model.stage_two}
    problems = [
        problem
        for scope, stage in stages.items()
        for problem in _problems(stage, scope, variables, originals)
    ]
    if problems:
        raise UserError(
            f"{prefix} does not contain the two-stage ResNet that its shapes suggest: "
            f"{'; '.join(sorted(problems))}. Use a checkpoint of BalancingVAE or of TwoStageVAE's "
            "ResNet."
        )
    for scope, stage in stages.items():
        arrays = {
            name: np.asarray(_value(canonical, variables), np.float32)
            for name, canonical in our_names(stage, scope).items()
        }
        checkpoint.assign(stage, arrays | {"running_error": np.float32(1)}, prefix)
    return config, model


def _bare(prefix):
    """The prefix of a checkpoint, given the prefix or the path of any of its files."""
    return re.sub(r"\.(index|meta|data-\d+-of-\d+)$", "", str(prefix))


def read_variables(prefix):
    """All model variables, their names in the file, and whether the loss is cross-entropy.

    Canonical names start with `stage1/` or `stage2/`, use `bn0` for `bn0_w`, and contain no
    automatic layer names: `stage1/decoder/up0/kernel`, `stage1/encoder/mean/bias`.

    Returns:
        (dict of canonical name -> array, dict of canonical name -> name in the checkpoint, bool).
    """
    import tensorflow as tf

    if not Path(f"{prefix}.index").is_file():
        raise UserError(
            f"No TensorFlow checkpoint at {prefix}: {prefix}.index is missing. Give the path "
            "of the .index file without its ending; the .data-... file must be in the same folder."
        )
    try:
        reader = tf.train.load_checkpoint(prefix)
        everything = reader.get_variable_to_shape_map()
        names = [name for name in everything if not _IGNORED.search(name)]
        arrays = {name: np.asarray(reader.get_tensor(name)) for name in names}
    except (tf.errors.OpError, IndexError, ValueError, RuntimeError) as error:
        raise UserError(
            f"{prefix} is damaged or not a TensorFlow checkpoint ({str(error).splitlines()[0]}). "
            "Restore both files, .index and .data-..., from their source."
        ) from error
    canonical = canonical_names(arrays)
    if not canonical:
        raise UserError(
            f"{prefix} has no variables under stage1/encoder, stage1/decoder, stage2/encoder or "
            "stage2/decoder, so it is not a checkpoint of BalancingVAE or TwoStageVAE."
        )
    originals = {name: original for original, name in canonical.items()}
    variables = {name: arrays[original] for name, original in originals.items()}
    return variables, originals, _has_no_gradient("stage1/decoder/loggamma_x", everything)


def _has_no_gradient(name, everything):
    """Whether others have Adam slots but a variable has none: the loss does not depend on it."""
    found = next((key for key in everything if f"/{key}".endswith(f"/{name}")), None)
    slots = any(key.endswith("/Adam") for key in everything)
    return found is not None and slots and f"{found}/Adam" not in everything


def canonical_names(names):
    """Original variable names -> canonical ones (see `read_variables`), without foreign names."""
    inner = {}
    for name in names:
        match = re.search(r"(?:^|/)(stage[12]/(?:en|de)coder/.*)$", _without_repeated_scope(name))
        if match:
            inner[name] = match.group(1)
    heads = _dense_heads(inner.values())
    return {name: _canonical(short, heads) for name, short in inner.items()}


def _without_repeated_scope(name):
    """`a/bn0_w/a/bn0_w/mean/biased` -> `a/bn0/mean_biased`, and `bn0_w` -> `bn0`."""
    match = _SHADOW.match(name)
    if match:
        return f"{match['norm']}/{match['statistic']}_{match['part']}"
    return re.sub(r"/(bn\d+)_w/", r"/\1/", name)


def _dense_heads(names):
    """Automatic names of the encoder's two unnamed dense layers -> mean and log_std."""
    found = {
        match.group(1)
        for name in names
        if (match := re.match(r"stage1/encoder/(dense(?:_\d+)?)/", name))
    }
    ordered = sorted(found, key=lambda name: int(name.partition("_")[2] or 0))
    roles = ("log_std",) if ordered == ["dense_1"] else ("mean", "log_std")
    return dict(zip(ordered, roles, strict=False))


def _canonical(name, heads):
    name = re.sub(r"/(downsample\d+|up\d+)/[^/]+/(kernel|bias)$", r"/\1/\2", name)
    name = re.sub(r"^stage1/decoder/conv2d(_\d+)?/", "stage1/decoder/conv_out/", name)
    match = re.match(r"stage1/encoder/(dense(?:_\d+)?)/(.*)$", name)
    if match and match.group(1) in heads:
        return f"stage1/encoder/{heads[match.group(1)]}/{match.group(2)}"
    return name


def our_names(stage, scope):
    """Name of every weight of `stage` that a checkpoint contains -> its canonical name."""
    names = {}
    for name in stage.named_weights():
        if name == "log_gamma":
            names[name] = f"{scope}/decoder/loggamma_{'x' if scope == 'stage1' else 'z'}"
        elif name != "running_error":
            names[name] = _canonical_of_ours(scope, name)
    return names


def _canonical_of_ours(scope, name):
    part, layer, weight = name.split("/")
    layer = re.sub(r"_(block\d+|bn\d+|layer\d+|shortcut)", r"/\1", layer)
    if scope == "stage2":
        layer = {"mean": "mu_u", "log_std": "logsd_u"}.get(layer, layer)
    weight = {
        "mean_shadow": "mean_biased",
        "variance_shadow": "variance_biased",
        "updates": "mean_local_step",
    }.get(weight, weight)
    return f"{scope}/{part}/{layer}/{weight}"


def _problems(stage, scope, variables, originals):
    """List of variables of a stage that are missing, have another shape, or are unknown."""
    names, weights = our_names(stage, scope), stage.named_weights()
    problems = []
    for name, canonical in names.items():
        value, shape = _value(canonical, variables), tuple(weights[name].shape)
        if value is None:
            problems.append(f"{_original_name(canonical)} is missing")
        elif value.shape != shape:
            called = originals.get(canonical, _original_name(canonical))
            problems.append(f"{called} has shape {value.shape}, not {shape}")
    known = set(names.values())
    return problems + [
        f"{originals[name]} is unknown"
        for name in variables
        if name.startswith(f"{scope}/") and name not in known and not name.endswith("_local_step")
    ]


def _value(name, variables):
    """A variable; for a debias shadow that is missing, its value after a long training."""
    layer, _, weight = name.rpartition("/")
    if name in variables or not weight.endswith(("_biased", "_local_step")):
        return variables.get(name)
    if weight.endswith("_local_step"):
        return np.float32(1e6)  # 0.999^updates is 0, so there is no debiasing any more
    return variables.get(f"{layer}/{weight.removesuffix('_biased')}")


def _original_name(canonical):
    """The name that a missing variable would have; `*` for an automatic layer name."""
    scope, _, weight = canonical.rpartition("/")
    scope = re.sub(r"/(bn\d+)$", r"/\1_w", scope)
    scope = re.sub(r"/(downsample\d+|up\d+)$", r"/\1/*", scope)
    scope = {
        "stage1/encoder/mean": "stage1/encoder/dense",
        "stage1/encoder/log_std": "stage1/encoder/dense_1",
        "stage1/decoder/conv_out": "stage1/decoder/conv2d",
    }.get(scope, scope)
    return f"{scope}/{weight}"
