"""The ready files of docs/scheduling do what they say: their commands run, and their parsers take them.

Not run here, for want of the services: Airflow, whose classes are stood in for, GitHub's machines, and systemd itself.
"""

import json
import os
import re
import runpy
import shlex
import subprocess
import sys
import types
from configparser import RawConfigParser
from pathlib import Path

import nbformat
import pytest
import yaml
from croniter import croniter

from helpers.reporting.journal import read
from helpers.reporting.manifest import read_json

from .conftest import TOY_FIGURE, light_notebook, toy_notebook
from .lab import ROOT

FILES = ROOT / "docs" / "scheduling"
PLACE = "/srv/customer-value"
TOLD = "logger --tag reports --priority user.err"
UNITS = ("reports.service", "reports.timer", "reports-failed.service")


@pytest.fixture
def installed(toy):
    """Return a toy workspace with a quick notebook and the installed command."""
    nbformat.write(light_notebook(), toy.notebooks()["toy"])
    (toy.root / ".venv").symlink_to(sys.prefix)
    return toy


def text(name: str, workspace=None) -> str:
    """Return a ready file, for another workspace than the one it names."""
    content = (FILES / name).read_text(encoding="utf-8")
    assert PLACE in content or name in ("reports.timer", "reports-failed.service", "github_actions.yml")
    return content.replace(PLACE, str(workspace.root)) if workspace else content


def call(command: list[str], home: Path | str, folder: Path) -> subprocess.CompletedProcess:
    """Run a command with no more of an environment than a scheduler gives it."""
    kept = {name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ}
    environment = kept | {"PATH": "/usr/bin:/bin", "HOME": str(home)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)


def cron_line(workspace=None) -> tuple[str, str]:
    (line,) = [line for line in text("crontab", workspace).splitlines() if not line.startswith("#")]
    when, command = re.fullmatch(r"((?:\S+ ){4}\S+)\s+(.+)", line).groups()
    return when, command


