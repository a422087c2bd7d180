"""A job of JupyterLab's scheduler is a run like any other."""

import json
import os
import signal
import time

import nbformat
import psutil
import pytest
from jupyter_scheduler.models import CreateJob
from jupyter_scheduler.orm import Job, create_session, create_tables

from helpers.reporting.errors import WrongUsage
from helpers.reporting.journal import read
from helpers.reporting.lock import held
from helpers.reporting.scheduler import ReportExecutionManager, asked_report

from .conftest import light_notebook, takes_purchases
from .lab import ask, started
from .test_faults import quick as quick_workspace

# What JupyterLab 4.6 with jupyter-scheduler 2.12 was seen to send on "Create", one parameter typed in.
SENT = {
    "name": "01_toy",
    "input_uri": "notebooks/01_toy.ipynb",
    "runtime_environment_name": "python",
    "output_formats": ["ipynb", "html"],
    "parameters": {"seed": "7"},
}


quick = quick_workspace


def asked(toy, job="01_toy", **texts):
    return asked_report(job, toy.notebooks()["toy"], texts, toy)


def test_job_without_parameters_is_the_report_of_the_plan(toy):
    (toy.root / "reports.toml").write_text(
        '[toy]\nnotebook = "toy"\nretries = 2\n[toy_north]\nnotebook = "toy"\nparameters = { customers = 4 }\n', "utf-8"
    )
    report, place = asked(toy)
    assert (report.name, report.retries, report.parameters["customers"], place) == ("toy", 2, 3, toy)
    report, place = asked(toy, "toy_north")
    assert (report.name, report.parameters["customers"], place) == ("toy_north", 4, toy)


def test_job_with_parameters_is_published_apart_with_the_limits_of_the_plan(toy):
    plan = 'on_failure = "tell"\n[toy]\nnotebook = "toy"\ntime_limit_minutes = 7\nparameters = { rate = 0.25 }\n'
    plan += '[toy_north]\nnotebook = "toy"\nparameters = { customers = 4 }\n'
    (toy.root / "reports.toml").write_text(plan, "utf-8")
    for job, name, customers, minutes in [
        ("My job", "toy", 3, 7),
        ("toy_north", "toy_north", 4, 60),
        ("own", "own", 3, 7),
    ]:
        report, place = asked(toy, job, label="007", columns='{"a": "b"}')
        assert (report.name, report.time_limit_minutes, report.on_failure) == (name, minutes, "tell")
        given = {"customers": customers, "label": "007", "columns": {"a": "b"}}
        assert report.parameters == {"rate": 0.5, "loud": False} | given
        assert place.reports == toy.reports / "ad_hoc" and report.root == toy.root
        assert not place.processed.is_relative_to(toy.reports)


REFUSED = {
    "unknown parameter": ({"customer": "5"}, "did you mean 'customers'"),
    "another type": ({"customers": "five"}, "'customers' is a whole number, not 'five'"),
    "code for a name": ({"customers=1; import os": "5"}, "unknown parameter"),
    "outside": ({"transactions": "../purchases.csv"}, "leaves the workspace"),
    "elsewhere": ({"transactions": "/etc/passwd"}, "leaves the workspace"),
}


@pytest.mark.parametrize(("texts", "said"), REFUSED.values(), ids=REFUSED)
def test_form_is_refused_before_anything_runs(toy, texts, said):
    takes_purchases(toy, "transactions", "the purchases")
    with pytest.raises(WrongUsage, match=said):
        asked(toy, **texts)


def test_only_what_was_scheduled_runs(toy, tmp_path):
    copy = tmp_path / "01_toy.ipynb"
    copy.write_bytes(toy.notebooks()["toy"].read_bytes())
    assert asked_report("01_toy", copy, {}, toy)[0].notebook == toy.notebooks()["toy"]
    changed = nbformat.read(copy, 4)
    changed.cells[2].source += "\nprint(1)"
    nbformat.write(changed, copy)
    with pytest.raises(WrongUsage, match="is not, or no longer, what was scheduled"):
        asked_report("01_toy", copy, {}, toy)
    with pytest.raises(WrongUsage, match="no notebook that runs unattended"):
        asked_report("01_toy", copy.rename(tmp_path / "02_toy.ipynb"), {}, toy)
    copy.write_text("no notebook", "utf-8")
    with pytest.raises(WrongUsage, match="is not a notebook"):
        asked_report("01_toy", copy, {}, toy)


