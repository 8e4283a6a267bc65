"""Compile a function that uses a model's variables, on whichever backend Keras runs."""

import keras

from vaekit.training.backend import arithmetic


def compiled(function, variables):
    """`function` compiled once per shape of its arguments.

    Args:
        function: takes and returns tensors; it may read the Keras `variables` but changes none.
        variables: list of all Keras variables that it reads; later calls see their later values.
    Returns:
        A function of the same arguments (numpy arrays or tensors) that returns tensors.
    """
    if keras.backend.backend() == "jax":
        return _jax_compiled(function, variables)
    if keras.backend.backend() == "torch":
        return _torch_uncompiled(function)
    import tensorflow as tf

    # Without AutoGraph, which would read the function's source, whose file may have changed since.
    return tf.function(
        function,
        jit_compile=arithmetic("mlp").jit_compile,
        reduce_retracing=False,
        autograph=False,
    )


def _torch_uncompiled(function):
    import torch

    def without_gradient(*arguments):
        with torch.no_grad():
            return function(*map(keras.ops.convert_to_tensor, arguments))

    return without_gradient


def _jax_compiled(function, variables):
    import jax

    # The values go in as arguments: jit would freeze values that it merely finds.
    @jax.jit
    def pure(values, *arguments):
        with keras.StatelessScope(state_mapping=list(zip(variables, values, strict=True))):
            return function(*arguments)

    return lambda *arguments: pure([variable.value for variable in variables], *arguments)
