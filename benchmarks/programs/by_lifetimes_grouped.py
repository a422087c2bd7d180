"""The way of a user of lifetimes who counts the customers that share a history, and passes the counts as weights."""

import by_lifetimes
import pandas as pd

HISTORY = ["frequency", "recency", "T"]


class Way(by_lifetimes.Way):
    """As of lifetimes, on distinct histories; counting them is part of each work."""

    def fit(self) -> dict:
        """Fit BG/NBD."""
        rows = self._distinct()
        self.fitter = self._fitted(rows, rows["customers"])
        return self._parameters(rows, rows["customers"])

    def score(self) -> dict:
        """Predict for each distinct history, and join to the customers; value is that of an amount of 1 until then."""
        rows = self._distinct()
        history = rows["frequency"], rows["recency"], rows["T"]
        rows["alive"] = self.fitter.conditional_probability_alive(*history)
        rows["expected"] = self.fitter.predict(by_lifetimes.DAYS_AHEAD, *history)
        rows["purchases"] = by_lifetimes.lifetimes.utils._customer_lifetime_value(
            self.fitter, *history, 1.0, by_lifetimes.MONTHS, by_lifetimes.MONTHLY_DISCOUNT, freq=self.period
        )
        scored = self.customers.merge(rows, on=HISTORY, how="left")
        spend = self.spend.conditional_expected_average_profit(scored["frequency"], scored["monetary_value"])
        scored["value"] = spend * scored["purchases"]
        return self._totals(scored)

    def refits(self, count: float) -> dict:
        """Fit so many resamples: multinomial counts of the distinct histories are the same as resampled customers."""
        rows = self._distinct()
        counts = rows["customers"]
        for _ in range(int(count)):
            drawn = self.rng.multinomial(counts.sum(), counts / counts.sum())
            self._fitted(rows[drawn > 0], drawn[drawn > 0])
        return {}

    def _distinct(self) -> pd.DataFrame:
        return self.customers.groupby(HISTORY).size().rename("customers").reset_index()
