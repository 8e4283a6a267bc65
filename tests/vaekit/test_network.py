"""Downloads: complete, checked, and quick to fail."""

import functools
import hashlib
import http.server
import socket
import threading
import time
import urllib.error
import urllib.request

import pytest

from vaekit import network
from vaekit.errors import UserError


def test_endless_look_up_is_abandoned(monkeypatch):
    def never_answers(*_, **__):
        time.sleep(1)
        raise OSError

    monkeypatch.setattr(urllib.request, "urlopen", never_answers)
    began = time.monotonic()
    assert not network.is_reachable("http://localhost", seconds=0.1)
    assert time.monotonic() - began < 0.9


def test_server_that_reports_an_error_of_ours_is_reachable(monkeypatch):
    def answer(code):
        def urlopen(*_, **__):
            raise urllib.error.HTTPError("http://localhost", code, "", {}, None)

        return urlopen

    for code, reachable in ((404, True), (503, False)):
        monkeypatch.setattr(urllib.request, "urlopen", answer(code))
        assert network.is_reachable("http://localhost") == reachable


def test_time_limit_ends_with_the_block():
    before = socket.getdefaulttimeout()
    with network.timeout(5):
        assert socket.getdefaulttimeout() == 5
    assert socket.getdefaulttimeout() == before


@pytest.fixture
def address(tmp_path):
    """Address of a local web server that serves the file "a.npz"."""
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "a.npz").write_bytes(b"content")
    handler = functools.partial(Silent, directory=str(tmp_path / "served"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class Silent(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


def test_download_is_complete_and_checked(address, tmp_path):
    path = tmp_path / "new" / "a.npz"
    digest = hashlib.sha256(b"content").hexdigest()
    network.download(f"{address}/a.npz", path, f"sha256:{digest}")
    assert path.read_bytes() == b"content"
    path.write_bytes(b"older")
    network.download(f"{address}/a.npz", path)  # of unknown content: replaced
    assert path.read_bytes() == b"content"
    with pytest.raises(UserError, match=f"its digest differs from sha256:{'0' * 64}"):
        network.download(f"{address}/a.npz", path, f"sha256:{'0' * 64}")
    with pytest.raises(network.Unavailable, match="404"):
        network.download(f"{address}/b.npz", path)
    assert [file.name for file in path.parent.iterdir()] == ["a.npz"]
    assert path.read_bytes() == b"content"


def test_download_to_where_nothing_can_be_written(address, tmp_path):
    (tmp_path / "file").write_text("a file in the way")
    with pytest.raises(UserError, match=r"Cannot write .*a\.npz: .* choose a folder"):
        network.download(f"{address}/a.npz", tmp_path / "file" / "a.npz")
