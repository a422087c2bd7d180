"""Files that readers see are replaced whole, also when several runs write them at once."""

import json
from concurrent.futures import ThreadPoolExecutor

from helpers.reporting.manifest import made_with, packages, read_json, write_json


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
