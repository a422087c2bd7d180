"""The headline numbers of a report through time: the runs that are there, those that were pruned."""

import csv
import json
import re
import shutil
from datetime import UTC, datetime
from xml.etree import ElementTree

import pytest

from helpers.reporting import journal, trend
from helpers.reporting.history import course, read_history, trend_lines, write_history
from helpers.reporting.index import write_index

from .test_commands import reports

HOUR = "2026-01-{:02d}T06:00:00+00:00"
SVG = "{http://www.w3.org/2000/svg}"


def add_run(home, day, value, low=None, high=None, name="worth", **more):
    """Let a good run stand in the folder of a report."""
    folder = home / f"202601{day:02d}T050000Z-aaaaaa"
    folder.mkdir(parents=True)
    record = {"run_id": folder.name, "ended": HOUR.format(day), "started": HOUR.format(day), "title": "T", "label": ""}
    record |= {"outcome": "success", "report": home.name, "changed": "first run", "duration_seconds": 1, "inputs": []}
    record |= {"parameters": {}, "notebook": "n.ipynb", "packages": {}, "git": {"commit": None, "dirty": False}}
    entry = {"value": value, "low": low, "high": high, "unit": "EUR", "text": f"worth {value}"}
    for place in (folder, home / "latest"):
        place.mkdir(exist_ok=True)
        (place / "manifest.json").write_text(json.dumps(record), encoding="utf-8")
        (place / "results.json").write_text(json.dumps({name: entry} | more), encoding="utf-8")
    return folder


@pytest.fixture
def home(tmp_path):
    """Return the folder of a report with three runs, the second of which has no number to show."""
    place = tmp_path / "reports" / "shop"
    add_run(place, 5, None)
    add_run(place, 1, 100.0, 50.0, 150.0)
    add_run(place, 9, 300.0, 250.0, 350.0)
    return place


def test_runs_stand_in_the_order_in_which_they_ended(home):
    assert [run.numbers["worth"]["value"] for run in read_history(home)] == [100.0, None, 300.0]
    [line] = trend_lines(read_history(home))
    assert [(point.moment.day, point.value) for point in line.points] == [(1, 100.0), (9, 300.0)]


def test_file_holds_every_number_of_every_run(home):
    write_history(home, "Shop")
    rows = list(csv.DictReader((home / "history.csv").open(encoding="utf-8")))
    assert [(row["ended"][:10], row["name"], row["value"], row["low"], row["high"], row["unit"]) for row in rows] == [
        ("2026-01-01", "worth", "100.0", "50.0", "150.0", "EUR"),
        ("2026-01-05", "worth", "", "", "", "EUR"),
        ("2026-01-09", "worth", "300.0", "250.0", "350.0", "EUR"),
    ]


def test_pruned_runs_are_remembered(home):
    write_history(home, "Shop")
    before = (home / "history.csv").read_text(encoding="utf-8")
    shutil.rmtree(home / "20260101T050000Z-aaaaaa")
    write_history(home, "Shop")
    assert (home / "history.csv").read_text(encoding="utf-8") == before
    page = (home / "history.html").read_text(encoding="utf-8")
    assert "20260101T050000Z" not in page and "2026-01-01 06:00 UTC" in page
    assert 'href="20260109T050000Z-aaaaaa/index.html"' in page


@pytest.mark.parametrize("content", ["", "a,b\n1,2\n", "run_id,ended,name,value,low,high,unit\nx,y\n", "\x00\xff"])
def test_spoilt_file_is_written_anew(home, content):
    write_history(home, "Shop")
    good = (home / "history.csv").read_bytes()
    (home / "history.csv").write_text(content, encoding="latin-1")
    write_history(home, "Shop")
    assert (home / "history.csv").read_bytes() == good


def test_number_that_came_later_or_went_has_its_own_line(home):
    add_run(home, 11, 5.0, name="other")
    lines = trend_lines(read_history(home))
    assert [(line.name, len(line.points)) for line in lines] == [("other", 1), ("worth", 2)]


def test_figure_is_told_in_words(home):
    assert course(trend_lines(read_history(home))) == (
        "Headline numbers through time, one panel each, 2026-01-01 to 2026-01-09: worth from 100 to 300."
    )


def test_line_rises_with_the_number_and_stays_in_its_panel():
    moments = [datetime(2026, 1, day, tzinfo=UTC) for day in (1, 2, 9)]
    points = [trend.Point(m, v, v - 1, v + 1) for m, v in zip(moments, [1.0, 2.0, 3.0], strict=True)]
    svg = ElementTree.fromstring(trend.draw([trend.Line("a <b> & c", "EUR", points)]))
    [line] = svg.iter(f"{SVG}polyline")
    places = [tuple(map(float, pair.split(","))) for pair in line.get("points").split()]
    across, down = zip(*places, strict=True)
    assert across[0] == trend.LEFT and across[-1] == trend.RIGHT
    assert across[1] - across[0] == pytest.approx((trend.RIGHT - trend.LEFT) / 8, abs=0.1)  # days, not runs
    assert trend.BOTTOM > down[0] > down[1] > down[2] > trend.TOP  # between the ends of the intervals
    assert "a <b> & c" in {text.text for text in svg.iter(f"{SVG}text")}


