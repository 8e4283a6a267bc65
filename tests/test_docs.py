"""The documentation: its examples run, its site builds without warnings and loads no network."""

import functools
import http.server
import importlib.util
import json
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def load_file(path):
    """The module in a file that is in no package."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def example(name):
    """An example's module."""
    return load_file(ROOT / "examples" / f"{name}.py")


@pytest.mark.parametrize(
    "name, most, made",
    [
        ("own_array", 12, "vae.keras"),
        ("own_array_two_stage", 12, "two_stage.keras"),
        ("own_parts", 60, None),
    ],
)
def test_examples_run_as_scripts_and_the_short_ones_are_in_the_readme(name, most, made, tmp_path):
    path = ROOT / "examples" / f"{name}.py"
    text = path.read_text(encoding="utf-8").split("\n", 2)[2].rstrip()
    assert len(text.splitlines()) <= most
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    if most == 12:
        assert "\n".join("    " + line if line else "" for line in text.splitlines()) in readme
    done = subprocess.run(
        [sys.executable, path],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert made is None or (tmp_path / made).exists()


def test_own_dataset(tmp_path, monkeypatch):
    from vaekit.datasets import recipes

    monkeypatch.setattr(recipes, "RECIPES", recipes.RECIPES)
    module = example("own_dataset")
    assert module.draw_bars(7).sum(axis=(1, 2, 3)).tolist() == [15] * 7
    model = module.main(tmp_path / "data", tmp_path / "run", epochs=1)
    assert model.sample(2, seed=0).shape == (2, 8, 8, 1)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder of the documentation, which is built without warnings."""
    for package in ("mkdocs", "material", "mkdocstrings", "latex2mathml"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed (extra dev)")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    quiet = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "KERAS_BACKEND": "numpy"}
    done = subprocess.run(command, cwd=ROOT, env=quiet, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    return folder


def test_site_refers_to_nothing_outside(site):
    loads = re.compile(
        r"""<(?:script|img|iframe|source)[^>]+src=["']?(?:https?:)?//"""
        r"""|<link(?![^>]+rel=["']?canonical)[^>]+href=["']?(?:https?:)?//"""
        r"""|@import|url\(["']?(?:https?:)?//"""
    )
    pages = [*site.rglob("*.html"), *site.rglob("*.css")]
    assert len(pages) > 10
    for page in pages:
        assert not loads.search(page.read_text(encoding="utf-8")), page


def test_site_shows_formulas_examples_and_measured_figures(site):
    works = (site / "how_it_works.html").read_text(encoding="utf-8")
    assert works.count("<math") > 20 and "arithmatex" not in works and "\\frac" not in works
    assert "Laplace" in (site / "extending.html").read_text(encoding="utf-8")
    api = (site / "api.html").read_text(encoding="utf-8")
    assert "balancingvae.renormalization.renormalize" in api and "Raises: UserError" not in api
    digits = (site / "reproduce" / "digits.html").read_text(encoding="utf-8")
    assert "Not run yet" not in digits and "trained for" in digits


def test_figures_of_pages_come_from_runs(tmp_path):
    tables = load_file(ROOT / "docs" / "tools" / "tables.py")
    for text in tables.pages(tmp_path).values():
        assert "trained for" not in text
    run = tmp_path / "runs" / "vampprior" / "report_static_mnist_vampprior" / "seed3"
    run.mkdir(parents=True)
    shelf = ROOT / "checkpoints" / "vampprior" / "digits_vampprior" / "seed0"
    metrics = json.loads((shelf / "evaluation.json").read_text(encoding="utf-8"))
    metrics["config"] |= {"name": run.parent.name, "dataset": "static_mnist", "seed": 3}
    metrics["log_likelihood"]["500"]["mean"] = -87.654
    (run / "evaluation.json").write_text(json.dumps(metrics), encoding="utf-8")
    (run / "environment.json").write_bytes((shelf / "environment.json").read_bytes())
    pages = tables.pages(tmp_path)
    assert "-87.65" in pages["reproduce/vampprior_report.md"]
    assert "-87.65" not in pages["reproduce/vampprior_tomczak.md"]
    assert "| measured in part |" in pages["reproduce/index.md"]


@pytest.fixture(scope="module")
def visit(tmp_path_factory):
    """Function of a URL to the console's messages and the addresses that the page requested."""
    browser = load_file(ROOT / "docs" / "tools" / "make_images.py")
    if browser.browser() is None:
        pytest.skip("no Chromium on this machine")
    folder = tmp_path_factory.mktemp("net")

    def visit(url):
        log = folder / "net.json"
        options = ("--enable-logging=stderr", f"--log-net-log={log}", "--dump-dom")
        page, said = browser.visit(url, *options)
        events = json.loads(log.read_text(encoding="utf-8"))["events"]
        started = (e["params"] for e in events if "initiator" in e.get("params", {}))
        # "not an origin": the browser's own requests.
        asked = {p["url"] for p in started if p["initiator"] != "not an origin" and "url" in p}
        console = re.findall(r"CONSOLE\S* (.*)", said)
        return page, console, {url for url in asked if url.startswith("http")}

    return visit


def test_browser_check_notices_errors_and_requests(visit, tmp_path):
    page = tmp_path / "bad.html"
    page.write_text('<img src="https://elsewhere.invalid/x.png"><script>missing()</script>')
    _, console, asked = visit(page.as_uri())
    assert "missing is not defined" in console[0]
    assert asked == {"https://elsewhere.invalid/x.png"}


def test_report_opens_in_a_browser(visit):
    report = ROOT / "checkpoints" / "balancingvae" / "digits" / "seed0" / "report.html"
    page, console, asked = visit(report.as_uri())
    assert "GEN-2" in page and "data:image/png" in page
    assert console == [] and asked == set()


def test_site_opens_in_a_browser(visit, site):
    handler = functools.partial(QuietHandler, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        home = f"http://127.0.0.1:{server.server_port}/"
        page, console, asked = visit(f"{home}index.html")
        server.shutdown()
    assert "Start here" in page and console == []
    assert asked and all(url.startswith(home) for url in asked)


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    """A file server that prints nothing."""

    def log_message(self, *arguments):
        pass
