"""One notebook run by papermill in a process of its own: `python -m helpers.reporting.execution ORDER.json`.

A process per run, because papermill changes the working folder of the whole process, and because a process
group can be stopped as one. How the run ended is written to `execution.json`; papermill's own metadata calls
the cells of a dead kernel "completed".
"""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

# Papermill loads every store of files that it finds, and jsonschema every format of texts. None of these is ever used
# here; with NumPy, a parser of dates and a parser of grammars that they bring, starting would take a third longer.
for never_used in ("pyarrow.fs", "isoduration", "rfc3987_syntax"):
    sys.modules.setdefault(never_used, None)

import papermill
import psutil
from jupyter_client.manager import AsyncKernelManager
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from papermill.engines import NBClientEngine, papermill_engines
from papermill.exceptions import PapermillExecutionError
from papermill.iorw import LocalHandler, papermill_io
from traitlets.config import Config


class ProgressEngine(NBClientEngine):
    """Papermill's own engine, which also prints how many cells are done, and saves the notebook less often."""

    @classmethod
    def execute_managed_notebook(cls, nb_man, kernel_name, **options):
        """Run the notebook, one line on standard output behind each cell."""
        save, complete = nb_man.save, nb_man.cell_complete

        def save_at_code(**more):
            # Before and behind every cell, as papermill has it, saving takes most of the time of this process. What
            # a killed run leaves is the same if it is done as code begins, and at the end.
            code = (cell.metadata.papermill for cell in nb_man.nb.cells if cell.cell_type == "code")
            if nb_man.end_time or any(state["status"] == nb_man.RUNNING for state in code):
                save(**more)

        def cell_complete(cell, cell_index=None, **more):
            complete(cell, cell_index=cell_index, **more)
            print(json.dumps({"cell": (cell_index or 0) + 1, "of": len(nb_man.nb.cells)}), flush=True)

        nb_man.save, nb_man.cell_complete = save_at_code, cell_complete
        return super().execute_managed_notebook(nb_man, kernel_name, **options)


class KernelManager(AsyncKernelManager):
    """Jupyter's own manager, whose kernel opens no port for its children either."""

    def format_kernel_cmd(self, extra_arguments=None):
        """Return the command that starts the kernel."""
        command = super().format_kernel_cmd(extra_arguments)
        return ["helpers.reporting.kernel" if word == "ipykernel_launcher" else word for word in command]


class WholeFiles(LocalHandler):
    """Papermill's own writer, except that a file is replaced whole: a killed run leaves a notebook that can be read."""

    def write(self, buf, path):
        """Write a notebook."""
        part = f"{path}.part"
        super().write(buf, part)
        os.replace(part, path)


def execute(order: dict[str, Any]) -> dict[str, Any]:
    """Run the notebook of an order, and say how it ended.

    Parameters
    ----------
    order : dict
        `notebook` and `output` (paths), `parameters` (checked values), `sockets` (what the paths of the kernel's
        sockets begin with; None to let it listen on ports of this machine).

    Returns
    -------
    dict
        `ended`: "completed", "cell_raised", "kernel_died" or "timed_out"; for a cell that raised also
        `error_name`, `error_value` and `cell`.
    """
    papermill_engines.register("progress", ProgressEngine)
    # For absolute paths, which both of an order are: of handlers named "local", papermill takes its own.
    papermill_io.register("/", WholeFiles())
    # Sockets are files that only their owner may open; a port can be tried by everyone on the machine.
    local = {"transport": "ipc", "ip": order["sockets"]} if order["sockets"] else {}
    try:
        papermill.execute_notebook(
            _escape(order["notebook"]),
            _escape(order["output"]),
            parameters=order["parameters"],
            engine_name="progress",
            kernel_name="python3",
            progress_bar=False,
            start_timeout=120,
            kernel_manager_class=KernelManager,
            config=Config(KernelManager=local),
        )
    except PapermillExecutionError as error:
        return {
            "ended": "cell_raised",
            "error_name": error.ename,
            "error_value": error.evalue,
            "cell": error.cell_index,
        }
    except DeadKernelError:
        return {"ended": "kernel_died"}
    except CellTimeoutError:
        return {"ended": "timed_out"}
    return {"ended": "completed"}


def _escape(path: str) -> str:
    # papermill formats paths with the parameters: a brace in a folder name must not be read as one.
    return path.replace("{", "{{").replace("}", "}}")


def _end_with_the_runner() -> None:
    """Wait for the end of standard input, which the runner holds open; its death leaves no process behind."""
    while os.read(0, 1):  # not sys.stdin, which would have to be let go of before the interpreter can end
        continue
    for process in psutil.Process().children(recursive=True):
        process.kill()
    os._exit(1)


if __name__ == "__main__":
    order_file = Path(sys.argv[1])
    threading.Thread(target=_end_with_the_runner, daemon=True).start()
    ended = execute(json.loads(order_file.read_text(encoding="utf-8")))
    order_file.with_name("execution.json").write_text(json.dumps(ended), encoding="utf-8")
