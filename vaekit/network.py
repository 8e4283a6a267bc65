"""Downloads that are complete, checked, and fail within seconds if there is no network."""

import contextlib
import os
import socket
import threading
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

from vaekit.errors import UserError

SECONDS = 8.0
TIMEOUT_SECONDS = 20


class Unavailable(Exception):
    """A source that cannot be used now; the text gives the reason."""


def download(url, path, known_hash=None):
    """Download one file; `path` appears complete and checked, or not at all.

    Args:
        url: http or https address.
        path: file to write; an existing one is replaced.
        known_hash: expected digest as pooch writes it, "sha256:..." or "md5:..."; None: unknown.
    Raises:
        Unavailable: no network, no answer, or an incomplete one.
        UserError: the content has another digest, or `path` cannot be written.
    """
    import pooch
    import requests

    require_network(url)
    path = Path(path)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    pooch.get_logger().setLevel("WARNING")
    try:
        pooch.retrieve(
            url,
            known_hash,
            fname=part.name,
            path=part.parent,
            downloader=pooch.HTTPDownloader(timeout=TIMEOUT_SECONDS),
        )
        os.replace(part, path)
    except requests.RequestException as error:
        raise Unavailable(f"{url}: {error}") from error
    except OSError as error:
        raise UserError(
            f"Cannot write {path}: {error.strerror or error}. Free disk space or choose a folder "
            "that you may write to."
        ) from error
    except ValueError as error:  # pooch found another digest
        raise UserError(
            f"{url} does not have the expected content: its digest differs from {known_hash}. "
            "Nothing was kept. Try again later, or obtain the file from another source."
        ) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink()


def require_network(url):
    """Raise Unavailable, within seconds, if the server does not answer."""
    if not is_reachable(url):
        raise Unavailable(f"no answer from {urlsplit(url).hostname} within {SECONDS:.0f} s")


def is_reachable(url, seconds=SECONDS):
    """Whether the server of `url` answers within `seconds`, including the look-up of its name.

    pooch and requests have no limit for the look-up, which can take minutes without a network.
    """
    answers = []

    def ask():
        request = urllib.request.Request(url, method="HEAD", headers={"User-Agent": "vaekit"})
        try:
            with urllib.request.urlopen(request, timeout=seconds):
                answers.append(True)
        except urllib.error.HTTPError as error:
            answers.append(error.code < 500)  # the server works; the download reports the error
        except (OSError, ValueError):
            pass

    # The look-up of a name cannot be interrupted, so it runs in a thread that is left behind.
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(seconds)
    return any(answers)


@contextlib.contextmanager
def timeout(seconds=3 * SECONDS):
    """Limit every read of the sockets opened inside, for libraries without such an option."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
