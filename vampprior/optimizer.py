"""Adam with every gradient divided by its norm first, as the code of Tomczak & Welling does."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("vampprior")
class NormalizedAdam(keras.optimizers.Adam):
    """Adam on g / (|g| + 1e-7), each variable's gradient g by itself.

    Their layers h and g of a gated unit are two variables where ours are one, and so have two norms
    there; the difference is a factor per layer that Adam mostly takes out again.
    """

    def update_step(self, gradient, variable, learning_rate):
        norm = ops.sqrt(ops.sum(ops.square(gradient)))
        super().update_step(gradient / (norm + 1e-7), variable, learning_rate)
