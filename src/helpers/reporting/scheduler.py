"""Jobs of jupyter-scheduler, JupyterLab's scheduler, run as any other report of the workspace.

By itself it runs a copy of the notebook without a time limit, and takes what its form holds for code. With
`jupyter lab --Scheduler.execution_manager_class=helpers.reporting.scheduler.ReportExecutionManager` (`make lab`) a job
gets what `reports run` gives: checked parameters, limits, lock, journal, and a report published in one step.
"""

from __future__ import annotations

import shutil
import signal
import sys
import traceback
from dataclasses import replace
from pathlib import Path
from typing import Any

from jupyter_scheduler.exceptions import SchedulerError
from jupyter_scheduler.executors import ExecutionManager
from jupyter_scheduler.models import JobFeature, Status
from jupyter_scheduler.orm import Job
from jupyter_scheduler.utils import get_utc_timestamp

from helpers.data.refusal import without_values

from .batch import run_all
from .errors import WrongUsage
from .manifest import made_with
from .parameters import known, read_parameters
from .plan import PlannedReport, is_report_name, planned, read_plan
from .runs import find_run
from .workspace import AD_HOC, Workspace

OFFERED = {"job_name", "parameters", "output_formats", "job_definition", "stop_job", "delete_job"}
FILES = {"ipynb": "notebook.ipynb", "html": "index.html"}  # of a run's folder, by the scheduler's output formats


class JobFailed(Exception):
    """The report of a job was not published; the message begins with the outcome of its run."""


class ReportExecutionManager(ExecutionManager):
    """Runs each job by the runner of reports, in the workspace that JupyterLab's root folder lies in.

    jupyter-scheduler makes one for each job and calls it in a process of its own.
    """

    def execute(self) -> None:
        """Run the report that the job asks for, and give the scheduler the files of its run.

        Raises
        ------
        WrongUsage
            When nothing is run: the notebook, a parameter or a path is refused.
        JobFailed
            When the run is no success.
        """
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            self._publish()
        except KeyboardInterrupt:
            raise JobFailed("cancelled: the run was stopped") from None

    def _publish(self) -> None:
        workspace = Workspace.find(Path(self.root_dir))
        texts = self.model.parameters or {}
        report, place = asked_report(self.model.name, Path(self.staging_paths["input"]), texts, workspace)
        (run,) = run_all({report.name: report}, place)
        for remark in run.remarks:
            print(f"{report.name}: {remark}", file=sys.stderr)
        said = without_values(run.message)
        if run.page:
            self._hand_over(find_run(place, str(run.page.parent))[0] if run.outcome == "success" else run.page.parent)
            said = f"{said} ({run.page.relative_to(workspace.root).as_posix()})"
        if run.outcome != "success":
            raise JobFailed(f"{run.outcome}: {said}")
        self._note(status_message=said)

    def on_failure(self, error: Exception) -> None:
        """Show in the list of jobs what went wrong."""
        self._note(status=Status.FAILED, status_message=str(error), end_time=get_utc_timestamp())
        if not isinstance(error, JobFailed | WrongUsage):
            traceback.print_exception(error)

    # The scheduler calls these two on the class, which it gives as first argument itself.
    def supported_features(cls) -> dict[JobFeature, bool]:
        """Return what a job can ask for. Limits and retries are those of the plan."""
        return {feature: feature.value in OFFERED for feature in JobFeature}

    def validate(cls, input_path: str) -> bool:
        """Refuse what lies in no workspace, before a job is made of it.

        Raises
        ------
        SchedulerError
            Shown by the form as it stands.
        """
        try:
            Workspace.find(Path(input_path).resolve().parent)
        except WrongUsage:
            raise SchedulerError(f"{input_path} leaves the workspace: only its notebooks can be scheduled") from None
        return True

    def _hand_over(self, folder: Path) -> None:
        """Put the files of a run where the scheduler looks for them: page and notebook, and what the page links to."""
        staging = Path(self.staging_paths["input"]).parent
        shutil.copytree(folder, staging, dirs_exist_ok=True)
        for output_format, name in FILES.items():
            if output_format in self.staging_paths and (folder / name).is_file():
                shutil.copyfile(folder / name, self.staging_paths[output_format])
        packaged = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
        self._note(package_input_folder=True, packaged_files=packaged)

    def _note(self, **values: Any) -> None:
        with self.db_session() as session:
            session.query(Job).filter(Job.job_id == self.job_id).update(values)
            session.commit()


def asked_report(job: str, copy: Path, texts: dict[str, str], workspace: Workspace) -> tuple[PlannedReport, Workspace]:
    """Return the report that a job asks for, and where it is published.

    Its name is that of the job where that is a report name, otherwise that of the notebook. A job that sets no
    parameter and has the name of a report of the plan is that report. Any other is published apart, as
    `reports run NOTEBOOK --set` does it; it has the limits of the plan's report of that name, or of the notebook's.

    Parameters
    ----------
    job : str
        Name of the job.
    copy : pathlib.Path
        The scheduler's copy of the notebook, which has the notebook's file name.
    texts : dict of str to str
        Parameters as typed into the form.
    workspace : Workspace
        Where the notebook is looked for; no path may leave it.

    Raises
    ------
    WrongUsage
        When the notebook is none of the workspace's or no longer what was scheduled, the name is that of a report of
        another notebook, a parameter is unknown or of another type, or a path leaves the workspace.
    """
    declared = read_parameters(copy)
    topic, notebook = _scheduled_notebook(copy, workspace)
    plan, notebooks = read_plan(workspace), workspace.notebooks()
    name = job if is_report_name(job) else topic
    owner = plan[name].notebook if name in plan else notebooks.get(name, notebook)
    if owner != notebook:
        raise WrongUsage(f"'{name}' is the report of another notebook, {owner.name}: give the job another name")
    if name in plan and not texts:
        return plan[name], workspace
    base = plan[name].parameters if name in plan and name != topic else {}
    values = base | {key: known(key, declared, "parameter").parse(text) for key, text in texts.items()}
    report = planned(name, notebook, values, folder=workspace.root, root=workspace.root)
    if like := plan.get(name) or plan.get(topic):
        report = replace(report, **like.limits())
    return report, workspace.publishing_to(workspace.reports / AD_HOC)


def _scheduled_notebook(copy: Path, workspace: Workspace) -> tuple[str, Path]:
    """Return the topic and the path of the notebook that a copy was taken of, if its cells are still the same."""
    topic = copy.stem[3:]
    notebook = workspace.notebooks().get(topic)
    if notebook is None or notebook.name != copy.name:
        raise WrongUsage(f"{copy.name} is no notebook that runs unattended: these lie in notebooks/, as 07_topic.ipynb")
    if made_with(copy, workspace)["notebook_sha256"] != made_with(notebook, workspace)["notebook_sha256"]:
        raise WrongUsage(f"notebooks/{copy.name} is not, or no longer, what was scheduled: make the job anew")
    return topic, notebook
