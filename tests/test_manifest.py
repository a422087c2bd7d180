"""Files that readers see are replaced whole, also when several runs write them at once."""

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor

from helpers.reporting.manifest import installed, made_with, packages, read_json, run_key, write_json
from helpers.reporting.plan import read_plan


def test_writers_at_once_leave_one_whole_file(tmp_path):
    place = tmp_path / "latest" / "index.json"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: write_json(place, {"number": number, "filling": "x" * 10_000}), range(200)))
    assert read_json(place)["number"] in range(200)
    assert [path.name for path in place.parent.iterdir()] == ["index.json"]


def test_what_cannot_be_read_is_none(tmp_path):
    assert read_json(tmp_path / "none.json") is None
    (tmp_path / "half.json").write_text('{"a": ', encoding="utf-8")
    assert read_json(tmp_path / "half.json") is None


def test_packages_are_those_that_the_project_names():
    found = packages()
    assert {"python", "pandas", "lifetimes", "papermill", "semopy"} <= set(found)
    json.dumps(found)


def test_everything_installed_is_told_and_decides_the_key(published_once, monkeypatch):
    found = installed()
    assert {name.lower().replace("_", "-"): version for name, version in packages().items()}.items() <= found.items()
    assert {"duckdb", "jinja2", "tornado"} <= set(found), "what only others depend on is told too"
    assert read_json(published_once.reports / "toy" / "latest" / "manifest.json")["environment"] == found
    toy = read_plan(published_once)["toy"]
    keys = set()
    for versions in (found, found | {"tornado": "0"}):
        monkeypatch.setattr("helpers.reporting.manifest.installed", lambda versions=versions: versions)
        keys.add(run_key(toy, [], {"commit": "x"}, published_once))
    assert len(keys) == 2


def git(folder, *words):
    identity = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True)


def test_what_is_in_no_commit_has_a_digest(toy, monkeypatch):
    git(toy.root, "init", "-q")
    git(toy.root, "add", ".")
    git(toy.root, "commit", "-qm", "all")
    assert toy.git_state()["dirty"], "the code that runs here is that of another folder"
    monkeypatch.setattr("helpers.reporting.workspace.__file__", str(toy.root / "src" / "helpers" / "x.py"))
    clean = toy.git_state()
    assert (clean["dirty"], "changes_sha256" in clean) == (False, False)
    found = []
    for name in ("reports.toml", "src/new file.py", "src/new file.py"):
        (toy.root / name).parent.mkdir(exist_ok=True)
        with (toy.root / name).open("a", encoding="latin-1") as file:
            file.write("# more\xe4\n")
        found.append(toy.git_state())
    assert all(state["dirty"] and state["commit"] == clean["commit"] for state in found)
    assert len({state["changes_sha256"] for state in found}) == 3
    assert toy.git_state() == found[-1]


def test_executed_notebook_is_that_which_it_was_made_from(published_once):
    [executed] = (published_once.reports / "toy").glob("2*/notebook.ipynb")
    record = read_json(executed.with_name("manifest.json"))
    found = made_with(executed, published_once)
    assert found == made_with(published_once.notebooks()["toy"], published_once)
    assert found == {name: record[name] for name in ("notebook_sha256", "lock_sha256", "platform")}
    text = executed.read_text(encoding="utf-8")
    executed.with_name("other.ipynb").write_text(text.replace("Spend", "Spent"), encoding="utf-8")
    try:
        other = made_with(executed.with_name("other.ipynb"), published_once)
    finally:
        executed.with_name("other.ipynb").unlink()
    assert other["notebook_sha256"] != found["notebook_sha256"]
