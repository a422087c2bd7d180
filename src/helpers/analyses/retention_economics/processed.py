"""The economics of each channel, for other notebooks."""

from __future__ import annotations

import pandas as pd

from .measurement import Measurement


def channel_table(result: Measurement) -> pd.DataFrame:
    """Return what winning and keeping cost by channel, "all" last.

    Parameters
    ----------
    result : Measurement

    Returns
    -------
    pandas.DataFrame
        channel, new_customers, acquisition_cost, retention_cost (a year), ratio, each of the last three with low and
        high, and yearly_change (of the acquisition cost); no row without market spend.
    """
    columns = ["acquisition_cost", "retention_cost", "ratio"]
    if result.spend_problem:
        names = [f"{name}{ending}" for name in columns for ending in ("", "_low", "_high")]
        empty = pd.DataFrame(columns=["channel", "new_customers", *names, "yearly_change"])
        return empty.astype({name: object if name == "channel" else float for name in empty})
    found = result.average_costs
    new = result.files.spend.frame.groupby("channel")["new_customers"].sum()
    frame = pd.DataFrame({"channel": found.channels})
    frame["new_customers"] = [float(new.get(name, new.sum())) for name in found.channels]
    for name in columns:
        estimate = getattr(found, name)
        frame[name], frame[f"{name}_low"], frame[f"{name}_high"] = estimate.value, estimate.low, estimate.high
    frame["yearly_change"] = [float(result.trends[name].yearly_change.value) for name in found.channels]
    return frame
