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
    import tensorflow as tf

    # Without AutoGraph, which would read the function's source, whose file may have changed since.
    return tf.function(
        function,
        jit_compile=arithmetic("mlp").jit_compile,
        reduce_retracing=False,
        autograph=False,
    )


def full_precision_products():
    """Have GPUs multiply float32 matrices in float32 from here on, not in TensorFloat-32.

    Ten-bit products would put errors of several nats into the mixture's log density, whose large
    squares cancel (`priors.mixture_log_prob`). Processors know no such short cut.
    """
    if keras.backend.backend() == "jax":
        import jax

        jax.config.update("jax_default_matmul_precision", "float32")
    else:
        import tensorflow as tf

        tf.config.experimental.enable_tensor_float_32_execution(False)


def _jax_compiled(function, variables):
    import jax

    # The values go in as arguments: jit would freeze values that it merely finds.
    @jax.jit
    def pure(values, *arguments):
        with keras.StatelessScope(state_mapping=list(zip(variables, values, strict=True))):
            return function(*arguments)

    return lambda *arguments: pure([variable.value for variable in variables], *arguments)
