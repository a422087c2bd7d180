"""Whatever is killed, full, read-only or gone: the last good report stays whole, and the next run works.

Most tests stand in for the notebook and for the page, and so go through every step of a run in a second; those that
are about processes run a notebook.
"""

import errno
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import nbformat
import psutil
import pytest

from helpers.reporting import journal, runner
from helpers.reporting.lock import Busy, held
from helpers.reporting.manifest import read_json
from helpers.reporting.plan import read_plan
from helpers.reporting.publication import recover
from helpers.reporting.runner import run_report
from helpers.reporting.staging import Stage, abandoned
from helpers.reporting.watchdog import end_processes

from .conftest import light_notebook, takes_purchases


def leave_files(report, stage, record, on_progress, cancelled):
    """Leave what a notebook leaves, without a kernel."""
    (stage.report / "run.log").write_text("a line\n", encoding="utf-8")
    notebook = {"cells": [{"cell_type": "code", "execution_count": 1, "source": "", "outputs": []}]}
    contents = {"label": "", "tables": ["t"], "figures": [], "inputs": [], "warnings": [], "processed": ["a", "b"]}
    number = {"value": 1, "low": None, "high": None, "unit": "", "text": "one"}
    for name, content in {"notebook.ipynb": notebook, "contents.json": contents, "results.json": {"n": number}}.items():
        (stage.report / name).write_text(json.dumps(content), encoding="utf-8")
    (stage.report / "tables").mkdir()
    (stage.report / "tables" / "t.csv").write_text("x\n1\n", encoding="utf-8")
    for name in contents["processed"]:
        (stage.processed / f"{name}.parquet").write_text(stage.run_id, encoding="utf-8")
    return runner.judge(stage, {"ended": "completed"})


@pytest.fixture
def quick(toy, monkeypatch):
    """Return a toy workspace whose runs take milliseconds."""
    monkeypatch.setattr("helpers.reporting.runner._run_notebook", leave_files)
    monkeypatch.setattr("helpers.reporting.rendering.render_report", lambda stage, record, *_: record["run_id"])
    monkeypatch.setattr("helpers.reporting.manifest.packages", lambda: {"python": "3"})
    monkeypatch.setattr(type(toy), "git_state", lambda self: {"commit": None, "dirty": True})
    monkeypatch.setattr(runner, "RETRY_PAUSE_SECONDS", 0)
    return toy


def run_toy(workspace, **options):
    changes = {name: options.pop(name) for name in ("retries", "on_failure", "memory_limit_gib") if name in options}
    return run_report(replace(read_plan(workspace)["toy"], **changes), workspace, **options)


def shown(workspace):
    """Return the run that readers see, after making sure that they can read all of it."""
    latest = workspace.reports / "toy" / "latest"
    run_id = (latest / "index.html").read_text(encoding="utf-8")
    run = workspace.reports / "toy" / run_id
    assert read_json(run / "manifest.json")["outcome"] == "success"
    assert read_json(latest / "results.json") and read_json(run / "results.json")
    assert (
        (run / "index.html").is_file() and (run / "tables" / "t.csv").is_file() and (run / "notebook.ipynb").is_file()
    )
    assert read_json(latest / "manifest.json")
    for name in "ab":
        assert (workspace.processed / "toy" / f"{name}.parquet").read_text(encoding="utf-8")
    return run_id


def assert_all_is_well(workspace, run):
    """Hold a workspace to what must be true after a run that nothing disturbed."""
    assert run.outcome == "success", run
    run_id = shown(workspace)
    assert run_id == run.record["run_id"] == read_json(workspace.reports / "toy" / "latest" / "manifest.json")["run_id"]
    for name in "ab":
        assert (workspace.processed / "toy" / f"{name}.parquet").read_text(encoding="utf-8") == run_id
    assert not [*workspace.staging.iterdir()] and not (workspace.processed / ".staging").exists()
    assert not [*workspace.root.rglob("*.part")]
    assert run_id in (workspace.reports / "toy" / run_id / "index.html").read_text(encoding="utf-8")
    kept = {path.parent.name for path in workspace.reports.glob("toy/**/manifest.json")} - {"latest"}
    told = [entry["run_id"] for entry in journal.read(workspace.reports) if entry["run_id"]]
    assert kept <= set(told) and len(told) == len(set(told))
    assert "toy/latest/index.html" in (workspace.reports / "index.html").read_text(encoding="utf-8")


