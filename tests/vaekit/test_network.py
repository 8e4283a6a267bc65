"""Downloads that fail fast."""

import socket
import time
import urllib.error
import urllib.request

from vaekit import network


def test_look_up_without_an_end_is_left_behind(monkeypatch):
    def never_answers(*_, **__):
        time.sleep(1)
        raise OSError

    monkeypatch.setattr(urllib.request, "urlopen", never_answers)
    began = time.monotonic()
    assert not network.is_reachable("http://localhost", seconds=0.1)
    assert time.monotonic() - began < 0.9


def test_server_that_complains_is_reachable_and_one_that_fails_is_not(monkeypatch):
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
