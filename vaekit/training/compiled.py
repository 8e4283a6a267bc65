"""Compile a function that uses a model's variables, on whichever backend Keras runs."""

import keras

from vaekit.training.backend import arithmetic, full_precision_products  # noqa: F401


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
    import tensorflow as tf

    # Without AutoGraph, which would read the function's source, whose file may have changed since.
    return tf.function(
        function,
        jit_compile=arithmetic("mlp").jit_compile,
        reduce_retracing=False,
        autograph=False,
    )


def _jax_compiled(function, variables):
    import jax

    # The values go in as arguments: jit would freeze values that it merely finds.
    @jax.jit
    def pure(values, *arguments):
        with keras.StatelessScope(state_mapping=list(zip(variables, values, strict=True))):
            return function(*arguments)

    return lambda *arguments: pure([variable.value for variable in variables], *arguments)