def test_job_takes_no_name_of_another_notebook(toy):
    nbformat.write(light_notebook(), toy.root / "notebooks" / "02_light.ipynb")
    (toy.root / "reports.toml").write_text('[toy]\nnotebook = "toy"\n[north]\nnotebook = "light"\n', "utf-8")
    for name in ("light", "north"):
        with pytest.raises(WrongUsage, match="the report of another notebook, 02_light"):
            asked(toy, name)


def process_job(toy, folder, **changes):
    """Let the manager process a job that the form sent, in this process, and return what the scheduler then knows."""
    url = f"sqlite:///{folder / 'jobs.sqlite'}"
    create_tables(url)
    sessions = create_session(url)
    with sessions() as session:
        job = Job(**CreateJob(**SENT | {"parameters": {}} | changes).dict(exclude_none=True, exclude={"input_uri"}))
        session.add(job)
        session.commit()
        staging = folder / job.job_id
        staging.mkdir()
        paths = {"input": staging / "01_toy.ipynb", "ipynb": staging / "made.ipynb", "html": staging / "made.html"}
        paths["input"].write_bytes(toy.notebooks()["toy"].read_bytes())
        manager = ReportExecutionManager(
            job.job_id, str(toy.root), url, {key: str(path) for key, path in paths.items()}
        )
    manager.process()
    with sessions() as session:
        return session.get(Job, manager.job_id), staging


@pytest.fixture
def clean(quick, monkeypatch):
    """Return a toy workspace whose runs take milliseconds, with all its changes committed."""
    monkeypatch.setattr(type(quick), "git_state", lambda self: {"commit": "x", "dirty": False})
    return quick


def test_scheduler_gets_page_notebook_and_what_they_link_to_also_of_an_unchanged_report(clean, tmp_path):
    for said in ("published", "unchanged since"):
        job, staging = process_job(clean, tmp_path)
        assert (job.status, said in job.status_message, job.end_time >= job.start_time) == ("COMPLETED", True, True)
        (folder,) = clean.reports.glob("toy/2*")
        assert (staging / "made.html").read_bytes() == (folder / "index.html").read_bytes()
        assert job.status_message.endswith(" (reports/toy/latest/index.html)")
        assert (staging / "made.ipynb").read_bytes() == (folder / "notebook.ipynb").read_bytes()
        assert {"tables/t.csv", "results.json", "manifest.json", "notebook.ipynb"} <= set(job.packaged_files)
        assert all((staging / name).is_file() for name in job.packaged_files) and job.package_input_folder
    assert [entry["skipped"] for entry in read(clean.reports)] == [False, True]


def test_failed_run_is_a_failed_job_with_its_page(quick, tmp_path, monkeypatch):
    def fail(report, stage, *_):
        (stage.report / "run.log").write_text("a line\n", encoding="utf-8")
        return "failed_timeout", "the time limit passed"

    monkeypatch.setattr("helpers.reporting.runner._run_notebook", fail)
    job, staging = process_job(quick, tmp_path)
    (page,) = quick.reports.glob("toy/failed/*/index.html")
    said = f"failed_timeout: the time limit passed ({page.relative_to(quick.root)})"
    assert (job.status, job.status_message) == ("FAILED", said)
    assert job.end_time >= job.start_time
    assert "the time limit passed" in (staging / "made.html").read_text("utf-8")
    assert (staging / "run.log").is_file() and not (staging / "made.ipynb").exists()
    assert not (quick.reports / "toy" / "latest").exists()


def test_report_that_is_being_run_refuses_the_job(quick, tmp_path):
    with held(quick.reports / ".locks" / "toy.lock"):
        job, _ = process_job(quick, tmp_path)
    assert job.status == "FAILED"
    assert job.status_message.startswith("cancelled: not run: another run of this report is under way")


