"""A bar for whoever watches; nothing for a run that nobody watches."""

from helpers.analyses.progress import each, progress


def shown(capsys) -> str:
    with progress("counting", 2) as bar:
        bar.update()
        bar.update()
    return capsys.readouterr().err


def test_nobody_watches(capsys, monkeypatch):
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    assert shown(capsys) == ""


def test_an_open_notebook_is_watched(capsys, monkeypatch):
    monkeypatch.setenv("JPY_SESSION_NAME", "notebooks/01_lifetime_value.ipynb")
    assert "counting" in shown(capsys)


def test_values_come_as_they_are_with_a_bar_over_them(capsys, monkeypatch):
    monkeypatch.setenv("JPY_SESSION_NAME", "notebooks/01_lifetime_value.ipynb")
    assert list(each("drawing", map(str, range(3)), 3)) == ["0", "1", "2"]
    assert "drawing" in capsys.readouterr().err
