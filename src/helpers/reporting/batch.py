"""Runs several reports, side by side where none waits for another."""

from __future__ import annotations

import graphlib
import math
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from . import journal
from .plan import PlannedReport
from .runner import Run, not_run, run_report
from .runs import published
from .workspace import Workspace


def run_all(
    reports: dict[str, PlannedReport],
    workspace: Workspace,
    *,
    force: bool = False,
    wait_seconds: float = 0.0,
    jobs: int = 2,
    on_progress: Callable[[str, float], None] = lambda name, share: None,
    on_end: Callable[[Run], None] = lambda run: None,
) -> list[Run]:
    """Run reports as their `after` allows, `jobs` at a time, those that took longest the last time first.

    A report that waits for one that failed, or that was never published, is not run; its outcome is `cancelled`.
    Interrupted, the runs under way are stopped and kept as `cancelled`.

    Parameters
    ----------
    reports : dict of str to PlannedReport
        What to run. Names in `after` that are not among them must have been published before.
    workspace : Workspace
        Where to publish.
    force : bool
        Run even what is up to date.
    wait_seconds : float
        How long each waits for another run of the same report to end.
    jobs : int
        How many run at once.
    on_progress, on_end : callable
        Told of progress (report, share of cells done) and of each end.

    Returns
    -------
    list of Run
        In the order in which they ended.
    """
    order = graphlib.TopologicalSorter({r.name: set(r.after) & set(reports) for r in reports.values()})
    order.prepare()
    cancelled = threading.Event()
    ended: dict[str, Run] = {}
    running: dict[Future[Run], str] = {}

    def finish(run: Run) -> None:
        ended[run.report] = run
        order.done(run.report)
        on_end(run)

    with ThreadPoolExecutor(max_workers=jobs) as pool:
        try:
            while order.is_active():
                for name in _longest_first(order.get_ready(), workspace):
                    report = reports[name]
                    failed = [
                        other for other in reports[name].after if other in ended and ended[other].outcome != "success"
                    ]
                    absent = [
                        other for other in report.after if other not in reports and not published(workspace, other)
                    ]
                    if absent:
                        finish(
                            not_run(report, workspace, f"it waits for {', '.join(absent)}, never published: run it too")
                        )
                        continue
                    if failed:
                        finish(not_run(report, workspace, f"it waits for {', '.join(failed)}, which failed"))
                        continue
                    task = pool.submit(
                        run_report,
                        report,
                        workspace,
                        force=force,
                        wait_seconds=wait_seconds,
                        on_progress=lambda share, name=name: on_progress(name, share),
                        cancelled=cancelled,
                    )
                    running[task] = name
                if running:
                    for task in wait(running, return_when=FIRST_COMPLETED).done:
                        del running[task]
                        finish(task.result())
        except BaseException:
            cancelled.set()
            pool.shutdown(wait=False, cancel_futures=True)  # what waits for its turn is not begun
            raise
    return list(ended.values())


def _longest_first(names: Iterable[str], workspace: Workspace) -> list[str]:
    """Return reports by how long their last run took, so that none runs on alone; those never run come first."""
    ran = [entry for entry in journal.read(workspace.reports) if entry.get("duration_seconds")]
    seconds = {entry.get("report"): entry["duration_seconds"] for entry in ran}
    return sorted(names, key=lambda name: seconds.get(name, math.inf), reverse=True)
