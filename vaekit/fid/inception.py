"""tf-gan's Inception module, the network behind every number called FID.

It is loaded once, from a file, a folder, TF-Hub's cache or TF-Hub, and compiled once; tf-gan
divides the images into batches.
"""

import functools
import hashlib
import os
import tempfile
from pathlib import Path

from vaekit import files, network
from vaekit.errors import UserError
from vaekit.fid import frozen_graph, tfgan_import
from vaekit.fid.extractors import Extractor

VARIABLE = "VAE_INCEPTION"
FEATURES = 2048  # of the real module's pool_3


class InceptionExtractor(Extractor):
    """`pool_3` of the Inception network of 2015 that tf-gan publishes on TF-Hub.

    Args:
        path: SavedModel folder, a folder that holds one (as TF-Hub caches it), or the frozen
            GraphDef `inceptionv1_for_inception_score.pb` or `classify_image_graph_def.pb`. None:
            $VAE_INCEPTION, else TF-Hub's cache, else a download from TF-Hub.
        batch_size: images per run of the network.
    Raises:
        UserError: no weights and no network, or a file that is not such a network.
    """

    def __init__(self, path=None, batch_size=64):
        path = path or os.environ.get(VARIABLE) or None
        metrics = tfgan_import.inception_metrics()
        self._output = metrics.INCEPTION_FINAL_POOL
        self._batch = batch_size
        source = find_weights(path, metrics.INCEPTION_TFHUB)
        self._network = _compile(_load(source, self._output), metrics.INCEPTION_DEFAULT_IMAGE_SIZE)
        self.num_features = self._network.output_shapes[-1]
        super().__init__(
            self._run,
            "Inception" if self.num_features == FEATURES else f"Inception-like {source.name}",
            digest(source),
            image_size=metrics.INCEPTION_DEFAULT_IMAGE_SIZE,
            channels=3,
            scaled=True,
            batch_size=2 * batch_size,
        )

    @property
    def label(self):
        """FID, unless the width of `pool_3` differs from 2,048, so that it is another network."""
        return "FID" if self.num_features == FEATURES else super().label

    @property
    def kernel_label(self):
        """KID, under the same condition."""
        return "KID" if self.num_features == FEATURES else super().kernel_label

    def _run(self, images):
        """Features of complete batches by tf-gan's batching, followed by the incomplete batch."""
        import tensorflow as tf

        run = functools.partial(
            tfgan_import.classifier_metrics().run_classifier_fn,
            classifier_fn=self._network,
            dtypes=tf.float32,
        )
        batches = len(images) // self._batch
        whole = batches * self._batch
        parts = []
        with tfgan_import.quiet():
            if batches:
                parts.append(run(tf.constant(images[:whole]), num_batches=batches))
            if whole < len(images):
                parts.append(run(tf.constant(images[whole:])))
        return tf.concat(parts, axis=0).numpy()


@functools.lru_cache(maxsize=2)
def _open(path):
    return InceptionExtractor(path)


def open_inception(path=None):
    """An `InceptionExtractor`, loaded once per path in this process."""
    return _open(str(path or os.environ.get(VARIABLE) or "") or None)


def find_weights(path, handle):
    """The existing SavedModel folder or GraphDef file to load.

    Raises:
        UserError: nothing found, and no download from TF-Hub.
    """
    if path is not None:
        return _inside(Path(path).expanduser())
    cached = _hub_cache(handle)
    if (cached / "saved_model.pb").exists():
        return cached
    if not network.is_reachable(handle):
        raise _not_found(
            f"no file at {cached}, ${VARIABLE} is not set, and {handle} does not answer"
        )
    try:
        with network.timeout():
            return Path(tfgan_import.tensorflow_hub().resolve(handle))
    except (OSError, ValueError, RuntimeError) as error:
        raise _not_found(
            f"no file at {cached}, and the download of {handle} failed ({error})"
        ) from error


def _inside(path):
    """The SavedModel folder or .pb file at `path` or directly inside it."""
    if path.is_file():
        return path
    if not path.is_dir():
        raise _not_found(f"{path} does not exist")
    if (path / "saved_model.pb").exists():
        return path
    candidates = [found.parent for found in sorted(path.glob("*/saved_model.pb"))]
    candidates += [path / name for name in frozen_graph.NAMES if (path / name).exists()]
    if len(candidates) != 1:
        raise _not_found(f"the folder {path} contains {'several' if candidates else 'none'}")
    return candidates[0]


def _hub_cache(handle):
    """Where TF-Hub keeps a module: a folder named after the address's sha1."""
    cache = os.environ.get("TFHUB_CACHE_DIR") or Path(tempfile.gettempdir()) / "tfhub_modules"
    return Path(cache).expanduser() / hashlib.sha1(handle.encode()).hexdigest()


def _not_found(why):
    return UserError(
        f"Inception weights not found: {why}. Save {' or '.join(frozen_graph.NAMES)} (frozen "
        "graph), or the unpacked TF-Hub module tensorflow/tfgan/eval/inception/1 (a folder with "
        f"saved_model.pb), and pass --inception PATH or set {VARIABLE}=PATH. Or choose another "
        "extractor, such as pixels, whose number is not called FID, or pass --no-fid."
    )


def _load(source, output):
    """A function from images in [-1, 1] to the tensor named `output`."""
    if source.is_file():
        return frozen_graph.load(source, output)
    try:
        module = tfgan_import.tensorflow_hub().load(str(source))
    except (OSError, ValueError) as error:
        raise UserError(f"{source} cannot be opened as a SavedModel: {error}.") from error
    call = module if callable(module) else module.signatures.get("default")

    def features(images):
        outputs = call(images) if call else {}
        if output not in outputs:
            raise UserError(
                f"The SavedModel {source} has no output {output!r}. Use tf-gan's Inception module, "
                "whose outputs are 'logits' and 'pool_3'."
            )
        return outputs[output]

    return features


def _compile(function, size):
    """One concrete function for batches of any length, its output flattened to `(n, d)`."""
    import tensorflow as tf

    @tf.function(
        input_signature=[tf.TensorSpec((None, size, size, 3), tf.float32)], autograph=False
    )
    def run(images):
        features = function(images)
        return tf.reshape(tf.cast(features, tf.float32), (tf.shape(images)[0], _width(features)))

    return run.get_concrete_function()


def _width(features):
    width = features.shape[1:].num_elements()
    if width is None:
        raise UserError(
            f"The number of features must be known, got features of shape {features.shape}."
        )
    return width


def digest(source):
    """Hex sha256 of a file, or of a folder's file names and contents."""
    if source.is_file():
        return files.sha256(source)
    parts = [p for p in sorted(source.rglob("*")) if p.is_file()]
    lines = [f"{p.relative_to(source).as_posix()} {files.sha256(p)}" for p in parts]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
