"""How long a covariance model (SEM by maximum likelihood) takes, beside semopy: one fit, and its bootstrap.

Run by `make bench`. Both programs work in one process on one core, on the same resampled covariance matrices, in turn;
the ratios are of that one run. semopy's time is of some of the resamples, as if each of the others took as long. CPU
time is what to compare on a machine that does other things as well. The first model is well-behaved, the second nearly
degenerate: many of its resamples have no optimum, and each program is lost there in its way.
"""

import os

os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")  # before NumPy: one core for both

import argparse
import importlib.metadata
import platform
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from helpers.data import satisfaction_survey
from helpers.data.satisfaction_models import SatisfactionModel, read_model
from helpers.models.resampling import resampled_counts
from helpers.models.satisfaction_index.covariance_model.scoring import CovarianceFit, Sample, fit
from helpers.models.satisfaction_index.covariance_model.semopy_peer import SemopyFit, semopy_fit
from helpers.models.satisfaction_index.covariance_model.structure import Structure
from helpers.models.satisfaction_index.design import Design
from helpers.models.satisfaction_index.moments import Answers

SEED = 1
RESULTS = Path(__file__).with_suffix(".csv")
MODELS = ("acsi", "ecsi")
# The bootstrap's, as the report runs it: a resample need not be fitted as closely as the sample.
TOLERANCE, MOST_ITERATIONS = 1e-5, 100
BOOTSTRAP_BY_LAVAAN = """
library(lavaan)
answers <- read.csv("answers.csv")
started <- proc.time()
fitted <- sem(readLines("model.txt"), answers, se = "none", test = "none")
bootstrapped <- bootstrapLavaan(fitted, R = {resamples})
cat((proc.time() - started)[["user.self"]], nrow(bootstrapped))
"""


@dataclass(frozen=True)
class Case:
    """A model of mobi in numbers.

    Parameters
    ----------
    name : str
    model : SatisfactionModel
    structure : Structure
    answers : ndarray, shape (respondents, items)
    """

    name: str
    model: SatisfactionModel
    structure: Structure
    answers: np.ndarray

    @classmethod
    def of(cls, name: str):
        """Read a model, and mobi's answers to its items."""
        model = read_model(name)
        answers = satisfaction_survey.load("mobi", model).answers
        return cls(name, model, Structure.of(design_of(model)), answers.to_numpy(float))


def main(arguments: list[str] | None = None) -> None:
    """Measure, print what was measured and write it down."""
    options = _options(arguments)
    packages = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("numpy", "scipy", "semopy"))
    print(f"Python {platform.python_version()}, {packages}; one core\n")
    tables = [grow(Case.of(MODELS[0]), options.sizes)]
    print_growth(tables[0])
    for name in MODELS:
        case = Case.of(name)
        peers, differences = compare(case, options)
        print_comparison(case, peers, differences)
        print(by_lavaan(case, options.resamples))
        tables.append(peers)
    pd.concat(tables).to_csv(options.out, index=False, float_format="%.4g", lineterminator="\n")
    print(f"\nwritten: {options.out}")


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--resamples", type=int, default=500)
    parser.add_argument("--by-semopy", type=int, default=20, help="how many of them semopy fits in each round")
    parser.add_argument("--rounds", type=int, default=3, help="how often each program runs")
    parser.add_argument("--sizes", type=int, nargs="*", default=[250, 1_000, 10_000, 100_000], help="respondents")
    parser.add_argument("--out", type=Path, default=RESULTS)
    return parser.parse_args(arguments)


# --- what is measured ---------------------------------------------------------------------------------------


def timed(work: Callable[[], object]) -> tuple[object, dict[str, float]]:
    """Return what the work gives, and the seconds that it took."""
    wall, cpu = time.perf_counter(), time.process_time()
    outcome = work()
    return outcome, {"cpu_seconds": time.process_time() - cpu, "wall_seconds": time.perf_counter() - wall}


def grow(case: Case, sizes: list[int]) -> pd.DataFrame:
    """Measure moments, and the fit to them, for surveys of other sizes: mobi's answers drawn again."""
    rng = np.random.default_rng(SEED)
    rows = []
    for respondents in sizes:
        drawn = case.answers[rng.integers(len(case.answers), size=respondents)]
        moments, first = timed(lambda drawn=drawn: Answers(drawn).moments())
        sample = Sample.of(moments.covariance, respondents)
        fit(case.structure, sample)
        fitted, second = timed(lambda sample=sample: fit(case.structure, sample))
        run = {"program": "helpers", "model": case.name, "respondents": respondents}
        rows += [{"work": "moments", **run, **first}, {"work": "fit", **run, **second}]
        rows[-1]["iterations"] = int(fitted.iterations)
    return pd.DataFrame(rows)


