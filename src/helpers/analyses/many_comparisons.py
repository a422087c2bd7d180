"""Many comparisons find something by chance: corrections for their number."""

from __future__ import annotations

import numpy as np
import pandas as pd


def holm(p_values: pd.Series) -> pd.Series:
    """Correct p values for their number (Holm 1979, Scandinavian Journal of Statistics 6, 65-70)."""
    ordered = p_values.sort_values()
    if ordered.isna().any():
        ordered = ordered.fillna(1.0)  # what could not be tested is no finding
    corrected = (ordered * np.arange(len(ordered), 0, -1)).cummax().clip(upper=1.0)
    return corrected.reindex(p_values.index)
