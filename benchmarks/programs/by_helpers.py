"""The way of this project: the same functions as its reports call."""

import ibis

from helpers.analyses.lifetime_value.customer_scores import HISTORY, score_customers, score_histories
from helpers.analyses.lifetime_value.settings import Settings
from helpers.data.customer_summary import distinct_rows, repeat_spend, summarise
from helpers.data.engines import held
from helpers.models.fit import bootstrap_fits
from helpers.models.lifetime_value import gamma_gamma, value
from helpers.models.lifetime_value.purchase_models import bg_nbd

HORIZON_WEEKS = 52
ANNUAL_DISCOUNT = 0.10


class Way:
    """Each work as the reports do it; results stay for the works that rest on them."""

    def __init__(self, file: str, period: str):
        self.file, self.period = file, period
        self.connection, self.customers = ibis.duckdb.connect(), None

    def summary(self) -> dict:
        """Read the purchases and summarise each customer, in the engine."""
        if self.customers is not None:
            self.connection.raw_sql(f"DROP TABLE {self.customers.get_name()}")
        purchases = self.connection.read_parquet(self.file)
        purchases = purchases.mutate(date=purchases.date.cast("date"))
        end = purchases.date.max().to_pyarrow().as_py()
        how = {"time_unit": self.period, "merge_period": self.period, "intervals": False}
        self.customers = held(summarise(purchases, end, **how))
        return {"customers": self.customers.count().to_pyarrow().as_py()}

    def prepare(self) -> dict:
        """Take what lifetimes works on, a row for each customer, out of the engine."""
        self.summary()
        columns = ["frequency", "recency", "T", "monetary_value"]
        frame = self.customers.select(columns).to_pandas()
        self.frequency, self.recency, self.T, self.amount = (frame[name].to_numpy(float) for name in columns)
        return {}

    def reduce(self) -> dict:
        """Count the customers that share a history, and those that share a spend, in the engine."""
        self.rows, self.spend_rows = distinct_rows(self.customers), repeat_spend(self.customers)
        return {"distinct_rows": len(self.rows), "distinct_spend": len(self.spend_rows)}

    def fit(self) -> dict:
        """Fit BG/NBD to a row for each customer, as lifetimes gets them."""
        self.purchases = bg_nbd.fit_bg_nbd(self.frequency, self.recency, self.T)
        return _parameters(self.purchases)

    def fit_distinct(self) -> dict:
        """Fit BG/NBD to what the engine has reduced, as reports do."""
        rows = self.rows
        return _parameters(bg_nbd.fit_bg_nbd(rows["frequency"], rows["recency"], rows["T"], rows["customers"]))

    def fit_spend(self) -> dict:
        """Fit Gamma-Gamma to a row for each repeat customer."""
        repeat = (self.frequency > 0) & (self.amount > 0)
        self.spend = gamma_gamma.fit_gamma_gamma(self.frequency[repeat], self.amount[repeat])
        return _parameters(self.spend)

    def score(self) -> dict:
        """Tell of each customer P(alive), expected purchases, mean spend and value, 52 weeks ahead."""
        model, history = self.purchases.model, (self.frequency, self.recency, self.T)
        ahead = 7 * HORIZON_WEEKS / value.DAYS_PER_UNIT[self.period]
        alive = model.probability_alive(*history)
        expected = alive * model.expected_purchases_if_alive(self.frequency, self.T, ahead)
        discounted = value.discounted_purchases(model, *history, HORIZON_WEEKS, ANNUAL_DISCOUNT, self.period)
        worth = self.spend.model.expected_average_spend(self.frequency, self.amount) * discounted
        return {"total_alive": alive.sum(), "total_expected": expected.sum(), "total_value": worth.sum()}

    def likelihood(self, *parameters: float) -> dict:
        """Tell the log-likelihood at these parameters, found by whichever program."""
        each = bg_nbd.BGNBD(*parameters).log_likelihood(self.frequency, self.recency, self.T)
        return {"log_likelihood": each.sum()}

    def join(self) -> dict:
        """Score the distinct histories and join them to the customers inside the engine, as reports do."""
        settings = Settings(transactions=self.file, time_unit=self.period)
        histories = score_histories(self.purchases, self.rows, settings)
        scored = score_customers(self.customers, histories, self.spend, 1.0, settings)
        table = self.connection.create_table("scored", scored, overwrite=True)
        return {"total_value": table.potential_value.sum().to_pyarrow().as_py()}

    def refits(self, count: float) -> dict:
        """Fit so many resamples of the customers."""
        history = (self.rows[name].to_numpy(float) for name in HISTORY)
        likelihood, customers = bg_nbd.likelihood_by_weights(*history), self.rows["customers"].to_numpy()
        bootstrap_fits(self.purchases, likelihood, customers, resamples=int(count), seed=1)
        return {}

    def end_to_end(self, out: str) -> dict:
        """Go from purchases to scored customers in Parquet, checks included."""
        from helpers.analyses.lifetime_value.scoring import score

        terms = {"time_unit": self.period, "merge_period": self.period, "horizon_weeks": HORIZON_WEEKS}
        scored = score(f"{out}/customers", transactions=self.file, **terms)
        totals = {"expected": scored.totals["expected_purchases"], "value": scored.totals["potential_value"]}
        return _parameters(scored.purchases) | {f"total_{name}": total.value for name, total in totals.items()}


def _parameters(fit) -> dict:
    return dict(zip(fit.names, fit.estimates.tolist(), strict=True)) | {"log_likelihood": fit.log_likelihood}
