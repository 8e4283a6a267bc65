"""Adam that first divides every gradient by its norm, as in the code of Tomczak & Welling."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("vampprior")
class NormalizedAdam(keras.optimizers.Adam):
    """Adam on g / (|g| + 1e-7), where g is the gradient of one variable.

    In their code the layers h and g of a gated unit are two variables with two norms; here they are
    one. The difference is a factor per layer, which Adam mostly cancels.
    """

    def update_step(self, gradient, variable, learning_rate):
        norm = ops.sqrt(ops.sum(ops.square(gradient)))
        super().update_step(gradient / (norm + 1e-7), variable, learning_rate)
