"""Reports of a plan run in an order that ends early and keeps what waits behind what it waits for."""

import shutil
import threading
from dataclasses import replace

import pytest

from helpers.reporting import batch, journal
from helpers.reporting.plan import read_plan
from helpers.reporting.runner import Run


@pytest.fixture
def started(monkeypatch):
    """Return the names of the reports in the order in which they are run; none is run for real."""
    names = []

    def run(report, workspace, **options):
        names.append(report.name)
        return Run(report.name, "success", "published")

    monkeypatch.setattr(batch, "run_report", run)
    return names


def plan_of(workspace, **after):
    toy = read_plan(workspace)["toy"]
    return {name: replace(toy, name=name, after=waits_for) for name, waits_for in after.items()}


def test_longest_run_first_and_what_waits_behind(toy, started):
    ran = {"short": 2.0, "long": 50.0, "middle": 9.0, "last": 90.0}
    for name, seconds in ran.items():
        journal.append(toy.reports, {"report": name, "duration_seconds": seconds})
    journal.append(toy.reports, {"report": "long", "duration_seconds": None})  # it was up to date
    plan = plan_of(toy, short=(), long=(), never_run=(), middle=(), last=("short",))
    batch.run_all(plan, toy, jobs=1)
    assert started == ["never_run", "long", "middle", "short", "last"]


def test_what_waits_for_its_turn_is_not_begun_after_an_interruption(toy, monkeypatch):
    started, going = [], threading.Event()

    def run(report, workspace, cancelled, **options):
        started.append(report.name)
        going.set()
        assert cancelled.wait(60)
        return Run(report.name, "cancelled", "stopped on request")

    def interrupted(*_, **__):
        going.wait(60)
        raise KeyboardInterrupt

    monkeypatch.setattr(batch, "run_report", run)
    monkeypatch.setattr(batch, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        batch.run_all(plan_of(toy, a=(), b=(), c=()), toy, jobs=1)
    assert started == ["a"]


def test_report_waits_for_one_that_was_never_published(toy, started):
    late = plan_of(toy, late=("toy",))
    (run,) = batch.run_all(late, toy)
    assert (run.outcome, run.message) == ("cancelled", "not run: it waits for toy, never published: run it too")
    assert started == [] and journal.read(toy.reports)[-1]["report"] == "late"
    (toy.reports / "toy" / "latest").mkdir(parents=True)
    (toy.reports / "toy" / "latest" / "manifest.json").touch()
    assert batch.run_all(late, toy)[0].outcome == "success"
    shutil.rmtree(toy.reports / "toy")
    batch.run_all(plan_of(toy, late=("toy",), toy=()), toy)
    assert started == ["late", "toy", "late"]


def test_plan_order_where_nothing_is_known(toy, started):
    batch.run_all(plan_of(toy, b=(), a=(), c=()), toy, jobs=1)
    assert started == ["b", "a", "c"]
