"""Customer ids stay out of all that is shown and of every table of a report, in each topic: only Parquet has them."""

import importlib
import re
import sys

import nbformat
import pandas as pd
import pytest
from matplotlib import pyplot
from matplotlib.text import Text

from helpers.reporting.plan import planned
from helpers.reporting.runner import last_error, run_report
from helpers.synthetic.firm import firm

from .conftest import light_notebook

MARK = "zq-planted-"
IDS = {"customer_id", "respondent_id", "referrer_id", "referee_id"}
QUICK = {"draws": 20, "resamples": 100}
TOPICS = {
    "lifetime_value": {**QUICK, "draws": 100, "split_dates": 0},
    "satisfaction_index": {"bootstrap_resamples": 100, "model": "ccsi"},
    "kano": {"bootstrap_resamples": 100, "most_classes": 1, "counts": ""},
    "referral_value": QUICK,
    "customer_portfolio": QUICK,
    "retention_economics": QUICK,
}
SURVEYS = {"satisfaction_index": "satisfaction_survey", "kano": "kano_survey"}
WITHOUT_PEOPLE = ("kano", "retention_economics")  # what they derive has no row for a person


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """Return files of a firm whose customers and respondents have ids that no other text holds."""
    folder, paths = tmp_path_factory.mktemp("planted"), {}
    for name, table in firm(800, seed=3).tables.items():
        marked = {column: MARK + table[column].astype(str) for column in table.columns if column in IDS}
        paths[name] = str(folder / f"{name}.csv")
        table.assign(**marked).to_csv(paths[name], index=False)
    return paths


def analysed(topic, planted):
    module = importlib.import_module(f"helpers.analyses.{topic}")
    settings = importlib.import_module(f"helpers.analyses.{topic}.settings").Settings()
    given = {name: path for name, path in planted.items() if hasattr(settings, name)}
    if topic in SURVEYS:
        given = {"survey": planted[SURVEYS[topic]]}
    return module.analyse(**TOPICS[topic] | given)


def shown(result):
    """Return the name and the text of everything that a report of the analysis can show."""
    yield "answer", result.answer
    yield "sentences", "\n".join([*result.warnings, *result.notes])
    yield "headlines", "\n".join(str(headline.record()) for headline in result.headlines)
    for name, table in result.tables.items():
        yield f"table {name}", table.frame.to_csv() + table.caption + table._repr_html_()
    for name, figure in result.figures.items():
        yield f"figure {name}", figure.frame.to_csv() + figure.alt
        if figure.draw is not None:
            drawn = figure.draw()
            yield f"drawing {name}", "\n".join(text.get_text() for text in drawn.findobj(Text))
            pyplot.close(drawn)


@pytest.mark.parametrize("topic", TOPICS)
def test_planted_ids_are_shown_nowhere(topic, planted):
    result = analysed(topic, planted)
    texts = dict(shown(result))
    assert len(texts) > 10
    assert [name for name, text in texts.items() if MARK in text] == []
    there = any(MARK in frame.to_csv() for frame in result.processed.values())
    assert there == (topic not in WITHOUT_PEOPLE), "ids of the file went into the analysis"


def texts_of(folder, *but):
    """Return the text of the files of a folder that are none of those named, by path."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name not in but]
    return {path: path.read_text(encoding="utf-8") for path in files}


def test_what_an_error_says_stays_in_the_notebook(toy, tmp_path):
    heard = tmp_path / "heard"
    cell = f"raise KeyError('{MARK}1')"
    nbformat.write(light_notebook(cell), toy.notebooks()["toy"])
    hook = f"{sys.executable} -c 'import pathlib, sys; pathlib.Path(sys.argv[1]).write_text(sys.stdin.read())' {heard}"
    run = run_report(planned("toy", toy.notebooks()["toy"], {}, folder=toy.root, on_failure=hook), toy)
    assert (run.outcome, run.message.partition(" (")[0]) == ("failed_notebook", "cell 3 raised KeyError")
    texts = texts_of(toy.reports, "notebook.ipynb", "run.log") | {heard: heard.read_text(encoding="utf-8")}
    assert {"index.html", "manifest.json", "journal.jsonl", "heard"} <= {path.name for path in texts}
    assert [path for path, text in texts.items() if MARK in text] == []
    assert MARK in (run.page.parent / "notebook.ipynb").read_text(encoding="utf-8")


def test_what_a_good_run_writes_to_standard_error_stays_in_the_notebook(toy):
    loud = f"import sys, warnings; print('{MARK}1', file=sys.stderr); warnings.warn('{MARK}2', RuntimeWarning)"
    nbformat.write(light_notebook(loud, f"warnings.warn('{MARK}3')", "1"), toy.notebooks()["toy"])
    run = run_report(planned("toy", toy.notebooks()["toy"], {}, folder=toy.root), toy)
    assert run.outcome == "success", run.message
    said = "2 cells wrote to standard error: RuntimeWarning 1 time, UserWarning 1 time (the notebook has the words)"
    assert run.record["warnings"] == [said] and said in run.page.read_text(encoding="utf-8")
    texts = texts_of(toy.reports, "notebook.ipynb", "run.log")
    assert [path for path, text in texts.items() if MARK in text] == []


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (f"papermill.exceptions.DeadKernelError: {MARK}", "DeadKernelError"),
        (f"OSError: [Errno 28] No space left on device: {MARK}", "OSError: No space left on device"),
        (f"{MARK}1 has no purchase", ""),
        (f"no {MARK}Error", ""),
    ],
)
def test_of_a_log_only_the_name_of_an_error_is_quoted(tmp_path, line, error):
    (tmp_path / "run.log").write_text(f"Traceback\n{line}\n", encoding="utf-8")
    assert last_error(tmp_path / "run.log") == error


def test_an_id_in_a_drawing_would_be_noticed():
    drawn, axes = pyplot.subplots()
    axes.annotate(f"{MARK}7", (0, 0))
    assert re.search(MARK, "\n".join(text.get_text() for text in drawn.findobj(Text)))
    pyplot.close(drawn)
    assert MARK in pd.DataFrame({"customer_id": [f"{MARK}7"]}).to_csv()
