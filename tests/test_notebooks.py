"""Every notebook runs top to bottom, with few epochs; none is committed with outputs."""

import asyncio
import re
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed (extra dev)")
ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
QUICK = "EPOCHS, EPOCHS2, COUNTS = 1, 1, (1, 5)"


def quick(path, in_clean_namespace):
    """A notebook with few epochs."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if "parameters" in cell.metadata.get("tags", ()):
            cell.source = QUICK
    if in_clean_namespace:
        notebook.cells.insert(0, nbformat.v4.new_code_cell("%reset -f"))
    return notebook


# All share one test and one kernel, because starting TensorFlow takes longer than most cells.
def test_notebooks_run(tmp_path, monkeypatch):
    nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed (extra dev)")
    pytest.importorskip("ipykernel", reason="ipykernel is not installed (extra dev)")
    from jupyter_client import AsyncKernelManager

    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    kernel = AsyncKernelManager(kernel_name="python3")
    resources = {"metadata": {"path": str(tmp_path)}}
    try:
        for index, path in enumerate(NOTEBOOKS):
            notebook = quick(path, in_clean_namespace=index > 0)
            client = nbclient.NotebookClient(notebook, km=kernel, timeout=300, resources=resources)
            client.execute()
            outputs = [o for cell in notebook.cells for o in cell.get("outputs", ())]
            assert sum("image/png" in o.get("data", ()) for o in outputs) >= 5, path.name
    finally:
        asyncio.run(kernel.shutdown_kernel(now=True))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_committed_without_outputs(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        assert not cell.get("outputs") and cell.get("execution_count") is None


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_badge_and_installation_name_one_repository(path):
    text = path.read_text(encoding="utf-8")
    badge = re.search(
        r"colab\.research\.google\.com/github/([\w.-]+/[\w.-]+)/blob/main/(\S+?)\)", text
    )
    (installed,) = set(re.findall(r"https://github\.com/([\w.-]+/[\w.-]+)", text))
    assert badge.groups() == (installed, f"notebooks/{path.name}")
    first = next(c for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code")
    assert "find_spec" in first.source and "pip install" in first.source
