"""The configuration of an original checkpoint, read off the names and shapes of its variables."""

import re

from balancingvae.configs import Config
from vaekit.errors import UserError

# The image side decides which published preset a checkpoint is noted as.
_DATASETS = {32: "cifar10", 64: "celeba"}


def infer_config(variables, prefix, dataset=None):
    """Config of a ResNet checkpoint.

    The decoder has one up layer for each doubling of the side from 2, hence side = 2 * 2^ups; the
    encoder has one scale more than downsampling layers.

    Args:
        variables: dict of canonical name -> array, from `tf1.read_variables`.
        prefix: the checkpoint's path, for messages.
        dataset: name to note, or None to guess from the image side.
    Raises:
        UserError: variables that the inference needs are missing (each named).
    """
    encoder, decoder = "stage1/encoder", "stage1/decoder"
    needed = {
        "conv0": f"{encoder}/conv0/kernel",
        "fc": f"{encoder}/fc/block0/shortcut/kernel",
        "mean": f"{encoder}/mean/kernel",
        "log_std": f"{encoder}/log_std/kernel",
        "start": f"{decoder}/fc0/kernel",
        "out": f"{decoder}/conv_out/kernel",
        "second": "stage2/encoder/fc0/kernel",
    }
    missing = sorted(name for name in needed.values() if name not in variables)
    if missing:
        raise UserError(
            f"{prefix} lacks {', '.join(missing)}, so its configuration cannot be inferred. "
            "Checkpoints of BalancingVAE and of TwoStageVAE's ResNet, both stages in one file, are "
            "taken."
        )
    shapes = {key: variables[name].shape for key, name in needed.items()}
    side = 2 * 2 ** _count(variables, rf"{decoder}/up(\d+)/kernel")
    channels = shapes["conv0"][2]
    dataset = dataset or _DATASETS.get(side, "unknown")
    return Config(
        name=f"tf1_{dataset}",
        dataset=dataset,
        image_shape=(side, side, channels),
        original_constant=True,
        jpeg=dataset == "cifar10",
        split="listing" if dataset == "celeba" else "official",
        num_scale=_count(variables, rf"{encoder}/scale(\d+)/block0/shortcut/kernel"),
        block_per_scale=_count(variables, rf"{encoder}/scale0/block(\d+)/shortcut/kernel"),
        depth_per_block=_count(variables, rf"{encoder}/scale0/block0/layer(\d+)/kernel"),
        kernel_size=shapes["conv0"][0],
        base_dim=shapes["conv0"][3],
        fc_dim=shapes["fc"][1],
        fc_depth=_count(variables, rf"{encoder}/fc/block0/layer(\d+)/kernel"),
        latent_dim=shapes["mean"][1],
        second_depth=_count(variables, r"stage2/encoder/fc(\d+)/kernel"),
        second_dim=shapes["second"][1],
        **_balance(variables),
    )


def _balance(variables):
    """Dai & Wipf's code holds learned gammas and weighs the KL with 1."""
    if not any(name.endswith(("/loggamma_x", "/loggamma_z")) for name in variables):
        return {}
    return {"gamma_policy": "learned", "kl_factor": 1.0, "renormalization": "unit"}


def _count(variables, pattern):
    """One more than the largest index that `pattern` finds; 0 if it finds none."""
    found = (re.fullmatch(pattern, name) for name in variables)
    return max((int(match.group(1)) + 1 for match in found if match), default=0)
