"""The analyst's way in: JupyterLab starts, opens notebook 01 as it stands, and runs it through its kernel."""

import json
from contextlib import suppress
from pathlib import Path

import pytest
from jupyter_client import BlockingKernelClient

from .lab import ROOT, ask, started


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Start JupyterLab as `make lab` does, without a browser; return its address and its runtime folder."""
    runtime = tmp_path_factory.mktemp("runtime")
    with started(ROOT, runtime, jobs=runtime / "jobs") as address:
        yield address, runtime


def wait_until_ready(client):
    """Wait for the kernel; on a busy machine its first heartbeat is so late that the client takes it for dead."""
    for _ in range(30):
        with suppress(RuntimeError):
            return client.wait_for_ready(timeout=60)
    raise AssertionError("the kernel did not start")


@pytest.mark.slow
def test_lab_runs_the_first_notebook_unedited(lab):
    address, runtime = lab
    status, page = ask(address, "/lab")
    assert status == 200 and b"JupyterLab" in page
    path = "notebooks/01_lifetime_value.ipynb"
    notebook = json.loads(ask(address, f"/api/contents/{path}")[1])["content"]
    order = {"path": path, "type": "notebook", "name": Path(path).name, "kernel": {"name": "python3"}}
    kernel = json.loads(ask(address, "/api/sessions", order)[1])["kernel"]["id"]

    client = BlockingKernelClient(connection_file=str(runtime / f"kernel-{kernel}.json"))
    client.load_connection_file()
    client.start_channels()
    shown = []
    try:
        wait_until_ready(client)
        for cell in (cell for cell in notebook["cells"] if cell["cell_type"] == "code"):
            reply = client.execute_interactive(
                "".join(cell["source"]), timeout=300, output_hook=lambda message: shown.append(message["content"])
            )
            assert reply["content"]["status"] == "ok", reply["content"]
        client.execute_interactive("result", timeout=60, output_hook=lambda message: shown.append(message["content"]))
    finally:
        client.stop_channels()
    data = [content["data"] for content in shown if "data" in content]
    assert any("2,357 customers" in bundle.get("text/markdown", "") for bundle in data)
    figures = sum("report.figure(" in "".join(cell["source"]) for cell in notebook["cells"])
    assert sum("image/png" in bundle for bundle in data) == figures > 5
    shown_result = data[-1]["text/html"]
    assert "<table" in shown_result and "are expected to bring" in shown_result, "a result shows as a table"
