"""What comes from outside stays data: input files, parameters, paths; secrets stay where they are."""

import pickle
import re
from pathlib import Path

import nbformat
import pytest

from helpers.data.refusal import InputRefused
from helpers.data.tables import LOADERS, check_input
from helpers.reporting.errors import WrongUsage
from helpers.reporting.parameters import parse_cell
from helpers.reporting.plan import planned, read_plan, refuse_outside
from helpers.reporting.runner import run_report
from helpers.reporting.secret import SHORTEST, read_secret, redact

from .conftest import light_notebook, takes_purchases

PACKAGE = Path(__file__).parent.parent / "src" / "helpers"
RUNS_CODE = re.compile(
    r"\b(pickle|dill|cloudpickle|joblib|shelve|marshal|read_pickle|allow_pickle)\b|[^.\w](eval|exec)\("
)


def test_nothing_that_would_run_an_input_is_called():
    files = [*PACKAGE.rglob("*.py")]
    assert len(files) > 100
    assert [path for path in files if RUNS_CODE.search(path.read_text(encoding="utf-8"))] == []


class Bomb:
    """Creates a file when it is unpickled."""

    def __init__(self, mark: Path):
        self.mark = mark

    def __reduce__(self):
        return Path.touch, (self.mark,)


@pytest.mark.parametrize("table", LOADERS)
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_pickled_input_is_refused_and_never_run(tmp_path, table, ending):
    file, mark = tmp_path / f"mine.{ending}", tmp_path / "it_ran"
    file.write_bytes(pickle.dumps(Bomb(mark)))
    with pytest.raises(InputRefused):
        check_input(table, str(file), {"model": "ecsi"})
    assert not mark.exists()
    pickle.loads(file.read_bytes())
    assert mark.exists(), "the file would have run"


SECRET = 'pa"ss\\wörd 中\n<k&y> 50%'
TELLS = """import sys, warnings
from helpers.reporting.secret import read_secret
value = read_secret(password)
print(value, repr(value), {"in": value}); print(value, file=sys.stderr); warnings.warn(value)
(left / "tables").mkdir(); (left / "tables" / "t.csv").write_text(value, encoding="utf-8")
import html, urllib.parse
print(html.escape(value), html.escape(value, quote=False), urllib.parse.quote(value), urllib.parse.quote_plus(value))
(left / "blob").write_bytes(bytes([255]) + value.encode())
(left.parent / "elsewhere").write_text(value)"""


def test_planted_secret_lands_nowhere(toy, monkeypatch):
    monkeypatch.setenv("PLANTED", SECRET)
    parameters = 'password: str = ""  # secret: of the data base'
    nbformat.write(light_notebook(TELLS, "raise ValueError(value)", parameters=parameters), toy.notebooks()["toy"])
    report = planned("toy", toy.notebooks()["toy"], {"password": "env:PLANTED"}, root=toy.root, folder=toy.root)
    run = run_report(report, toy)
    assert (run.outcome, run.message) == ("failed_notebook", "cell 4 raised ValueError (the notebook has its words)")
    written = [path for place in (toy.reports, toy.processed) for path in place.rglob("*") if path.is_file()]
    assert {"notebook.ipynb", "manifest.json", "run.log", "journal.jsonl", "t.csv"} <= {path.name for path in written}
    for path in written:
        for part in ('pa"ss', "ss\\\\w", "wörd", "w\\u00f6rd", "w&ouml;rd", "w%C3%B6rd", "k&y", "k&amp;y", "k%26y"):
            assert part not in path.read_text(encoding="utf-8"), path
    assert "[secret]" in (run.page.parent / "notebook.ipynb").read_text(encoding="utf-8")
    assert run.record["parameters"] == {"password": "env:PLANTED"}
    assert "a secret was written to report/blob, and taken out" in run.record["warnings"]
    assert not (run.page.parent / "blob").exists()


def test_secret_that_the_environment_lacks_stops_the_run_before_its_kernel(toy, monkeypatch):
    monkeypatch.setattr("helpers.reporting.runner._run_notebook", lambda *_: pytest.fail("a kernel was started"))
    nbformat.write(light_notebook(parameters='p: str = ""  # secret: a key'), toy.notebooks()["toy"])
    report = planned("toy", toy.notebooks()["toy"], {"p": "env:PLANTED"}, folder=toy.root)
    for value in (None, "short"):
        monkeypatch.setenv("PLANTED", value) if value else monkeypatch.delenv("PLANTED", raising=False)
        run = run_report(report, toy)
        assert (run.outcome, "lacks PLANTED" in run.message) == ("failed_contract", True)
        assert "short" not in run.message
    assert len("short") < SHORTEST


