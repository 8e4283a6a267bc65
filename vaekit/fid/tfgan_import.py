"""Import of tf-gan and TensorFlow Hub under TensorFlow >= 2.18.

The `__init__` of tf-gan 2.1.0 imports tf.estimator, which no longer exists; its `eval` package does
not need it. The two parent packages are therefore registered by path, without running their
`__init__`, while `eval` is imported. tensorflow-hub 0.16.1 needs one function of `pkg_resources`,
which newer versions of setuptools lack; a substitute with that function replaces it during the
import.
"""

import contextlib
import functools
import importlib
import importlib.util
import logging
import sys
import types
import warnings
from pathlib import Path

from vaekit.errors import UserError

INSTALL = "pip install tensorflow tensorflow-gan tensorflow-hub tensorflow-probability tf-keras"


@functools.cache
def classifier_metrics():
    """tf-gan's module of Frechet and kernel distances and of batching."""
    return _import_eval("classifier_metrics")


@functools.cache
def inception_metrics():
    """tf-gan's module of the Inception constants: address, output names, image size."""
    return _import_eval("inception_metrics")


@functools.cache
def tensorflow_hub():
    """The `tensorflow_hub` package."""
    with _import_errors("TensorFlow"):
        importlib.import_module("tensorflow")
    with _import_errors("tensorflow-hub"), _pkg_resources():
        return importlib.import_module("tensorflow_hub")


@contextlib.contextmanager
def quiet():
    """Context manager that hides the deprecation notes logged by tf-gan's calls of TensorFlow."""
    logger = logging.getLogger("tensorflow")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def _import_eval(name):
    tensorflow_hub()
    with _import_errors("tensorflow-gan"), _parents_registered():
        return importlib.import_module(f"tensorflow_gan.python.eval.{name}")


@contextlib.contextmanager
def _parents_registered():
    """`tensorflow_gan` and `tensorflow_gan.python` as empty packages of the right path."""
    spec = importlib.util.find_spec("tensorflow_gan")
    if spec is None:
        raise ModuleNotFoundError("No module named 'tensorflow_gan'", name="tensorflow_gan")
    root = Path(spec.submodule_search_locations[0])
    added = []
    for name, folder in (("tensorflow_gan", root), ("tensorflow_gan.python", root / "python")):
        if name not in sys.modules:
            package = types.ModuleType(name)
            package.__path__ = [str(folder)]
            sys.modules[name] = package
            added.append(name)
    try:
        yield
    finally:
        # A later `import tensorflow_gan` must raise its own error, not find an empty package.
        for name in added:
            del sys.modules[name]


@contextlib.contextmanager
def _pkg_resources():
    if importlib.util.find_spec("pkg_resources") is not None:
        yield
        return
    from packaging.version import parse

    substitute = types.ModuleType("pkg_resources")
    substitute.parse_version = parse
    sys.modules["pkg_resources"] = substitute
    try:
        yield
    finally:
        del sys.modules["pkg_resources"]


@contextlib.contextmanager
def _import_errors(package):
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about deprecations inside these packages
            yield
    except ImportError as error:
        raise UserError(
            f"{package} cannot be imported ({error}). The Inception extractor and the kernel "
            f"distance need it: {INSTALL}. Or choose --fid-extractor pixels, or --no-fid."
        ) from error
