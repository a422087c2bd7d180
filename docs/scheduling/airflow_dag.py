"""For the DAG folder of Airflow 3: a task for each report of the plan, in the order of its `after`."""

import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

WORKSPACE = Path("/srv/customer-value")

with DAG(
    "customer_value_reports",
    schedule="30 6 * * 1-5",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    max_active_tasks=2,
    # The command repeats by itself what may go better the next time (--retries), and keeps each attempt.
    default_args={"retries": 0, "execution_timeout": timedelta(hours=3)},
):
    plan = tomllib.loads((WORKSPACE / "reports.toml").read_text(encoding="utf-8"))
    reports = {name: entry for name, entry in plan.items() if isinstance(entry, dict)}
    tasks = {
        name: BashOperator(
            task_id=name,
            bash_command=f".venv/bin/reports run {name} --wait 600 --memory-limit 4",
            cwd=str(WORKSPACE),
        )
        for name in reports
    }
    for name, entry in reports.items():
        for other in entry.get("after", []):
            tasks[other] >> tasks[name]