def test_cron_line_tells_of_a_failure_and_is_silent(installed, tmp_path):
    nbformat.write(light_notebook("1 / 0"), installed.notebooks()["toy"])
    when, command = cron_line(installed)
    assert croniter.is_valid(when)
    assert "%" not in command, "cron would take it for a line break"
    assert command.count(TOLD) == 1
    told = tmp_path / "told it.json"
    done = call(["sh", "-c", command.replace(TOLD, f"tee '{told}'")], tmp_path, tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")
    assert json.loads(told.read_text("utf-8"))["outcome"] == "failed_notebook"
    assert [entry["outcome"] for entry in read(installed.reports)] == ["failed_notebook"]


def unit(name: str, workspace=None) -> RawConfigParser:
    parser = RawConfigParser(comment_prefixes="#", delimiters="=", strict=True)
    parser.optionxform = str
    parser.read_string(text(name, workspace))
    return parser


# All of the workspace read-only but for what the service may write to; the folder of a user without a home.
SHUT_OFF = """root=$1 reports=$2 processed=$3; shift 3
mount --bind "$reports" "$reports" && mount --bind "$processed" "$processed" || exit 9
mount --rbind "$root" "$root" && mount -o remount,bind,ro "$root" || exit 9
cd "$root" && touch proof 2>/dev/null && exit 8
exec "$@\""""
ALONE = ["unshare", "--map-root-user", "--net", "--mount"]


def test_service_needs_no_network_and_writes_where_it_may(installed, tmp_path):
    if subprocess.run([*ALONE, "true"], capture_output=True).returncode:
        pytest.skip("this machine lets nobody shut off a network or a folder")
    nbformat.write(toy_notebook(TOY_FIGURE), installed.notebooks()["toy"])
    service = unit("reports.service", installed)["Service"]
    assert service["WorkingDirectory"] == str(installed.root)
    writable = service["ReadWritePaths"].split()
    for place in writable:
        Path(place).mkdir(parents=True, exist_ok=True)
    cache = re.sub("/var/cache/reports", str(tmp_path / "cache"), service["Environment"]).split()
    command = [*ALONE, "sh", "-c", SHUT_OFF, "sh", str(installed.root), *writable]
    done = call([*command, "env", *cache, *shlex.split(service["ExecStart"])], "/nonexistent", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert read_json(installed.reports / "toy" / "latest" / "manifest.json")["warnings"] == [
        "label <i>spend</i> _is_ $x$"
    ], "what the toy says, and nothing of a folder that cannot be written"
    assert (tmp_path / "cache" / "matplotlib").is_dir()


def test_service_has_limits_that_systemd_keeps():
    service = unit("reports.service")
    assert service["Unit"]["OnFailure"] == UNITS[2]
    wanted = {"PrivateNetwork": "yes", "ProtectSystem": "strict", "NoNewPrivileges": "yes", "Type": "exec"}
    assert wanted.items() <= dict(service["Service"]).items()
    assert {"RuntimeMaxSec", "MemoryMax"} <= set(service["Service"])
    assert shlex.split(service["Service"]["ExecStart"])[-2:] == ["--on-failure", TOLD]
    jobs, limit = re.search(r"--jobs (\d+) --memory-limit (\d+)", service["Service"]["ExecStart"]).groups()
    assert int(jobs) * int(limit) < int(service["Service"]["MemoryMax"].removesuffix("G")), "each run has its own limit"
    assert service["Service"]["OOMPolicy"] == "continue", "one killed process would stop all runs"


@pytest.mark.systemd
def test_systemd_takes_the_units(installed, tmp_path):
    for name in UNITS:
        (tmp_path / name).write_text(text(name, installed), "utf-8")
    command = ["systemd-analyze", "verify", "--man=no"]
    done = subprocess.run([*command, *UNITS], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    (tmp_path / UNITS[0]).write_text(text(UNITS[0], installed).replace("MemoryMax=8G", "MemoryMax=six"), "utf-8")
    done = subprocess.run([*command, *UNITS], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert "Invalid memory limit 'six'" in done.stderr, "a wrong line would have been seen"
    when = unit("reports.timer")["Timer"]["OnCalendar"]
    subprocess.run(["systemd-analyze", "calendar", when], check=True, capture_output=True, timeout=60)


class Task:
    """Stands in for an Airflow operator."""

    def __init__(self, **given):
        self.given, self.then = given, []

    def __rshift__(self, other):
        self.then.append(other.given["task_id"])


class Dag:
    """Stands in for Airflow's."""

    def __init__(self, name, **given):
        self.given = given

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None


def test_airflow_has_a_task_for_each_report(installed, tmp_path, monkeypatch):
    plan = 'on_failure = "tell"\n[late]\nnotebook = "toy"\nafter = ["toy"]\n[toy]\nnotebook = "toy"\n'
    (installed.root / "reports.toml").write_text(plan, "utf-8")
    names = ["airflow", "airflow.sdk"]
    names += [
        "airflow.providers" + rest for rest in ("", ".standard", ".standard.operators", ".standard.operators.bash")
    ]
    for name in names:
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    sys.modules["airflow.sdk"].DAG = Dag
    sys.modules[names[-1]].BashOperator = Task
    file = tmp_path / "airflow_dag.py"
    file.write_text(text(file.name, installed), "utf-8")
    tasks = runpy.run_path(str(file))["tasks"]
    assert {name: task.then for name, task in tasks.items()} == {"late": [], "toy": ["late"]}
    for name in ("toy", "late"):
        task = tasks[name].given
        done = call(["bash", "-c", task["bash_command"]], tmp_path, Path(task["cwd"]))
        assert done.returncode == 0 and f"{name}: published" in done.stdout, done.stderr


def test_github_runs_what_the_readme_says():
    workflow = yaml.safe_load(text("github_actions.yml"))
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (job,) = workflow["jobs"].values()
    commands = [step["run"] for step in job["steps"] if "run" in step]
    assert commands == ["make reports"] and re.search("^make reports ", readme, re.MULTILINE)
    assert workflow["permissions"] == {"contents": "read"}
    assert all(re.fullmatch(r"actions/[a-z-]+@v\d+", step["uses"]) for step in job["steps"] if "uses" in step)
    # YAML 1.1 reads the key `on` as true
    assert croniter.is_valid(workflow[True]["schedule"][0]["cron"])
    cached, kept = (step["with"]["path"].splitlines() for step in job["steps"] if "path" in step.get("with", {}))
    assert cached == kept[:1] == ["reports"], "data/processed holds customer ids"
    left_out = {f"!reports/**/failed/**/{name}" for name in ("run.log", "*.ipynb", "manifest.json")}
    assert set(kept[1:]) == left_out, "what a failed run left can quote values of the data"


def test_page_names_every_ready_file_and_none_else():
    page = (ROOT / "docs" / "scheduling.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\]\(scheduling/([^)]+)\)", page)) == {path.name for path in FILES.iterdir()}
    assert "scheduling.md" in (ROOT / "docs" / "operator.md").read_text(encoding="utf-8")