def test_stopped_job_keeps_its_run_as_cancelled(quick, tmp_path, monkeypatch):
    def stop(report, stage, record, on_progress, cancelled):
        time.sleep(0.2)  # until the main thread waits for this one
        os.kill(os.getpid(), signal.SIGTERM)
        assert cancelled.wait(30)
        (stage.report / "run.log").write_text("a line\n", encoding="utf-8")
        return "cancelled", "stopped on request"

    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr("helpers.reporting.runner._run_notebook", stop)
    job, _ = process_job(quick, tmp_path)
    signal.signal(signal.SIGTERM, before)
    assert (job.status, job.status_message) == ("FAILED", "cancelled: the run was stopped")
    assert [entry["outcome"] for entry in read(quick.reports)] == ["cancelled"]


def test_lab_outside_a_workspace_says_so(toy, tmp_path, capsys):
    (toy.root / "reports.toml").unlink()
    job, _ = process_job(toy, tmp_path)
    assert job.status == "FAILED" and job.status_message.startswith("no reports.toml in")
    assert "Traceback" not in capsys.readouterr().err


def ended(address, job_id):
    """Return a job once it has come to its end; before its start the scheduler calls it STOPPED."""
    for _ in range(600):
        job = json.loads(ask(address, f"/scheduler/jobs/{job_id}")[1])
        if job["start_time"] and job["status"] != "IN_PROGRESS":
            return job
        time.sleep(0.1)
    raise AssertionError(job)


def post(address, path, **body):
    status, answer = ask(address, path, body)
    assert status == 200, answer
    return json.loads(answer)


def executing(toy):
    """Return the processes that execute a notebook of the workspace."""
    commands = [" ".join(each.info["cmdline"] or []) for each in psutil.process_iter(["cmdline"])]
    return [each for each in commands if "helpers.reporting.execution" in each and str(toy.reports) in each]


def wait_until(true):
    for _ in range(600):
        if true():
            return
        time.sleep(0.1)
    raise AssertionError("it did not come to pass within a minute")


@pytest.mark.slow
def test_create_job_of_jupyterlab_publishes_a_report(toy, tmp_path):
    nbformat.write(light_notebook(), toy.notebooks()["toy"])
    nbformat.write(light_notebook("import time; time.sleep(600)"), toy.root / "notebooks" / "02_long.ipynb")
    runtime = tmp_path / "runtime"
    runtime.mkdir()
    with started(toy.root, runtime) as address:
        for outside in (
            {"input_uri": "../01_toy.ipynb"},
            {"input_uri": "/etc/hostname", "job_definition_id": "any-one"},
        ):
            status, said = ask(address, "/scheduler/jobs", SENT | outside)
            assert status == 500 and (b"does not exist" in said or b"leaves the workspace" in said)
        good = post(address, "/scheduler/jobs", **SENT | {"parameters": {}})["job_id"]
        bad = post(address, "/scheduler/jobs", **SENT | {"parameters": {"seed": "seven"}})["job_id"]
        weekly = {
            "schedule": "0 0 * * MON",
            "timezone": "UTC",
            "input_uri": "notebooks/02_long.ipynb",
            "name": "02_long",
        }
        definition = post(address, "/scheduler/job_definitions", **SENT | weekly)["job_definition_id"]
        job = ended(address, good)
        assert (job["status"], job["status_message"]) == ("COMPLETED", "published (reports/toy/latest/index.html)")
        assert (toy.reports / "toy" / "latest" / "index.html").is_file()
        assert [(entry["report"], entry["outcome"]) for entry in read(toy.reports)] == [("toy", "success")]
        job = ended(address, bad)
        assert (job["status"], job["status_message"]) == (
            "FAILED",
            "parameter 'seed' is a whole number, not 'seven'",
        )
        long = post(address, f"/scheduler/job_definitions/{definition}/jobs", parameters={"seed": "8"})["job_id"]
        ask(address, f"/scheduler/jobs/{good}/download_files")
        wait_until(lambda: executing(toy))
        assert ask(address, f"/scheduler/jobs/{long}", {"status": "STOPPED"}, "PATCH")[0] == 204
        assert ended(address, long)["status"] == "STOPPED"
        wait_until(lambda: not executing(toy))
        files = json.loads(ask(address, f"/scheduler/jobs/{good}")[1])["job_files"]
        assert {file["file_format"]: bool(file["file_path"]) for file in files} == dict.fromkeys(
            ("ipynb", "html", "input", "files"), True
        )
        assert all((toy.root / file["file_path"]).exists() for file in files)
    assert read(toy.reports / "ad_hoc") == [], "a run that was killed is written down by the next one"
