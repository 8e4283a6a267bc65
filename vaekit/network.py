"""Downloads that fail fast where there is no network."""

import contextlib
import socket
import threading
import urllib.error
import urllib.request

SECONDS = 8.0


def is_reachable(url, seconds=SECONDS):
    """Whether the server of `url` answers within `seconds`, name lookup included."""
    answers = []

    def ask():
        request = urllib.request.Request(url, method="HEAD", headers={"User-Agent": "vaekit"})
        try:
            with urllib.request.urlopen(request, timeout=seconds):
                answers.append(True)
        except urllib.error.HTTPError as error:
            answers.append(error.code < 500)  # it answers; the download will say what is wrong
        except (OSError, ValueError):
            pass

    # A lookup by a resolver that never answers cannot be interrupted, only left behind.
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(seconds)
    return any(answers)


@contextlib.contextmanager
def timeout(seconds=3 * SECONDS):
    """Give every socket opened inside a time limit per read."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
