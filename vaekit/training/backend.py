"""The arithmetic of a network on each device: decided here, measured in benchmarks/.

The choices on two CPU cores with TensorFlow: XLA makes the MLP about twice as fast; it makes the
ResNet slower, because its convolutions then miss oneDNN's kernels; bfloat16 pays only where the
processor multiplies it in hardware. JAX compiles everything through XLA; PyTorch runs eagerly.
"""

import dataclasses
import warnings
from pathlib import Path

import keras

import vaekit
from vaekit.errors import check_choice

NETWORKS = ("mlp", "resnet")
PRECISIONS = ("auto", "float32", "bfloat16")


@dataclasses.dataclass(frozen=True)
class Arithmetic:
    """Arguments for `compile` and for the layers of one network."""

    policy: str  # Keras dtype policy of the layers
    jit_compile: bool  # whether XLA compiles the training step


def arithmetic(network, precision="auto"):
    """The dtype policy and compiler for a kind of network on the available device.

    Args:
        network: "mlp" (dense layers) or "resnet" (convolutions).
        precision: "float32", "bfloat16" (mixed: float32 variables), or "auto".
    Raises:
        UserError: an unknown network or precision.
    """
    check_choice("precision", precision, PRECISIONS)
    check_choice("network", network, NETWORKS)
    backend, gpu = keras.backend.backend(), has_gpu()
    if network == "resnet" and not gpu and _without_onednn():
        warnings.warn(
            "TensorFlow was imported before this package, so it runs without oneDNN's kernels, "
            "which it leaves off on this processor: convolutions take about twice the time. "
            "Import balancingvae before keras, or set TF_ENABLE_ONEDNN_OPTS=1.",
            stacklevel=2,
        )
    if precision == "auto":
        fast = network == "resnet" and (gpu or multiplies_bfloat16())
        precision = "bfloat16" if fast else "float32"
    policy = "mixed_bfloat16" if precision == "bfloat16" else "float32"
    tensorflow_gains = backend == "tensorflow" and (network == "mlp" or gpu)
    return Arithmetic(policy, jit_compile=backend == "jax" or tensorflow_gains)


def has_gpu():
    """Whether the Keras backend in use computes on a GPU."""
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        return jax.default_backend() == "gpu"
    if backend == "torch":
        import torch

        return torch.cuda.is_available()
    if backend == "tensorflow":
        import tensorflow as tf

        return bool(tf.config.list_physical_devices("GPU"))
    return False


def multiplies_bfloat16(cpuinfo="/proc/cpuinfo"):
    """Whether the processor multiplies bfloat16 in hardware (AVX-512 BF16 or AMX)."""
    flags = _read(cpuinfo)
    return "avx512_bf16" in flags or "amx_bf16" in flags


def _without_onednn(cpuinfo="/proc/cpuinfo"):
    """Whether TensorFlow runs without oneDNN's kernels.

    It decides when it is imported, and enables them by itself only on processors that have
    instructions for small integers.
    """
    late = vaekit.TENSORFLOW_WAS_IMPORTED_FIRST and keras.backend.backend() == "tensorflow"
    flags = _read(cpuinfo) if late else ""
    enabling = ("avx512_vnni", "avx512_bf16", "avx_vnni", "amx_")
    return "avx2" in flags and not any(name in flags for name in enabling)


def _read(cpuinfo):
    try:
        return Path(cpuinfo).read_text(encoding="utf-8")
    except OSError:
        return ""


def steps_per_execution(steps_per_epoch, most=32):
    """The largest divisor of `steps_per_epoch` up to `most`; 1 on PyTorch, where Keras allows no
    other.

    Several steps in one call save Python's overhead on short steps; a divisor leaves the length of
    an epoch unchanged.
    """
    if keras.backend.backend() == "torch":
        return 1
    return max(d for d in range(1, min(most, steps_per_epoch) + 1) if steps_per_epoch % d == 0)


def full_precision_products():
    """Have GPUs multiply float32 matrices in float32 from here on, not in TensorFloat-32.

    A choice for a whole process, made by a training or evaluation run, never by building a model.
    Ten-bit products would put errors of several nats into a mixture's log density, whose large
    squares cancel (`vampprior.mixtures`). Processors have no such short cut.
    """
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        jax.config.update("jax_default_matmul_precision", "float32")
    elif backend == "torch":
        import torch

        torch.set_float32_matmul_precision("highest")
    else:
        import tensorflow as tf

        tf.config.experimental.enable_tensor_float_32_execution(False)
