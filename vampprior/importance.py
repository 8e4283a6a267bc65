"""log p(x) by importance sampling with the posterior as proposal, within a memory budget.

The estimate is logsumexp_s log w_s - log S, with w_s = p(x given z_s) p(z_s) / q(z_s given x) and
z_s drawn from q(z given x). Burda et al. (2016), equation 8; Tomczak & Welling (2018), section 5.
In expectation it is a lower bound on log p(x), and it rises towards log p(x) with S.
"""

import concurrent.futures
import dataclasses
import hashlib
import itertools
import json
import math
import sys
import time
from pathlib import Path

import numpy as np
from keras import ops
from tqdm import tqdm

from vaekit import files
from vaekit.distributions import posterior_log_prob, sample_posterior
from vaekit.errors import UserError

SAVE_SECONDS = 10.0


def log_weights(x, mean, log_var, noise, log_conditional, log_prior):
    """log p(x given z) + log p(z) - log q(z given x) for samples z of each image's posterior.

    Args:
        x: `(batch, pixels)`.
        mean, log_var: the posteriors, `(batch, latent_dim)`.
        noise: standard normal, `(batch, samples, latent_dim)`.
        log_conditional: function of x `(batch, 1, pixels)` and z `(batch * samples, latent_dim)`
            to log p(x given z), `(batch, samples)`.
        log_prior: function of z `(batch * samples, latent_dim)` to `(batch * samples,)`.
    Returns:
        `(batch, samples)`, nats.
    """
    batch, samples, latent_dim = noise.shape
    z = sample_posterior(mean[:, None], log_var[:, None], noise)
    z = ops.reshape(z, (batch * samples, latent_dim))
    log_joint = log_conditional(x[:, None], z) + ops.reshape(log_prior(z), (batch, samples))
    return log_joint - posterior_log_prob(log_var[:, None], noise)


def streamed_logsumexp(total, part):
    """log(exp(total) + exp(part)) in float64; both `(batch,)`, total may be -inf."""
    return np.logaddexp(total, np.asarray(part, np.float64))


@dataclasses.dataclass(frozen=True)
class Chunks:
    """How images and samples are divided so that one compiled shape fits the memory budget.

    A chunk has `images` images with `samples` samples each; all samples need `passes` passes.
    """

    images: int
    samples: int
    passes: int


