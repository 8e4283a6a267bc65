"""What `fit`, `evaluate` and `predict` of an image model accept, checked before anything runs."""

import inspect

import keras
import numpy as np


class ImageInputs:
    """Mixin of `keras.Model`s whose x is images: arrays are checked whole before the first step,
    streams batch by batch.

    A model overrides `check_input(array, training)`, which returns a compact copy of an array of
    images or raises a UserError, and has `reconstruction_model()`, a `keras.Model` from images to
    their reconstructions, which `predict` uses. The models ignore labels and weights beside x.
    """

    def fit(self, x=None, y=None, *args, **keywords):
        """As `keras.Model.fit`; x is images, as an array or a stream of batches."""
        x = self._checked(x, training=True)
        bound = inspect.signature(keras.Model.fit).bind_partial(self, x, y, *args, **keywords)
        validation = bound.arguments.get("validation_data")
        if validation is not None:
            bound.arguments["validation_data"] = self._checked_validation(validation)
        return super().fit(*bound.args[1:], **bound.kwargs)

    def evaluate(self, x=None, *args, **keywords):
        """As `keras.Model.evaluate`."""
        if not keywords.get("_use_cached_eval_dataset"):  # `fit` has checked its validation data
            x = self._checked(x, training=False)
        return super().evaluate(x, *args, **keywords)

    def predict(self, x, *args, **keywords):
        """As `keras.Model.predict`: reconstructions, pixel means at the posterior's mean.

        Returns:
            numpy `(n, height, width, channels)` in [0, 1].
        """
        x = self._checked(x, training=False)
        return self.reconstruction_model().predict(x, *args, **keywords)

    def check_input(self, images, training):
        """Images as the model's step expects them, or a UserError."""
        raise NotImplementedError

    def _checked_validation(self, data):
        if isinstance(data, (tuple, list)):
            return (self._checked(data[0], training=False), *data[1:])
        return self._checked(data, training=False)

    def _checked(self, x, training):
        def check(batch):
            return self.check_input(np.asarray(batch), training)

        return checked(x, check)


class FunctionModel(keras.Model):
    """A function of tensors as a model for `predict`; it holds no weights of its own."""

    def __init__(self, function):
        super().__init__(name="function_model")
        self._function = function
        self.built = True

    def call(self, x):
        return self._function(x)


def checked(x, check):
    """x with every array of images passed through `check`.

    Args:
        x: array or tensor, `tf.data.Dataset`, `keras.utils.PyDataset`, torch `DataLoader`, or
            another iterable of batches; a batch is images, or a tuple that begins with them.
        check: function from an array to the array that the model's step gets; raises UserError.
    """
    if x is None:
        return x
    if isinstance(x, keras.utils.PyDataset):
        return _CheckedBatches(x, check)
    if _is_from("tensorflow", x) and hasattr(x, "element_spec"):
        return _checked_tensorflow(x, check)
    if _is_from("torch.utils.data", x) and hasattr(x, "__len__"):
        return _CheckedLoader(x, check)
    if hasattr(x, "__next__"):
        return (_checked_batch(batch, check) for batch in x)
    return check(x)


def _is_from(module, x):
    return any(base.__module__.startswith(module) for base in type(x).__mro__)


def _checked_batch(batch, check):
    if isinstance(batch, (tuple, list)):
        return (check(_array(batch[0])), *batch[1:])
    return check(_array(batch))


def _array(x):
    return keras.ops.convert_to_numpy(x)


def _checked_tensorflow(data, check):
    """A tf.data pipeline whose first batch is checked now and whose others are checked as read."""
    import tensorflow as tf

    for batch in data.take(1):
        first = _checked_batch(batch, check)
    kind = (first[0] if isinstance(first, tuple) else first).dtype

    def images_of(x):
        y = tf.numpy_function(lambda array: check(array), [x], kind)
        return tf.ensure_shape(y, x.shape)

    def one(*batch):
        return (images_of(batch[0]), *batch[1:])

    single = not isinstance(data.element_spec, tuple)
    return data.map(images_of if single else one, num_parallel_calls=tf.data.AUTOTUNE)


class _CheckedBatches(keras.utils.PyDataset):
    """A PyDataset whose batches are checked as they are read."""

    def __init__(self, batches, check):
        super().__init__(
            workers=batches.workers,
            use_multiprocessing=batches.use_multiprocessing,
            max_queue_size=batches.max_queue_size,
        )
        self.batches, self.check = batches, check
        self[0]  # before the first step

    def __len__(self):
        return len(self.batches)

    @property
    def num_batches(self):
        return self.batches.num_batches

    def __getitem__(self, index):
        return _checked_batch(self.batches[index], self.check)

    def on_epoch_begin(self):
        self.batches.on_epoch_begin()

    def on_epoch_end(self):
        self.batches.on_epoch_end()


class _CheckedLoader(keras.utils.PyDataset):
    """A torch DataLoader whose batches are checked as they are read, in the loader's own order."""

    def __init__(self, loader, check):
        super().__init__(workers=1)
        self.loader, self.check = loader, check
        _checked_batch(next(iter(loader)), check)
        self._batches = iter(())

    def __len__(self):
        return len(self.loader)

    def on_epoch_begin(self):
        self._batches = iter(self.loader)

    def __getitem__(self, index):
        batch = next(self._batches, None)
        if batch is None:  # Keras reads some batches before the first epoch
            self.on_epoch_begin()
            batch = next(self._batches)
        batch = _checked_batch(batch, self.check)
        return tuple(map(_array, batch)) if isinstance(batch, tuple) else batch
