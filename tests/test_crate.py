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
            content = (run / name).read_bytes()
            assert archive.read(name) == content
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
