"""The figure and the tables of the pages, from what `lifetime_value.py` has measured.

That script writes them itself; run alone, this one writes them anew from `results.csv` and `growth.csv`.
"""

from functools import partial
from pathlib import Path

import pandas as pd

from helpers.analyses.drawing import panels
from helpers.exhibits import Figure
from helpers.reporting.theme import render

HERE = Path(__file__).parent
MARKERS = ("<!-- written by benchmarks/lifetime_value_pages.py -->", "<!-- until here -->")
WORKS = {
    "summary": "Summary of each customer",
    "fit": "Fit of BG/NBD",
    "score": "P(alive), purchases, value",
    "refits": "200 bootstrap refits",
    "end_to_end": "From file to scored file",
}
PEERS = {
    "lifetimes": "lifetimes",
    "lifetimes_grouped": "lifetimes on distinct rows",
    "pymc_marketing": "pymc-marketing (MAP)",
    "duckdb_sql": "DuckDB, SQL by hand",
    "duckdb_scan": "DuckDB, the scan alone",
}
GROWING = {
    "summary": "summary",
    "reduce": "reduction",
    "fit": "fit",
    "fit_distinct": "fit, reduced",
    "fit_spend": "Gamma-Gamma",
    "score": "scores",
    "join": "scores, joined",
}
TO_REACH = {  # how many times faster than lifetimes, as it was set before anything was measured
    ("fit", 2_357): "CPU 25",
    ("fit", 1_000_000): "CPU 40",
    ("fit", 10_000_000): "CPU 80",
    ("score", 1_000_000): "CPU 50",
    ("refits", 100_000): "CPU 50",
    ("refits", 1_000_000): "CPU 100",
    ("summary", 1_000_000): "CPU 3.5",
    ("summary", 10_000_000): "CPU 3.5",
    ("end_to_end", 1_000_000): "wall 8",
    ("end_to_end", 10_000_000): "wall 30, half the memory",
}


def main() -> None:
    """Write them from the files as they stand."""
    write(pd.read_csv(HERE / "results.csv"), pd.read_csv(HERE / "growth.csv"), HERE)


def write(results: pd.DataFrame, grown: pd.DataFrame, out: Path) -> None:
    """Draw the figure into a folder and, where that is this one, put the tables into the pages."""
    (out / "lifetime_value.png").write_bytes(render(figure(results)).png)
    if out == HERE:
        _fill(HERE.parent / "README.md", short_table(results))
        _fill(HERE / "README.md", f"{long_table(results)}\n{growth_table(grown)}")


def _fill(page: Path, tables: str) -> None:
    """Put tables between the markers of a page."""
    before, _, rest = page.read_text(encoding="utf-8").partition(MARKERS[0])
    _, _, after = rest.partition(MARKERS[1])
    page.write_text(f"{before}{MARKERS[0]}\n{tables}{MARKERS[1]}{after}", encoding="utf-8")


def short_table(results: pd.DataFrame) -> str:
    """How many times faster than lifetimes, by work and size: for the page of the project."""
    compared = results[(results["peer"] == "lifetimes") & (results["data"] == "rolling")]
    sizes = sorted(compared["customers"].unique())
    cells = compared.set_index(["work", "customers"])
    lines = [["Times faster than lifetimes: CPU (wall)", *(f"{size:,} customers" for size in sizes)]]
    for work, words in WORKS.items():
        measured = [cells.loc[(work, size)] for size in sizes]
        lines.append([words, *(f"{_times(cell.cpu_ratio)} ({_times(cell.wall_ratio)})" for cell in measured)])
    whole = [cells.loc[("end_to_end", size)] for size in sizes]
    memory = [f"{_gigabytes(cell.peak_mb)} instead of {_gigabytes(cell.peer_peak_mb)}" for cell in whole]
    return _markdown([*lines, ["Peak memory of that", *memory]])


def long_table(results: pd.DataFrame) -> str:
    """Everything that was compared, and what is to be reached."""
    lines = [["work", "customers", "beside", "CPU", "wall", "to reach", "CPU seconds", "peak MB", "timing of the peer"]]
    for cell in results.itertuples():
        lines.append(
            [
                cell.work,
                f"{cell.customers:,}",
                PEERS[cell.peer],
                f"{_times(cell.cpu_ratio)} ({_times(cell.cpu_ratio_median)})",
                f"{_times(cell.wall_ratio)} ({_times(cell.wall_ratio_median)})",
                TO_REACH.get((cell.work, cell.customers), "") if cell.peer == "lifetimes" else "",
                f"{cell.cpu_seconds:.3g} beside {cell.peer_cpu_seconds:.3g}",
                f"{cell.peak_mb:,.0f} beside {cell.peer_peak_mb:,.0f}",
                "" if pd.isna(cell.marks) else cell.marks,
            ]
        )
    return _markdown(lines)


def growth_table(grown: pd.DataFrame) -> str:
    """CPU seconds of each work by kind of purchases, and those of the fit by lifetimes."""
    lines = [["data", "period", "customers", "purchases", "distinct rows", *GROWING.values(), "fit by lifetimes"]]
    for key, scene in grown.groupby(["data", "period", "customers", "purchases", "distinct_rows"], sort=False):
        of_work = scene.set_index("work")
        seconds = [*of_work["cpu_seconds"].reindex(list(GROWING)), of_work["lifetimes_cpu_seconds"]["fit"]]
        numbers = ["" if pd.isna(second) else f"{second:.3g}" for second in seconds]
        lines.append([*key[:2], *(f"{count:,}" for count in key[2:]), *numbers])
    return _markdown(lines)


def _markdown(lines: list[list[str]]) -> str:
    """Return lines of cells as a table, the first as its header."""
    rows = [lines[0], ["---"] * len(lines[0]), *lines[1:]]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _times(ratio: float) -> str:
    return f"{ratio:.2g}" if ratio < 10 else f"{ratio:,.0f}"


def _gigabytes(megabytes: float) -> str:
    return f"{megabytes / 1024:.1f} GB"


def figure(results: pd.DataFrame) -> Figure:
    """CPU seconds against customers, a panel for each work."""
    shown = results[results["data"] == "rolling"]
    columns = ["work", "customers", "peer", "cpu_seconds", "peer_cpu_seconds"]
    alt = "CPU seconds of each work against customers, both on logarithmic axes, for this project and other programs."
    return Figure("lifetime_value", partial(_draw, shown), alt, shown[columns])


def _draw(results: pd.DataFrame):
    drawn, axes = panels(3, 2, 8.4, sharex=True, sharey=True)
    *places, last = axes.flat
    compared = set(results["peer"])
    for place, (work, words) in zip(places, WORKS.items(), strict=True):
        of_work = results[results["work"] == work]
        ours = of_work.drop_duplicates("customers")
        place.plot(ours["customers"], ours["cpu_seconds"], "o-", color="C0", label="this project")
        for number, (peer, label) in enumerate(PEERS.items(), start=1):
            theirs = of_work[of_work["peer"] == peer]
            if peer in compared:
                place.plot(theirs["customers"], theirs["peer_cpu_seconds"], "o--", color=f"C{number}", label=label)
        place.set(xscale="log", yscale="log", title=words)
        for axis in (place.xaxis, place.yaxis):
            axis.set_major_formatter(lambda value, _: f"{value:,.10g}")
    drawn.supxlabel("customers")
    drawn.supylabel("CPU seconds")
    places[-2].tick_params(labelbottom=True)
    last.set_axis_off()
    last.legend(*places[0].get_legend_handles_labels(), loc="center left")
    return drawn


if __name__ == "__main__":
    main()
