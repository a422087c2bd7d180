"""Where there are enough answers for a verdict, and where resamples say anything."""

from __future__ import annotations

import numpy as np

from helpers.models import resampling

FEWEST_ANSWERS = 12  # of fewer, the 95 % interval of a share of one half is wider than half of all there is
NO_INTERVAL = (
    f"Of fewer than {FEWEST_ANSWERS} answers, or where they are all alike, resamples say nothing: no interval is shown."
)


def few(counts) -> np.ndarray:
    """Return where there are too few answers for a verdict; counts of shape (..., 6)."""
    return ~(np.asarray(counts).sum(axis=-1) >= FEWEST_ANSWERS)  # also where they are not known


def alike(counts) -> np.ndarray:
    """Return where all answers are of one class, so that every resample is the sample; counts of shape (..., 6)."""
    counts = np.asarray(counts)
    return (counts.max(axis=-1) == counts.sum(axis=-1)) & (counts.max(axis=-1) > 0)


def interval(draws, too_few) -> tuple[np.ndarray, np.ndarray]:
    """Return the 95 % interval of resamples; nan where there are too few answers or no two resamples differ."""
    low, high = resampling.percentile(draws)
    nothing = too_few | np.isclose(low, high, rtol=0, atol=1e-12)
    return np.where(nothing, np.nan, low), np.where(nothing, np.nan, high)


def with_reason(caption: str, ends) -> str:
    """Add to a caption why intervals are missing, where some are."""
    return f"{caption} {NO_INTERVAL}" if np.isnan(np.asarray(ends, float)).any() else caption
