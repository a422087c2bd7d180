"""A run as RO-Crate: what the profile demands is there, the numbers are the report's, and no customer is in it."""

import hashlib
import json
import zipfile

import pytest
from rocrate.rocrate import ROCrate

from helpers.reporting.crate import PROFILE
from helpers.reporting.plan import planned
from helpers.reporting.runner import run_report

from .conftest import takes_purchases
from .test_commands import reports


@pytest.fixture(scope="module")
def exported(published_once, tmp_path_factory):
    """Return the zip file of the toy report, and the folder of its run."""
    file = tmp_path_factory.mktemp("crate") / "toy.zip"
    code, said = reports(published_once, "crate", "toy", str(file))
    assert (code, said) == (0, f"wrote {file}\n")
    [run] = [path for path in (published_once.reports / "toy").iterdir() if path.name[0] == "2"]
    return file, run


def identifiers(entities):
    return [entity.id for entity in entities]


def test_what_the_profile_demands_is_there(exported):
    """Process Run Crate 0.5, section Requirements: every MUST, and each SHOULD but the agent, who is a person."""
    crate = ROCrate(exported[0])
    assert crate.metadata["conformsTo"] == "https://w3id.org/ro/crate/1.1"
    profile = crate.root_dataset["conformsTo"]
    assert (profile.id, profile.type, profile["version"]) == (PROFILE, "CreativeWork", "0.5")
    for name in ("name", "description", "datePublished", "license"):
        assert crate.root_dataset[name], name
    [action] = crate.get_by_type("CreateAction")
    assert identifiers(crate.root_dataset["mentions"]) == [action.id]
    for name in ("name", "description", "startTime", "endTime", "instrument", "object", "result"):
        assert action[name], name
    assert action["actionStatus"] == "http://schema.org/CompletedActionStatus"
    assert action.get("agent") is None and not crate.get_by_type("Person")
    software = action["instrument"]
    assert (software.type, software["alternateName"]) == ("SoftwareSourceCode", "01_toy.ipynb")
    assert {"python", "pandas"} <= {package["name"] for package in software["softwareRequirements"]}
    assert all(package["softwareVersion"] for package in software["softwareRequirements"])


def test_crate_holds_the_files_of_the_report_with_their_digests(exported):
    file, run = exported
    [action] = ROCrate(file).get_by_type("CreateAction")
    listed = {entity.id: entity for entity in action["result"]}
    assert {"index.html", "notebook.ipynb", "results.json", "manifest.json", "tables/spend.csv"} <= set(listed)
    with zipfile.ZipFile(file) as archive:
        assert set(archive.namelist()) == {*listed, "ro-crate-metadata.json"}
        for name, entity in listed.items():
            content = archive.read(name)
            # papermill notes in the notebook where it lay
            assert content == (run / name).read_bytes() or name == "notebook.ipynb"
            assert entity["sha256"] == hashlib.sha256(content).hexdigest()
            assert entity["contentSize"] == str(len(content))
    assert listed["index.html"]["encodingFormat"] == "text/html"
    assert "run.log" not in listed


def test_parameters_are_property_values(exported):
    file, run = exported
    [action] = ROCrate(file).get_by_type("CreateAction")
    given = {entity["name"]: entity["value"] for entity in action["object"] if entity.type == "PropertyValue"}
    wanted = json.loads((run / "manifest.json").read_text(encoding="utf-8"))["parameters"]
    assert given == wanted | {"columns": "{}"}


