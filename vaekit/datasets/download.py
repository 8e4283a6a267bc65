"""Publishers' single files, for the sets that TensorFlow Datasets lacks."""

import threading
import urllib.error
import urllib.request
from urllib.parse import urlsplit

from vaekit import files

PROBE_SECONDS = 6
TIMEOUT_SECONDS = 20


class Unavailable(Exception):
    """A route that leads nowhere now; the text says why."""


def is_reachable(url):
    """Whether the server behind a URL answers within PROBE_SECONDS, name look-up included."""
    answers = []

    def ask():
        request = urllib.request.Request(url, method="HEAD")
        try:
            with urllib.request.urlopen(request, timeout=PROBE_SECONDS):
                answers.append(True)
        except urllib.error.HTTPError:
            answers.append(True)  # it answered, if only with a complaint
        except (OSError, ValueError):
            pass

    # A look-up of the name has no time limit of its own, hence the thread.
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(PROBE_SECONDS)
    return bool(answers)


def require_network(url):
    """Raise Unavailable, within seconds, where the server does not answer."""
    if not is_reachable(url):
        raise Unavailable(f"no answer from {urlsplit(url).hostname} within {PROBE_SECONDS} s")


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
