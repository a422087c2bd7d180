"""The analyst's way in: JupyterLab starts, opens notebook 01 as it stands, and runs it through its kernel."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from jupyter_client import BlockingKernelClient

ROOT = Path(__file__).parent.parent
TOKEN = "a-token-for-this-test"


def ask(address: str, path: str, body: dict | None = None) -> tuple[int, bytes]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address + path, data, {"Authorization": f"token {TOKEN}"})
    with urllib.request.urlopen(request, timeout=60) as response:
        return response.status, response.read()


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Start JupyterLab as `make lab` does, without a browser; return its address and its runtime folder."""
    runtime = tmp_path_factory.mktemp("runtime")
    command = [sys.executable, "-m", "jupyterlab", "notebooks", "--no-browser", "--allow-root", "--ServerApp.port=0"]
    command += ["--ServerApp.ip=127.0.0.1", f"--IdentityProvider.token={TOKEN}", "--ServerApp.open_browser=False"]
    environment = os.environ | {"JUPYTER_RUNTIME_DIR": str(runtime), "JUPYTER_PREFER_ENV_PATH": "1"}
    environment |= {"JUPYTER_CONFIG_DIR": str(runtime / "config"), "JUPYTERLAB_WORKSPACES_DIR": str(runtime / "lab")}
    server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield _address(runtime, server), runtime
    finally:
        server.terminate()
        server.wait(timeout=30)


def _address(runtime: Path, server: subprocess.Popen) -> str:
    for _ in range(600):
        assert server.poll() is None, "JupyterLab ended by itself"
        for file in runtime.glob("jpserver-*.json"):
            try:
                return f"http://127.0.0.1:{json.loads(file.read_text())['port']}"
            except ValueError:
                continue
        time.sleep(0.1)
    raise AssertionError("JupyterLab did not start within a minute")


@pytest.mark.slow
def test_lab_runs_the_first_notebook_unedited(lab):
    address, runtime = lab
    status, page = ask(address, "/lab")
    assert status == 200 and b"JupyterLab" in page
    name = "01_lifetime_value.ipynb"
    notebook = json.loads(ask(address, f"/api/contents/{name}")[1])["content"]
    order = {"path": name, "type": "notebook", "name": name, "kernel": {"name": "python3"}}
    kernel = json.loads(ask(address, "/api/sessions", order)[1])["kernel"]["id"]

    client = BlockingKernelClient(connection_file=str(runtime / f"kernel-{kernel}.json"))
    client.load_connection_file()
    client.start_channels()
    shown = []
    try:
        client.wait_for_ready(timeout=60)
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
