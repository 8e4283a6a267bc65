"""Before any test module imports keras: the packages' options for TensorFlow."""

import vaekit  # noqa: F401