def test_numbers_that_differ_in_their_last_bits_are_a_flat_line():
    moments = [datetime(2026, 1, day, tzinfo=UTC) for day in (1, 2)]
    points = [trend.Point(m, v) for m, v in zip(moments, [0.1 + 0.2, 0.3], strict=True)]
    svg = trend.draw([trend.Line("a", "EUR", points)])
    assert len({pair.split(",")[1] for pair in re.search(r'polyline points="([^"]*)"', svg)[1].split()}) == 1


def test_index_shows_headline_with_interval_its_change_and_its_line(home):
    page = write_index(home.parent).read_text(encoding="utf-8")
    assert "worth 300.0 (95 % interval 250 to 350)" in page
    assert "This one: – before, 300 (250 to 350) now" in page
    assert 'href="shop/history.html"' in page
    assert re.search(r'<img class="trend" src="data:image/svg\+xml;base64,[^"]+" alt="[^"]*from 100 to 300', page)
    shown = (home / "history.html").read_text(encoding="utf-8")
    assert "100 (50 to 150)" in shown and 'href="history.svg"' in shown


def test_index_names_each_source_once(home):
    for path in home.glob("*/manifest.json"):
        named = [
            {"path": name, "sha256": "x", "bytes": 1} for name in ("built-in:firm", "built-in:firm", "a.csv", "A.csv")
        ]
        path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | {"inputs": named}), encoding="utf-8")
    assert '<p class="meta">shop · built-in:firm · a.csv · A.csv</p>' in write_index(home.parent).read_text("utf-8")


def test_index_says_that_a_report_was_not_run_until_it_is(home):
    entry = {"moment": HOUR.format(12), "report": "shop", "outcome": "cancelled", "message": "not run: it waits for x"}
    journal.append(home.parent, entry | {"page": None})
    page = write_index(home.parent).read_text(encoding="utf-8")
    assert "cancelled</span> 2026-01-12 06:00 UTC: not run: it waits for x.\nThe report below is stale" in page
    journal.append(home.parent, entry | {"outcome": "success", "page": "shop/latest/index.html"})
    assert "stale" not in write_index(home.parent).read_text(encoding="utf-8")


def test_only_the_history_of_the_report_that_ran_is_written(home):
    other = home.with_name("other")
    for place in (home, other):
        add_run(place, 10, 1.0)
    write_index(home.parent)
    for place in (home, other):
        add_run(place, 11, 2.0)
    write_index(home.parent, ran="shop")
    assert "2026-01-11" in (home / "history.csv").read_text(encoding="utf-8")
    assert "2026-01-11" not in (other / "history.csv").read_text(encoding="utf-8")
    (other / "history.csv").unlink()
    write_index(home.parent, ran="shop")
    assert "2026-01-11" in (other / "history.csv").read_text(encoding="utf-8"), "what is linked to is there"


def test_what_is_no_manifest_is_no_run(home):
    for number, content in enumerate(["[1]", '{"run_id": "x", "started": "y"}', "3"]):
        (home / f"stray{number}").mkdir()
        (home / f"stray{number}" / "manifest.json").write_text(content, encoding="utf-8")
    assert "stray" not in write_index(home.parent).read_text(encoding="utf-8")


def test_index_leads_to_reports_run_apart(home):
    assert "ad_hoc" not in write_index(home.parent).read_text(encoding="utf-8")
    add_run(home.parent / "ad_hoc" / "shop", 3, 1.0)
    write_index(home.parent / "ad_hoc")
    assert 'href="ad_hoc/index.html"' in write_index(home.parent).read_text(encoding="utf-8")


def test_first_run_has_a_page_and_no_figure(tmp_path):
    home = tmp_path / "reports" / "shop"
    add_run(home, 1, 100.0)
    page = write_index(home.parent).read_text(encoding="utf-8")
    assert 'href="shop/history.html"' in page and "<img" not in page
    assert "<img" not in (home / "history.html").read_text(encoding="utf-8")
    assert not (home / "history.svg").exists()


def test_command_shows_the_newest_runs(published_toy):
    home = published_toy.reports / "toy"
    for day in (1, 2):
        shutil.copytree(add_run(home.with_name("other"), day, float(day), name="kept"), home / f"run{day}")
    code, text = reports(published_toy, "history", "toy", "--last", "2")
    assert code == 0, text
    assert "2026-01-01" not in text and "2026-01-02 06:00" in text
    assert re.search(r"kept +share +2 +0\.5000 \(0\.4000 to 0\.6000\)", text), text
    assert "3 runs: reports/toy/history.html" in text
    code, text = reports(published_toy, "history", "tay")
    assert code == 2 and "no report 'tay' has been published" in text