def test_inputs_are_named_and_never_copied(toy, tmp_path):
    takes_purchases(toy, "label", "transactions: whose purchases, a path")
    rows = "customer_id,date,amount\nPLANTED-77,2024-01-01,5\n"
    (tmp_path / "mine.csv").write_text(rows, encoding="utf-8")
    run = run_report(planned("toy", toy.notebooks()["toy"], {"label": str(tmp_path / "mine.csv")}), toy)
    assert run.outcome == "success", run.message
    assert reports(toy, "crate", run.record["run_id"], "--workspace", str(toy.root), folder=tmp_path)[0] == 0
    file = tmp_path / f"toy-{run.record['run_id']}.zip"
    [action] = ROCrate(file).get_by_type("CreateAction")
    [given] = [entity for entity in action["object"] if entity.type == "CreativeWork"]
    assert (given["alternateName"], given["sha256"]) == ("mine.csv", hashlib.sha256(rows.encode()).hexdigest())
    with zipfile.ZipFile(file) as archive:
        assert not [name for name in archive.namelist() if b"PLANTED-77" in archive.read(name)]


def test_place_that_cannot_be_is_refused_and_nothing_is_left(published_once, tmp_path):
    for place in (tmp_path, tmp_path / "none" / "x.zip", tmp_path / "x.json"):
        code, said = reports(published_once, "crate", "toy", str(place))
        assert (code, "is no place for a crate" in " ".join(said.split())) == (2, True)
    assert reports(published_once, "crate", "nosuch")[0] == 2
    assert not list(tmp_path.iterdir())


def test_full_disk_leaves_no_part(published_once, tmp_path, monkeypatch):
    def fails(*_):
        raise OSError("no space left")

    monkeypatch.setattr("rocrate.rocrate.ROCrate.write_zip", fails)
    code, said = reports(published_once, "crate", "toy", str(tmp_path / "x.zip"))
    assert (code, "could not be written: no space left" in said) == (1, True)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("inside", [True, False])
def test_crate_tells_no_folder_of_the_machine(toy, tmp_path, inside):
    """Page, notebook, manifest and description: papermill notes two paths, the page one, the kernel writes another."""
    takes_purchases(toy, "label", "transactions: whose purchases, a path")
    source = toy.notebooks()["toy"].read_text(encoding="utf-8")
    told = "import sys; print(label, sys.path, 'https://example.org/toy/', sep='\\\\n', file=sys.stderr)"
    toy.notebooks()["toy"].write_text(source.replace("report.notes()", f"{told}\\nreport.notes()"), encoding="utf-8")
    folder = toy.raw if inside else tmp_path / "Jane O'Neill & <sons>"
    folder.mkdir(exist_ok=True)
    file = folder / 'mine & "yours" é.csv'
    file.write_text("customer_id,date,amount\n1,2024-01-01,5\n", encoding="utf-8")
    run = run_report(planned("toy", toy.notebooks()["toy"], {"label": str(file)}), toy)
    assert run.outcome == "success", run.message
    assert str(tmp_path) in (run.page.parents[1] / run.record["run_id"] / "notebook.ipynb").read_text(encoding="utf-8")
    assert reports(toy, "crate", "toy", str(tmp_path / "x.zip"))[0] == 0
    with zipfile.ZipFile(tmp_path / "x.zip") as archive:
        texts = {name: archive.read(name).decode() for name in archive.namelist()}
    for name, text in texts.items():
        assert "Jane" not in text and str(toy.root) not in text, name
        assert not name.endswith((".json", ".ipynb")) or json.loads(text)
    wanted = f"data/raw/{file.name}" if inside else file.name
    manifest = json.loads(texts["manifest.json"])
    [given] = manifest["inputs"]
    assert (given["path"], manifest["parameters"]["label"]) == (wanted, wanted)
    assert given["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    noted = json.loads(texts["notebook.ipynb"])["metadata"]["papermill"]
    assert noted["input_path"] == "notebooks/01_toy.ipynb" and noted["parameters"]["label"] == wanted
    assert "https://example.org/toy/" in texts["notebook.ipynb"]
    graph = {entity["@id"]: entity for entity in json.loads(texts["ro-crate-metadata.json"])["@graph"]}
    assert graph["#parameter-label"]["value"] == wanted
    for name in ("index.html", "notebook.ipynb"):
        assert graph[name]["sha256"] == hashlib.sha256(texts[name].encode()).hexdigest()