def in_a_child(work):
    """Do something in a child process, which may die of it; return how it ended."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException as error:
            os.write(2, f"{error!r}\n".encode())
            os._exit(99)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


WRITING = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.truncate", "shutil.rmtree"}


def at_step(workspace, number, act, events=WRITING):
    """Let `act` happen at the step of that number, and at all later ones, at which something would be written."""
    steps = 0

    def hook(event, arguments):
        nonlocal steps
        if event not in events or not str(arguments[0]).startswith(str(workspace.root)):
            return
        if event == "open" and not arguments[2] & (os.O_WRONLY | os.O_RDWR):
            return
        steps += 1
        if steps >= number:
            act()

    sys.addaudithook(hook)


def every_step(workspace, act, events=WRITING, stride=1):
    """Run the toy with a fault at each step, or at each second one; yield how the process ended and what it said."""
    for number in range(1, 500, stride):
        said = workspace.root / "said"
        said.unlink(missing_ok=True)

        def work(number=number, said=said):
            descriptor = os.open(said, os.O_WRONLY | os.O_CREAT)  # before the disk is full
            at_step(workspace, number, act, events)
            run = run_toy(workspace)
            os.write(descriptor, run.outcome.encode())

        ended = in_a_child(work)
        yield number, ended, said.read_text(encoding="utf-8")


def kill_this_process():
    os.kill(os.getpid(), signal.SIGKILL)


def test_runner_killed_at_every_step(quick):
    assert_all_is_well(quick, run_toy(quick))
    killed = 0
    for _, ended, _ in every_step(quick, kill_this_process):
        if ended == 0:
            break
        assert ended == -signal.SIGKILL
        killed += 1
        shown(quick)
        assert_all_is_well(quick, run_toy(quick))
    assert killed > 30


def fail(number):
    def act():
        raise OSError(number, os.strerror(number))

    return act


FAULTS = {
    "the disk is full": (errno.ENOSPC, {"open", "os.mkdir"}),
    "the folder is read-only": (errno.EROFS, WRITING - {"shutil.rmtree"}),
}


@pytest.mark.parametrize(("number", "events"), FAULTS.values(), ids=FAULTS.keys())
def test_writing_fails_from_some_step_on(quick, number, events):
    assert_all_is_well(quick, run_toy(quick))
    failed = 0
    for _, ended, outcome in every_step(quick, fail(number), events, stride=2):
        assert ended == 0, "a full disk is an outcome, not a traceback"
        newest = shown(quick)
        assert_all_is_well(quick, run_toy(quick))
        if outcome == "success":
            assert read_json(quick.reports / "toy" / newest / "manifest.json")["outcome"] == "success"
            if failed > 8:
                break
            continue
        assert outcome == "failed_publish"
        failed += 1
    assert failed > 8


def test_file_size_limit(quick):
    assert_all_is_well(quick, run_toy(quick))
    for size in (0, 1, 10, 100, 1_000, 10_000):

        def work(size=size):
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
            run_toy(quick)

        assert in_a_child(work) == 0
        shown(quick)
        assert_all_is_well(quick, run_toy(quick))


LIMITS = "parent.rlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))"


def test_notebook_that_cannot_be_saved_whole_is_no_traceback(toy):
    """What executes may write no file as long as the notebook becomes; the one before it stays, and can be read."""
    fills = "for number in range(3000): print('a line of so many letters, one of very many', number)"
    limit = f"import psutil, resource\nparent = psutil.Process().parent()\n{LIMITS}"
    nbformat.write(light_notebook(limit, fills, "print('the end')"), toy.notebooks()["toy"])
    run = run_toy(toy)
    assert (run.outcome, "File too large" in run.message) == ("failed_kernel", True), run.message
    assert nbformat.read(run.page.parent / "notebook.ipynb", as_version=4).cells


def test_published_run_stays_when_what_derives_from_it_cannot_be_written(quick, monkeypatch):
    before = run_toy(quick).record["run_id"]

    def broken(*_):
        raise ValueError("no such trend")

    with monkeypatch.context() as patch:
        patch.setattr("helpers.reporting.index.write_history", broken)
        run = run_toy(quick)
    assert (run.outcome, run.remarks) == ("success", ("the index could not be written: ValueError('no such trend')",))
    assert shown(quick) == run.record["run_id"] != before
    assert journal.read(quick.reports)[-1]["run_id"] == run.record["run_id"]
    assert not (quick.reports / "toy" / "failed").exists()
    assert_all_is_well(quick, run_toy(quick))


def test_killed_run_is_kept_and_told_of(quick):
    def dies(report, stage, *_):
        (stage.report / "run.log").write_text("its last words\n", encoding="utf-8")
        kill_this_process()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("helpers.reporting.runner._run_notebook", dies)
        assert in_a_child(lambda: run_toy(quick)) == -signal.SIGKILL
    [stage] = (quick.staging / "toy").iterdir()
    heard = quick.root / "heard.json"
    assert_all_is_well(quick, run_toy(quick, on_failure=f"tee {heard}"))
    told = json.loads(heard.read_text(encoding="utf-8"))
    assert (told["run_id"], told["outcome"]) == (stage.name, "cancelled"), "it could not tell of itself"
    folder = quick.reports / "toy" / "failed" / stage.name
    assert "last words" in (folder / "run.log").read_text(encoding="utf-8")
    assert "killed" in (folder / "index.html").read_text(encoding="utf-8")
    assert [(entry["run_id"] == stage.name, entry["outcome"]) for entry in journal.read(quick.reports)] == [
        (True, "cancelled"),
        (False, "success"),
    ]


def test_of_a_killed_run_with_secrets_only_the_manifest_is_kept(quick, monkeypatch):
    monkeypatch.setattr("helpers.reporting.runner._secrets_in_reach", lambda *_: ["PATH"])

    def dies(*given):
        leave_files(*given)
        kill_this_process()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("helpers.reporting.runner._run_notebook", dies)
        assert in_a_child(lambda: run_toy(quick)) == -signal.SIGKILL
    [stage] = (quick.staging / "toy").iterdir()
    assert_all_is_well(quick, run_toy(quick))
    kept = {path.name for path in (quick.reports / "toy" / "failed" / stage.name).iterdir()}
    assert kept == {"manifest.json", "index.html"}


def test_ready_run_that_is_older_than_the_newest_is_no_success(published_toy):
    newest = read_json(published_toy.reports / "toy" / "latest" / "manifest.json")
    older = Stage(published_toy, "toy", "20200101T000000Z-aaaaaa")
    older.create()
    (older.report / "manifest.json").write_text(json.dumps(newest | {"run_id": older.run_id}), encoding="utf-8")
    assert recover(older)["outcome"] == "cancelled"
    kept = read_json(published_toy.reports / "toy" / "failed" / older.run_id / "manifest.json")
    assert (kept["outcome"], "newer run was published" in kept["message"]) == ("cancelled", True)
    assert read_json(published_toy.reports / "toy" / "latest" / "manifest.json") == newest


def test_only_what_may_go_better_is_repeated_and_each_attempt_is_kept(quick, monkeypatch):
    outcomes = iter(["failed_timeout", "failed_kernel"])

    def second_time_lucky(report, stage, *more):
        outcome = next(outcomes, None)
        return (outcome, "no luck") if outcome else leave_files(report, stage, *more)

    monkeypatch.setattr("helpers.reporting.runner._run_notebook", second_time_lucky)
    assert_all_is_well(quick, run_toy(quick, retries=2))
    entries = journal.read(quick.reports)
    assert [entry["attempt"] for entry in entries] == [1, 2, 3]
    assert [entry["outcome"] for entry in entries] == ["failed_timeout", "failed_kernel", "success"]
    assert {path.name for path in (quick.reports / "toy" / "failed").iterdir()} == {e["run_id"] for e in entries[:2]}
    outcomes = iter(["failed_timeout"] * 9)
    assert run_toy(quick, retries=1).outcome == "failed_timeout"
    assert len(journal.read(quick.reports)) == 5
    for final in ("failed_notebook", "failed_contract", "failed_output", "cancelled"):
        outcomes = iter([final] * 9)
        assert run_toy(quick, retries=3).outcome == final
    assert len(journal.read(quick.reports)) == 9


def test_what_cannot_be_staged_or_started_is_repeated(quick, monkeypatch):
    create, left = Stage.create, iter([OSError(errno.ENOSPC, "No space left on device")] * 2)

    def full_at_first(stage):
        if error := next(left, None):
            raise error
        create(stage)

    monkeypatch.setattr(Stage, "create", full_at_first)
    assert_all_is_well(quick, run_toy(quick, retries=2))
    entries = journal.read(quick.reports)
    assert [entry["outcome"] for entry in entries] == ["failed_publish", "failed_publish", "success"]
    assert entries[0]["message"] == "the run could not be carried out: [Errno 28] No space left on device"
    monkeypatch.setattr(runner, "_run_notebook", lambda *_: (_ for _ in ()).throw(BlockingIOError(11, "no process")))
    run = run_toy(quick)
    assert (run.outcome, "no process" in run.message, run.page.is_file()) == ("failed_publish", True, True)


def test_pause_before_a_repetition_ends_with_the_wish_to_stop(quick, monkeypatch):
    stop = threading.Event()

    def fails(*_):
        stop.set()
        return "failed_timeout", "no luck"

    monkeypatch.setattr(runner, "RETRY_PAUSE_SECONDS", 600)
    monkeypatch.setattr(runner, "_run_notebook", fails)
    assert run_toy(quick, retries=3, cancelled=stop).outcome == "failed_timeout"
    assert len(journal.read(quick.reports)) == 1


ODD = {
    "no table": ({"results.json": {"n": 1}}, "'n' needs value"),
    "a list": ({"results.json": [1]}, "AttributeError"),
    "nothing in it": ({"contents.json": {"label": ""}}, "KeyError"),
    "other cells": ({"notebook.ipynb": {"cells": [1]}}, "TypeError"),
}


@pytest.mark.parametrize(("files", "said"), ODD.values(), ids=ODD)
def test_odd_files_of_a_run_are_a_failure_of_that_run(quick, monkeypatch, files, said):
    def odd(report, stage, *more):
        leave_files(report, stage, *more)
        for name, content in files.items():
            (stage.report / name).write_text(json.dumps(content), encoding="utf-8")
        return runner.judge(stage, {"ended": "completed"})

    monkeypatch.setattr(runner, "_run_notebook", odd)
    run = run_toy(quick)
    assert (run.outcome, said in run.message) == ("failed_output", True), run.message
    assert (run.page.parent / "run.log").is_file()


def test_nothing_unexpected_ends_the_plan(quick, monkeypatch):
    monkeypatch.setattr(runner, "recover", lambda stage: {}["started"])
    (quick.staging / "toy" / "20240101T000000Z-abcdef").mkdir(parents=True)
    run = run_toy(quick)
    assert (run.outcome, run.message) == ("failed_output", "not run, because of an unexpected KeyError")


def test_input_whose_name_is_no_text_is_written_down(quick):
    takes_purchases(quick, "transactions", "the purchases")
    name = os.fsencode(quick.raw) + b"/caf\xe9.csv"
    with open(name, "w", encoding="utf-8") as file:
        file.write("customer_id,date,amount\n1,2024-01-01,5\n")
    report = replace(read_plan(quick)["toy"], parameters={"transactions": "data/raw/*.csv"})
    run = run_report(report, quick)
    assert_all_is_well(quick, run)
    assert os.fsencode(read_json(run.page.parent / "manifest.json")["inputs"][0]["path"]) == b"data/raw/caf\xe9.csv"


def test_second_run_is_refused_or_waits(quick):
    lock = quick.reports / ".locks" / "toy.lock"
    with held(lock):
        refused = run_toy(quick)
        assert refused.outcome == "cancelled"
        assert f"another run of this report is under way (process {os.getpid()}, since 2" in refused.message
        given_up = threading.Event()
        given_up.set()
        assert run_toy(quick, wait_seconds=60, cancelled=given_up).outcome == "cancelled"
        waiting = ThreadPoolExecutor(1).submit(run_toy, quick, wait_seconds=60)
        time.sleep(0.3)
        assert not waiting.done()
    assert_all_is_well(quick, waiting.result(timeout=60))
    assert [entry["outcome"] for entry in journal.read(quick.reports)] == ["cancelled", "cancelled", "success"]


def test_lock_dies_with_its_owner(tmp_path):
    def hold():
        with held(tmp_path / "lock"):
            (tmp_path / "held").touch()
            time.sleep(600)

    child = os.fork()
    if child == 0:
        hold()
    while not (tmp_path / "held").exists():
        time.sleep(0.01)
    with pytest.raises(Busy, match=f"process {child}"), held(tmp_path / "lock"):
        pass
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with held(tmp_path / "lock"):
        pass


def test_unchanged_run_is_skipped_and_said(quick, monkeypatch):
    monkeypatch.setattr(type(quick), "git_state", lambda self: {"commit": "c0ffee", "dirty": False})
    first = run_toy(quick)
    again = run_toy(quick)
    assert again.up_to_date and again.message == f"unchanged since {first.record['run_id']}, not run again"
    skipped = journal.read(quick.reports)[-1]
    assert (skipped["skipped"], skipped["outcome"], skipped["run_id"]) == (True, "success", None)
    assert skipped["run_key"] == first.record["run_key"]
    assert not run_toy(quick, force=True).up_to_date


def test_journal_survives_writers_at_once_and_a_torn_line(tmp_path):
    def write(writer):
        for number in range(50):
            journal.append(tmp_path, {"writer": writer, "number": number, "text": "中\u2028" * 2_000})

    children = []
    for writer in range(4):
        child = os.fork()
        if child == 0:
            write(writer)
            os._exit(0)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 4
    assert len(journal.read(tmp_path)) == 200
    with (tmp_path / "journal.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"torn": ')
    journal.append(tmp_path, {"whole": True})
    entries = journal.read(tmp_path)
    assert len(entries) == 201 and entries[-1] == {"whole": True}


def test_command_is_told_of_a_failure_and_its_own_changes_nothing(quick, monkeypatch):
    heard = quick.root / "heard.json"
    script = quick.root / "hook.py"
    script.write_text(f"import sys; open({str(heard)!r}, 'w').write(sys.stdin.read())", encoding="utf-8")
    hook = f"{sys.executable} {script}"
    assert run_toy(quick, on_failure=hook).outcome == "success" and not heard.exists()
    secret = "a.csv cannot be used:\n  - date: 1 is no date (row 2; first value: 'Ann Smith')"
    monkeypatch.setattr("helpers.reporting.runner._run_notebook", lambda *_: ("failed_contract", secret))
    run = run_toy(quick, on_failure=hook)
    told = json.loads(heard.read_text(encoding="utf-8"))
    assert told.pop("reports") == str(quick.reports)
    assert told == journal.read(quick.reports)[-1]
    assert (told["report"], told["outcome"], told["run_id"]) == ("toy", "failed_contract", run.record["run_id"])
    assert (quick.reports / told["page"]).is_file()
    assert "Ann Smith" not in heard.read_text(encoding="utf-8") + (quick.reports / "journal.jsonl").read_text()
    for wrong, said in {
        f"{sys.executable} -c 'import sys; sys.exit(3)'": "ended with 3",
        "no_such_program": "could not be run",
        "'": "could not be run",
    }.items():
        run = run_toy(quick, on_failure=wrong)
        assert run.outcome == "failed_contract" and said in run.remarks[0]


def wait_for(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


SLEEPS = "import os, pathlib, time\npathlib.Path('kernel').write_text(str(os.getpid()))\ntime.sleep(600)"
KILLS_ITS_PARENT = "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)\n" + SLEEPS


def write_notebook(toy, *cells):
    nbformat.write(light_notebook(*cells), toy.notebooks()["toy"])


def test_kernel_does_not_outlive_a_killed_runner(toy):
    write_notebook(toy, SLEEPS)
    command = [sys.executable, "-c", "from helpers.reporting.commands import main; main()", "run"]
    process = subprocess.Popen(command, cwd=toy.root, start_new_session=True, stdout=subprocess.DEVNULL)
    kernel = psutil.Process(int(wait_for(lambda: (toy.root / "kernel").exists() and (toy.root / "kernel").read_text())))
    [stage] = abandoned(toy, "toy")
    assert stage.sockets.stat().st_mode & 0o777 == 0o700
    # five of the kernel, one for what its children print
    assert len([path for path in stage.sockets.iterdir() if path.is_socket()]) == 6, "the kernel listens on no port"
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    wait_for(lambda: not kernel.is_running() or kernel.status() == psutil.STATUS_ZOMBIE)
    write_notebook(toy)
    assert run_toy(toy).outcome == "success"
    [killed] = (toy.reports / "toy" / "failed").iterdir()
    notebook = json.loads((killed / "notebook.ipynb").read_text(encoding="utf-8"))
    assert "time.sleep" in "".join(notebook["cells"][-1]["source"])
    assert read_json(killed / "manifest.json")["outcome"] == "cancelled"
    assert not [*toy.staging.iterdir()] and not stage.sockets.exists()


def test_kernel_does_not_outlive_its_killed_parent(toy):
    write_notebook(toy, KILLS_ITS_PARENT)
    run = run_toy(toy)
    assert run.outcome == "failed_kernel"
    assert not psutil.pid_exists(int((toy.root / "kernel").read_text()))


def test_run_that_holds_too_much_memory_is_stopped(toy):
    temporary = "import pathlib, tempfile\npathlib.Path('temporary').write_text(tempfile.mkdtemp())"
    write_notebook(toy, temporary, "held = bytearray(b'1') * 2**30\nimport time; time.sleep(600)")
    run = run_toy(toy, memory_limit_gib=0.75)
    assert run.outcome == "failed_kernel" and "memory_limit_gib" in run.message
    assert run.record["peak_memory_gib"] > 0.75
    assert not Path((toy.root / "temporary").read_text()).exists()


def test_processes_of_a_run_are_found_by_their_environment(tmp_path):
    environment = os.environ | {"HELPERS_RUN_FOLDER": str(tmp_path)}
    script = "import os, time\nos.setsid() if os.fork() == 0 else os._exit(0)\ntime.sleep(600)"
    subprocess.run([sys.executable, "-c", script], env=environment, check=True)
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    mine = [p for p in psutil.process_iter() if p.pid != os.getpid() and "os.setsid() if" in " ".join(_words(p))]
    assert mine
    end_processes(tmp_path)
    assert not [p for p in mine if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]
    assert other.poll() is None
    other.communicate(b"\n")


def _words(process):
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def test_input_deleted_in_the_middle(toy):
    write_notebook(toy)
    assert run_toy(toy).outcome == "success"
    before = (toy.reports / "toy" / "latest" / "index.html").read_bytes()
    given = Path(toy.raw / "mine.csv")
    given.write_text("x\n1\n", encoding="utf-8")
    write_notebook(toy, f"import pathlib\npathlib.Path({str(given)!r}).unlink()\nopen({str(given)!r})")
    run = run_toy(toy)
    assert (run.outcome, "FileNotFoundError" in run.message) == ("failed_notebook", True)
    assert (toy.reports / "toy" / "latest" / "index.html").read_bytes() == before
