"""The way of a user of pymc-marketing: BG/NBD at the posterior's mode under flat priors, the likelihood's maximum."""

import pandas as pd
from pymc_extras.prior import Prior
from pymc_marketing.clv import BetaGeoModel, rfm_summary

NAMES = ("r", "alpha", "a", "b")


class Way:
    """What its documentation shows; the program may stand in another environment than this project."""

    def __init__(self, file: str, period: str):
        self.file, self.period = file, period

    def prepare(self) -> dict:
        """Read the purchases and summarise each customer."""
        purchases = pd.read_parquet(self.file)
        columns = {"customer_id_col": "customer_id", "datetime_col": "date", "monetary_value_col": "amount"}
        self.customers = rfm_summary(purchases, **columns, time_unit=self.period)
        return {"customers": len(self.customers), "purchases": len(purchases)}

    def fit(self) -> dict:
        """Find the mode."""
        model = BetaGeoModel(model_config={name: Prior("HalfFlat") for name in NAMES})
        columns = ["customer_id", "frequency", "recency", "T"]
        model.fit(self.customers[columns], method="map", progressbar=False)
        return {name: float(model.fit_result[name].mean()) for name in NAMES}
