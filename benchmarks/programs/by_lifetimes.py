"""The way of a user of pandas and lifetimes, one row for each customer."""

import lifetimes
import numpy as np
import pandas as pd
from lifetimes.utils import summary_data_from_transaction_data

DAYS_AHEAD = 364  # 52 weeks, as the reports take them
MONTHS = 12  # of 30 days, as lifetimes counts them
MONTHLY_DISCOUNT = 1.10 ** (1 / 12) - 1


class Way:
    """Each work as the documentation of lifetimes shows it; results stay for the works that rest on them."""

    def __init__(self, file: str, period: str):
        self.file, self.period = file, period
        self.rng = np.random.default_rng(1)

    def summary(self) -> dict:
        """Read the purchases and summarise each customer."""
        purchases = pd.read_parquet(self.file)
        names = ("customer_id", "date", "amount")
        self.customers = summary_data_from_transaction_data(purchases, *names, freq=self.period)
        return {"customers": len(self.customers), "purchases": len(purchases)}

    def prepare(self) -> dict:
        """Have a summary, which fits need, and a fit of spend, which scores need."""
        self.summary()
        return self.fit_spend()

    def fit(self) -> dict:
        """Fit BG/NBD."""
        self.fitter = self._fitted(self.customers)
        return self._parameters(self.customers)

    def fit_spend(self) -> dict:
        """Fit Gamma-Gamma."""
        repeat = self.customers[self.customers["frequency"] > 0]
        self.spend = lifetimes.GammaGammaFitter().fit(repeat["frequency"], repeat["monetary_value"])
        return dict(self.spend.params_)

    def score(self) -> dict:
        """Tell of each customer P(alive), expected purchases, mean spend and value, twelve months ahead."""
        return self._totals(self._scored(self.customers))

    def refits(self, count: float) -> dict:
        """Fit so many resamples of the customers."""
        for _ in range(int(count)):
            drawn = self.rng.integers(len(self.customers), size=len(self.customers))
            self._fitted(self.customers.iloc[drawn])
        return {}

    def end_to_end(self, out: str) -> dict:
        """Go from purchases to scored customers in Parquet."""
        self.summary()
        found = self.fit()
        self.fit_spend()
        scored = self._scored(self.customers)
        pd.concat([self.customers, scored], axis=1).reset_index().to_parquet(f"{out}/customers.parquet")
        return found | self._totals(scored)

    def _fitted(self, rows: pd.DataFrame, weights=None) -> lifetimes.BetaGeoFitter:
        return lifetimes.BetaGeoFitter().fit(rows["frequency"], rows["recency"], rows["T"], weights)

    def _parameters(self, rows: pd.DataFrame, weights=None) -> dict:
        """Give the estimates, and their log-likelihood by lifetimes' own formula in the unit of the rows."""
        estimates = self.fitter.params_[["r", "alpha", "a", "b"]]
        weights = np.ones(len(rows)) if weights is None else weights
        history = (rows[name].to_numpy() for name in ("frequency", "recency", "T"))
        mean = self.fitter._negative_log_likelihood(np.log(estimates.to_numpy()), *history, weights, 0)
        return dict(estimates) | {"log_likelihood": -mean * weights.sum()}

    def _scored(self, rows: pd.DataFrame) -> pd.DataFrame:
        history = rows["frequency"], rows["recency"], rows["T"]
        alive = pd.Series(self.fitter.conditional_probability_alive(*history), rows.index)
        expected = self.fitter.predict(DAYS_AHEAD / {"D": 1, "W": 7}[self.period], *history)
        spend = self.spend.conditional_expected_average_profit(rows["frequency"], rows["monetary_value"])
        money = {"time": MONTHS, "discount_rate": MONTHLY_DISCOUNT, "freq": self.period}
        worth = self.spend.customer_lifetime_value(self.fitter, *history, rows["monetary_value"], **money)
        return pd.DataFrame({"alive": alive, "expected": expected, "spend": spend, "value": worth})

    def _totals(self, scored: pd.DataFrame) -> dict:
        return {f"total_{name}": float(scored[name].sum()) for name in ("alive", "expected", "value")}
