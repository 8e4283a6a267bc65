"""The configuration of an original checkpoint, inferred from its variables' names and shapes."""

import collections
import re

from balancingvae.presets import Config
from vaekit.errors import UserError

# The side of colour images decides which published preset a checkpoint is assigned to.
_DATASETS = {32: "cifar10", 64: "celeba"}

# Every size occurs in several shapes, listed as (variable, axis). The majority decides, so that one
# damaged or missing variable is reported as such, not as a model that fits no checkpoint.
_SIZES = {
    "kernel_size": (
        ("stage1/encoder/conv0/kernel", 0),
        ("stage1/encoder/scale0/block0/shortcut/kernel", 0),
        ("stage1/decoder/up0/kernel", 0),
        ("stage1/decoder/conv_out/kernel", 0),
    ),
    "channels": (
        ("stage1/decoder/conv_out/bias", 0),
        ("stage1/decoder/conv_out/kernel", 3),
        ("stage1/encoder/conv0/kernel", 2),
    ),
    "base_dim": (
        ("stage1/encoder/conv0/bias", 0),
        ("stage1/encoder/conv0/kernel", 3),
        ("stage1/encoder/scale0/block0/shortcut/bias", 0),
        ("stage1/decoder/conv_out/kernel", 2),
    ),
    "fc_dim": (
        ("stage1/encoder/fc/block0/shortcut/bias", 0),
        ("stage1/encoder/fc/block0/layer0/bias", 0),
        ("stage1/encoder/mean/kernel", 0),
        ("stage1/encoder/log_std/kernel", 0),
    ),
    "latent_dim": (
        ("stage1/encoder/mean/bias", 0),
        ("stage1/encoder/log_std/bias", 0),
        ("stage1/decoder/fc0/kernel", 0),
        ("stage2/decoder/z_hat/bias", 0),
        ("stage2/encoder/mu_u/bias", 0),
    ),
    "second_dim": (
        ("stage2/encoder/fc0/bias", 0),
        ("stage2/encoder/fc0/kernel", 1),
        ("stage2/decoder/fc0/bias", 0),
        ("stage2/decoder/fc0/kernel", 1),
    ),
}


def infer_config(variables, prefix, dataset=None, cross_entropy=False):
    """The `Config` of a ResNet checkpoint.

    The decoder has one up layer for each doubling of the side from 2, hence side = 2 * 2^ups.

    Args:
        variables: dict of canonical name -> array, from `tf1.read_variables`.
        prefix: path of the checkpoint, for messages.
        dataset: name for the configuration; None guesses it from the side of colour images.
        cross_entropy: whether the first stage was trained with Dai & Wipf's other loss.
    Raises:
        UserError: variables that this needs are missing; the message names each.
    """
    sizes = {name: _most_common(variables, places) for name, places in _SIZES.items()}
    counts = {
        "num_scale": _count(variables, r"stage1/encoder/scale(\d+)/.*"),
        "block_per_scale": _count(variables, r"stage1/(?:en|de)coder/scale\d+/block(\d+)/.*"),
        "depth_per_block": _count(variables, r"stage1/.*/scale\d+/block\d+/layer(\d+)/.*"),
        "fc_depth": _count(variables, r"stage1/encoder/fc/block0/layer(\d+)/.*"),
        "second_depth": _count(variables, r"stage2/(?:en|de)coder/fc(\d+)/.*"),
    }
    ups = _count(variables, r"stage1/decoder/up(\d+)/.*")
    _refuse_the_unknown(sizes, counts, ups, prefix)
    side, channels = 2 * 2**ups, sizes.pop("channels")
    if dataset is None:
        dataset = _DATASETS.get(side, "unknown") if channels == 3 else "unknown"
    return Config(
        name=f"tf1_{dataset}",
        dataset=dataset,
        image_shape=(side, side, channels),
        original_constant=True,
        jpeg=dataset == "cifar10",
        split="listing" if dataset == "celeba" else "official",
        cross_entropy=cross_entropy,
        **sizes,
        **counts,
        **_balance(variables),
    )


def _refuse_the_unknown(sizes, counts, ups, prefix):
    lacks = [places[0][0] for name, places in _SIZES.items() if sizes[name] is None]
    scopes = {
        "num_scale": "stage1/encoder/scale0/...",
        "block_per_scale": "stage1/encoder/scale0/block0/...",
        "depth_per_block": "stage1/encoder/scale0/block0/layer0/...",
        "fc_depth": "stage1/encoder/fc/block0/layer0/...",
        "second_depth": "stage2/encoder/fc0/...",
    }
    lacks += [scope for name, scope in scopes.items() if not counts[name]]
    lacks += [] if ups else ["stage1/decoder/up0/..."]
    if lacks:
        raise UserError(
            f"{prefix} lacks {', '.join(lacks)}, so its configuration cannot be inferred. "
            "Use a checkpoint of BalancingVAE or of TwoStageVAE's ResNet (not its Infogan or Wae) "
            "with both stages in one file."
        )


def _balance(variables):
    """Dai & Wipf's checkpoints contain learned gammas, and their KL has weight 1."""
    if not any(name.endswith(("/loggamma_x", "/loggamma_z")) for name in variables):
        return {}
    return {"gamma_policy": "learned", "kl_factor": 1.0, "renormalization": "unit"}


def _most_common(variables, places):
    """The most frequent size among the places, the first in a tie; None without any."""
    found = [
        variables[name].shape[axis]
        for name, axis in places
        if name in variables and variables[name].ndim > axis
    ]
    return collections.Counter(found).most_common(1)[0][0] if found else None


def _count(variables, pattern):
    """One more than the largest index that `pattern` matches; 0 without a match."""
    found = (re.fullmatch(pattern, name) for name in variables)
    return max((int(match.group(1)) + 1 for match in found if match), default=0)
