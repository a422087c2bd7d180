"""Customer summaries of CDNOW as lifetimes makes them, and summaries simulated with a known truth."""

from functools import cache
from importlib.resources import files
from typing import NamedTuple

import numpy as np
import pandas as pd

from tests.published import lifetime_value as published


class Summary(NamedTuple):
    """Frequency, recency and T in weeks, mean repeat spend, and purchases in the holdout."""

    frequency: np.ndarray
    recency: np.ndarray
    T: np.ndarray
    monetary_value: np.ndarray
    holdout: np.ndarray

    @property
    def history(self):
        return self.frequency, self.recency, self.T

    @property
    def spenders(self):
        repeated = (self.frequency > 0) & (self.monetary_value > 0)
        return self.frequency[repeated], self.monetary_value[repeated]


@cache
def cdnow(which: str) -> Summary:
    """`which` is "sample" or "master"; the order is that of the ids."""
    from lifetimes.utils import calibration_and_holdout_data

    columns = ["customer_id", "date", "cds", "amount"]
    path = files("lifetimes") / "datasets" / f"CDNOW_{which}.txt"
    if which == "sample":
        table = pd.read_csv(path, sep=r"\s+", header=None, names=["master_id", *columns])
    else:
        table = pd.read_csv(path, sep=r"\s+", header=0, names=columns)
    table["date"] = pd.to_datetime(table["date"], format="%Y%m%d")
    rows = calibration_and_holdout_data(
        table,
        "customer_id",
        "date",
        published.CALIBRATION_END,
        published.OBSERVATION_END,
        monetary_value_col="amount",
    )
    return Summary(
        rows["frequency_cal"].to_numpy(float),
        rows["recency_cal"].to_numpy(float) / 7,
        rows["T_cal"].to_numpy(float) / 7,
        rows["monetary_value_cal"].to_numpy(float),
        rows["frequency_holdout"].to_numpy(float),
    )


def simulated_history(customers: int, r, alpha, a, b, rng, ages=(27.0, 39.0)):
    """Frequency, recency, T of BG/NBD customers, purchase by purchase as the model tells the story."""
    T = rng.uniform(*ages, customers)
    rate, dropout = rng.gamma(r, 1 / alpha, customers), rng.beta(a, b, customers)
    frequency, recency = np.zeros(customers), np.zeros(customers)
    alive, clock = np.ones(customers, bool), np.zeros(customers)
    while alive.any():
        clock = clock + rng.exponential(1, customers) / rate
        alive = alive & (clock <= T)
        frequency[alive] += 1
        recency[alive] = clock[alive]
        alive = alive & (rng.random(customers) > dropout)
    return frequency, recency, T