def compare(case: Case, options: argparse.Namespace) -> tuple[pd.DataFrame, np.ndarray]:
    """Run both programs in turn; also give how far apart they are where both converged, by resample.

    semopy fits other resamples in each round, so that its time is of more of them.
    """
    rows, differences = [], []
    for number in range(options.rounds):
        ours, one = timed(lambda: bootstrap(case, options.resamples))
        first = number * options.by_semopy
        some = np.arange(first, first + options.by_semopy) % options.resamples
        covariances = ours.sample.covariance[0][some]
        theirs, other = timed(lambda covariances=covariances: refits(case, covariances))
        share = options.resamples / len(some)
        run = {"work": "bootstrap", "model": case.name, "respondents": len(case.answers), "round": number + 1}
        run["resamples"] = options.resamples
        lost = 1 - float(ours.converged.mean()), 1 - np.mean([found.converged for found in theirs])
        rows += [
            {"program": "helpers", **run, **one, "fitted": options.resamples, "lost": lost[0]},
            {
                "program": "semopy",
                **run,
                **{name: seconds * share for name, seconds in other.items()},
                "fitted": len(some),
                "lost": lost[1],
            },
        ]
        differences.append(apart(ours, theirs, some))
    return pd.DataFrame(rows), np.concatenate(differences)


def bootstrap(case: Case, resamples: int) -> CovarianceFit:
    """Resample by ours, from answers to estimates: moments of every resample, and all of them fitted at once."""
    answers = Answers(case.answers)
    size = len(case.answers)
    whole = fit(case.structure, Sample.of(answers.moments().covariance, size))
    counted = [answers.moments(counts).covariance for counts in resampled_counts(size, resamples, SEED)]
    sample = Sample.of(np.concatenate(counted), np.full(resamples, float(size)))
    return fit(case.structure, sample, whole.parameters, TOLERANCE, MOST_ITERATIONS)


def refits(case: Case, covariances: np.ndarray) -> list[SemopyFit]:
    """Fit each covariance matrix by semopy."""
    return [semopy_fit(case.structure, covariance, len(case.answers)) for covariance in covariances]


def apart(ours: CovarianceFit, theirs: list[SemopyFit], some: np.ndarray) -> np.ndarray:
    """Return the largest difference of an estimate in each resample in which both converged, in standard errors."""
    both = [number for number, found in zip(some.tolist(), theirs, strict=True) if found.converged]
    both = [number for number in both if ours.converged[number]]
    by_semopy = dict(zip(some.tolist(), theirs, strict=True))
    error = ours.standard_error
    return np.array(
        [np.max(np.abs(ours.parameters[at] - by_semopy[at].parameters) / error[at], initial=0) for at in both]
    )


# --- the programs' forms ------------------------------------------------------------------------------------


def design_of(model: SatisfactionModel) -> Design:
    """Put a model into numbers."""
    names = list(model.constructs)
    paths = np.zeros((len(names), len(names)), bool)
    for path in model.paths:
        paths[names.index(path.source), names.index(path.target)] = True
    return Design(np.repeat(np.arange(len(names)), [len(items) for items in model.constructs.values()]), paths)


def by_lavaan(case: Case, resamples: int) -> str:
    """Let lavaan bootstrap the same model where R and lavaan are installed; return what to print."""
    program = shutil.which("Rscript")
    if program is None:
        return "lavaan: R is not installed here, so there is no figure"
    items = [item for block in case.model.constructs.values() for item in block]
    text = [f"{name} =~ {' + '.join(block)}" for name, block in case.model.constructs.items()]
    text += [f"{path.target} ~ {path.source}" for path in case.model.paths]
    with tempfile.TemporaryDirectory() as folder:
        pd.DataFrame(case.answers, columns=items).to_csv(Path(folder, "answers.csv"), index=False)
        Path(folder, "model.txt").write_text("\n".join(text) + "\n")
        script = BOOTSTRAP_BY_LAVAAN.format(resamples=resamples)
        done = subprocess.run([program, "-e", script], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        return f"lavaan: no figure ({(done.stderr.strip().splitlines() or ['it failed'])[-1]})"
    seconds, kept = done.stdout.split()[-2:]
    return f"lavaan: {float(seconds):.2f} s of CPU, {kept} resamples kept"


# --- what is printed ----------------------------------------------------------------------------------------


def print_growth(grown: pd.DataFrame) -> None:
    """Print what one fit costs at each size."""
    print(f"one fit, {grown['model'][0]}, mobi's answers drawn again: seconds of CPU")
    table = grown.pivot(index="respondents", columns="work", values="cpu_seconds")
    print(table[["moments", "fit"]].to_string(float_format="{:.4f}".format))


def print_comparison(case: Case, peers: pd.DataFrame, differences: np.ndarray) -> None:
    """Print seconds, their ratios, how many resamples were lost and how far the estimates agree."""
    seconds = peers.groupby("program")[["cpu_seconds", "wall_seconds"]].agg(["min", "median"])
    ratios = (seconds.loc["semopy"] / seconds.loc["helpers"]).rename("ratio").to_frame().T
    fitted = int(peers.loc[peers["program"] == "semopy", "fitted"].sum())
    whole, resamples = peers["respondents"][0], peers["resamples"][0]
    print(f"\nbootstrap, {case.name}: {resamples} resamples of {whole}, {peers['round'].max()} rounds in turn")
    print(f"(semopy: {fitted} refits, extrapolated)")
    print(pd.concat([seconds, ratios]).to_string(float_format="{:.2f}".format))
    lost = peers.groupby("program")["lost"].mean()
    print(f"without an optimum: ours {lost['helpers']:.1%}, semopy's {lost['semopy']:.1%} of its refits")
    most = f"{differences.max():.1e}" if len(differences) else "none"
    print(f"largest difference of an estimate in {len(differences)} resamples where both converged:")
    print(f"  {most} standard errors")


if __name__ == "__main__":
    main()