def test_secrets_of_the_whole_plan_are_taken_out(toy, monkeypatch):
    monkeypatch.setenv("PLANTED", SECRET)
    monkeypatch.setenv("SHORT", "five5")
    secret = light_notebook(parameters='p: str = ""  # secret: a key')
    nbformat.write(secret, toy.root / "notebooks" / "02_own.ipynb")
    plan = "".join(f'[{n}]\nnotebook = "own"\nparameters = {{ p = "env:{n.upper()}" }}\n' for n in ("planted", "short"))
    (toy.root / "reports.toml").write_text(f'[toy]\nnotebook = "toy"\n{plan}', encoding="utf-8")
    nbformat.write(light_notebook("print(os.environ['PLANTED'], 'five5')"), toy.notebooks()["toy"])
    run = run_report(read_plan(toy)["toy"], toy)
    assert (run.outcome, run.record["secrets"]) == ("success", ["PLANTED"]), run.message
    executed = (toy.reports / "toy" / run.record["run_id"] / "notebook.ipynb").read_text(encoding="utf-8")
    assert "[secret]" in executed and "k&y" not in executed and "[secret] five5" in executed


def test_secret_is_named_and_never_given():
    declared = parse_cell('p: str = ""  # secret: a key')["p"]
    assert declared.is_secret and declared.check("env:A_KEY") == declared.parse("env:A_KEY") == "env:A_KEY"
    for wrong in ("hunter22", "env:", "env:1A", "env:A KEY", "ENV:A"):
        with pytest.raises(WrongUsage, match="is a secret") as refused:
            declared.parse(wrong)
        assert "hunter22" not in str(refused.value)
    for wrong in (12345, True, ["hunter22"]):
        with pytest.raises(WrongUsage, match="is a secret") as refused:
            declared.check(wrong)
        assert not re.search("12345|True|hunter22", str(refused.value))
    for cell in ('p: str = "hunter22"  # secret: a key', "p: int = 12345  # secret: a key"):
        with pytest.raises(WrongUsage, match="is a secret"):
            parse_cell(cell)
    with pytest.raises(KeyError):
        read_secret("hunter22")


def test_values_that_hold_each_other_are_taken_out_whole(tmp_path, monkeypatch):
    monkeypatch.setenv("SHORT", "secret")
    monkeypatch.setenv("LONG", "secret and more")
    (tmp_path / "log").write_text("the secret and more, the secret", encoding="utf-8")
    assert redact(tmp_path, ["SHORT", "LONG"]) == ["log"]
    assert (tmp_path / "log").read_text(encoding="utf-8") == "the [secret], the [secret]"
    assert redact(tmp_path, ["ABSENT"]) == []


def test_links_do_not_lead_out_of_the_workspace(toy, tmp_path):
    takes_purchases(toy, "transactions", "the purchases")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "x.csv").write_text("customer_id,date,amount\n", encoding="utf-8")
    (outside / "x.parquet").write_bytes(b"PAR1")
    (toy.raw / "link.csv").symlink_to(outside / "x.csv")
    (toy.raw / "folder").symlink_to(outside)
    (toy.raw / "tables").mkdir()
    (toy.raw / "tables" / "x.parquet").symlink_to(outside / "x.parquet")

    def plan(path):
        (toy.root / "reports.toml").write_text(
            f'[toy]\nnotebook = "toy"\nparameters = {{ transactions = "{path}" }}\n', encoding="utf-8"
        )
        return read_plan(toy)["toy"]

    for path in ("data/raw/link.csv", "data/raw/folder/x.csv", "data/raw/folder"):
        with pytest.raises(WrongUsage, match="leaves the workspace"):
            plan(path)
    for path in ("data/raw/tables", "data/raw/*/x.csv", "data/raw/*.csv"):
        report = plan(path)
        with pytest.raises(InputRefused, match="leaves the workspace"):
            refuse_outside(report)
    run = run_report(plan("data/raw/tables"), toy)
    assert (run.outcome, "leaves the workspace" in run.message) == ("failed_contract", True)
    toy.notebooks()["toy"].rename(outside / "01_toy.ipynb")
    (toy.root / "notebooks" / "01_toy.ipynb").symlink_to(outside / "01_toy.ipynb")
    with pytest.raises(WrongUsage, match="the notebook leaves the workspace"):
        plan("cdnow")


def test_command_line_may_name_any_path(toy, tmp_path):
    takes_purchases(toy, "transactions", "the purchases")
    (tmp_path / "x.csv").write_text("customer_id,date,amount\n", encoding="utf-8")
    report = planned("toy", toy.notebooks()["toy"], {"transactions": str(tmp_path / "x.csv")}, folder=tmp_path)
    refuse_outside(report)


LISTENS = """import os, time
import psutil
print("inet:", psutil.Process().net_connections("inet"))
child = os.fork()
if child == 0:
    print("said by a child", flush=True)
    os._exit(0)
os.waitpid(child, 0)
time.sleep(0.5)"""


def test_kernel_opens_no_port_and_its_children_are_heard(toy):
    nbformat.write(light_notebook(LISTENS), toy.notebooks()["toy"])
    run = run_report(planned("toy", toy.notebooks()["toy"], {}, folder=toy.root), toy)
    assert run.outcome == "success", run.message
    executed = toy.reports / "toy" / run.record["run_id"] / "notebook.ipynb"
    cells = nbformat.read(executed, as_version=4).cells
    said = "".join(output.get("text", "") for output in cells[-1].outputs)
    assert "inet: []" in said and "said by a child" in said
