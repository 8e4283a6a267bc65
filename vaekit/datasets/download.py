"""Publishers' single files, for the sets that TensorFlow Datasets lacks."""

import urllib.request
from urllib.parse import urlsplit

from vaekit import files, network

TIMEOUT_SECONDS = 20


class Unavailable(Exception):
    """A route that leads nowhere now; the text says why."""


def require_network(url):
    """Raise Unavailable, within seconds, where the server does not answer."""
    if not network.is_reachable(url):
        raise Unavailable(f"no answer from {urlsplit(url).hostname} within {network.SECONDS:.0f} s")


def fetch(url, path):
    """Download one file whole.

    Raises:
        Unavailable: no network, no answer or an incomplete one.
        UserError: `path` cannot be written.
    """
    require_network(url)
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as response:
            expected = response.headers.get("Content-Length")
            data = response.read()
    except (OSError, ValueError) as error:
        raise Unavailable(f"{url}: {error}") from error
    if expected and len(data) != int(expected):
        raise Unavailable(f"{url}: {len(data)} of {expected} bytes came")
    files.atomic_write(path, lambda file: file.write(data))
