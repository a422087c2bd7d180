"""JupyterLab as `make lab` starts it, without a browser, on any workspace; and what is asked of it over its address."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).parent.parent
TOKEN = "a-token-for-this-test"


def ask(address: str, path: str, body: dict | None = None, method: str | None = None) -> tuple[int, bytes]:
    """Return the status and the content of an answer, also of one that refuses."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address + path, data, {"Authorization": f"token {TOKEN}"}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.read()


def command(root: Path) -> str:
    """Return what `make lab` runs, for the workspace `root`."""
    make = ["make", "--no-print-directory", "-n", "-o", "install", "lab", f"CURDIR={root}"]
    text = subprocess.run(make, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    flags = f"--no-browser --allow-root --ServerApp.ip=127.0.0.1 --ServerApp.port=0 --IdentityProvider.token={TOKEN}"
    jupyter = Path(sys.executable).with_name("jupyter")
    found = re.subn(r"^\S*/jupyter lab", f"exec {jupyter} lab {flags}", text.strip(), flags=re.MULTILINE)
    assert found[1] == 1, text
    return found[0]


@contextmanager
def started(root: Path, runtime: Path, jobs: Path | None = None) -> Iterator[str]:
    """Start JupyterLab on a workspace, and give its address.

    `runtime` keeps it apart from the user's own, `jobs` from the jobs of the workspace.
    """
    environment = os.environ | {"JUPYTER_RUNTIME_DIR": str(runtime), "JUPYTER_PREFER_ENV_PATH": "1"}
    environment |= {"JUPYTER_CONFIG_DIR": str(runtime / "config"), "JUPYTERLAB_WORKSPACES_DIR": str(runtime / "lab")}
    with (runtime / "server.log").open("w") as log:
        kept = f"{root}/jobs/.scheduler"
        shell = ["sh", "-c", command(root).replace(kept, str(jobs or kept))]
        server = subprocess.Popen(shell, cwd=root, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        yield _address(runtime, server)
        server.terminate()
        server.wait(timeout=60)  # for the jobs under way
    finally:
        with suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def _address(runtime: Path, server: subprocess.Popen) -> str:
    for _ in range(600):
        assert server.poll() is None, (runtime / "server.log").read_text()
        for file in runtime.glob("jpserver-*.json"):
            with suppress(ValueError, urllib.error.URLError):  # the file is there before the server answers
                address = f"http://127.0.0.1:{json.loads(file.read_text())['port']}"
                ask(address, "/api/status")
                return address
        time.sleep(0.1)
    raise AssertionError("JupyterLab did not start within a minute")