def plan_chunks(num_images, num_samples, bytes_per_row, memory_mib):
    """The chunks of an evaluation.

    Args:
        num_images, num_samples: numbers of images, and of samples per image.
        bytes_per_row: memory of one (image, sample) pair inside the networks.
        memory_mib: budget for all rows of a chunk, in MiB.
    """
    rows = max(1, int(memory_mib * 2**20 // bytes_per_row))
    if num_samples <= rows:
        return Chunks(min(num_images, rows // num_samples), num_samples, 1)
    passes = math.ceil(num_samples / rows)
    return Chunks(1, math.ceil(num_samples / passes), passes)


def image_noise(seed, index, num_samples, latent_dim):
    """The noise of image number `index`: float32 `(num_samples, latent_dim)`.

    It depends neither on chunks nor on the backend, so an image's estimate does not either.
    """
    rng = np.random.Generator(np.random.SFC64((seed, index)))
    return rng.standard_normal((num_samples, latent_dim), dtype=np.float32)


def log_likelihood(
    log_weight_sum, arrays, num_samples, seed, chunks, *, progress=False, partial=None
):
    """log p(x) of every image.

    Args:
        log_weight_sum: function of (x, mean, log_var, noise, log_mask) to the logsumexp over the
            chunk's samples of log w + log_mask, `(batch,)`; `log_mask` `(samples,)` is 0 or -inf.
        arrays: (x, mean, log_var), each with one row per image.
        num_samples: S.
        seed: seed of the noise.
        chunks: a `Chunks`.
        progress: whether to show a bar.
        partial: None, or a `Partial` to resume from and save to.
    Returns:
        float64 `(num_images,)`, nats.
    """
    count, latent_dim = arrays[1].shape
    values = np.full(count, np.nan) if partial is None else partial.load(count)
    step = chunks.images
    starts = [s for s in range(0, count, step) if np.isnan(values[s : s + step]).any()]
    title = f"log-likelihood, S={num_samples}"
    # A log file needs no more than a line every half minute.
    pause = 0.1 if sys.stderr.isatty() else 30.0
    bar = tqdm(total=count, desc=title, unit="image", disable=not progress, mininterval=pause)
    bar.update(int(np.isfinite(values).sum()))
    masks = _log_masks(num_samples, chunks)
    saved_at = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(1) as drawer, bar:
        upcoming = _draws(drawer, starts, count, num_samples, latent_dim, seed, chunks)
        for start, noise in upcoming:
            index = _rows(start, count, step)
            parts = [array[index] for array in arrays]
            total = np.full(len(index), -np.inf)
            for one_pass, mask in enumerate(masks):
                piece = noise[:, one_pass * chunks.samples : (one_pass + 1) * chunks.samples]
                total = streamed_logsumexp(total, log_weight_sum(*parts, piece, mask))
            values[index] = total - math.log(num_samples)
            bar.update(min(step, count - start))
            if partial is not None and time.monotonic() - saved_at > SAVE_SECONDS:
                partial.save(values)
                saved_at = time.monotonic()
    if partial is not None:
        partial.save(values)
    return values


def _rows(start, count, images):
    # The last chunk is filled with copies of the last image, so one compiled shape suffices.
    return np.minimum(np.arange(start, start + images), count - 1)


def _log_masks(num_samples, chunks):
    used = np.arange(chunks.passes * chunks.samples) < num_samples
    return np.where(used, 0.0, -np.inf).astype(np.float32).reshape(chunks.passes, chunks.samples)


def _draws(drawer, starts, count, num_samples, latent_dim, seed, chunks):
    """Yield (start, noise) while another thread draws the noise of the next chunk."""
    padded = chunks.passes * chunks.samples

    def draw(start):
        noise = np.zeros((chunks.images, padded, latent_dim), np.float32)
        for row, index in enumerate(_rows(start, count, chunks.images)):
            noise[row, :num_samples] = image_noise(seed, index, num_samples, latent_dim)
        return noise

    future = drawer.submit(draw, starts[0]) if starts else None
    for start, following in itertools.zip_longest(starts, starts[1:]):
        noise = future.result()
        future = None if following is None else drawer.submit(draw, following)
        yield start, noise


class Partial:
    """Per-image values of an unfinished evaluation in one .npz file.

    Args:
        path: the file.
        key: dict (JSON) of all that the values depend on; a file with another key is ignored.
    """

    def __init__(self, path, key):
        self.path, self.key = Path(path), json.dumps(key, sort_keys=True)

    def load(self, count):
        """The values so far, float64 `(count,)`, with NaN for missing ones."""
        if self.path.exists():
            try:
                arrays = files.load_npz(self.path)
            except UserError:  # a damaged file only costs time: its values are computed again
                arrays = {}
            if str(arrays.get("key")) == self.key and arrays["values"].shape == (count,):
                return arrays["values"]
        return np.full(count, np.nan)

    def save(self, values):
        files.save_npz(self.path, {"values": values, "key": np.array(self.key)})


def partial_of(path, images, variables, num_samples, seed):
    """The `Partial` of one evaluation; its key is all that the values depend on.

    Args:
        path: the file.
        images: array of the scored images.
        variables: Keras variables on which the densities depend.
        num_samples, seed: settings of the estimate.
    """
    weights = (ops.convert_to_numpy(variable.value) for variable in variables)
    key = {"seed": seed, "num_samples": num_samples}
    return Partial(path, key | {"images": _digest([images]), "weights": _digest(weights)})


def _digest(arrays):
    """sha256 of the bytes of arrays, in hexadecimal."""
    total = hashlib.sha256()
    for array in arrays:
        total.update(np.ascontiguousarray(array).tobytes())
    return total.hexdigest()


def mean_and_standard_error(values):
    """Mean over images and its standard error, both float."""
    values = np.asarray(values, np.float64)
    error = values.std(ddof=1) / math.sqrt(len(values)) if len(values) > 1 else math.nan
    return float(values.mean()), float(error)
