"""The claims of the sources that a portfolio can test."""

from __future__ import annotations

from ..claims import Claim
from .measurement import Measurement


def claims(result: Measurement) -> tuple[Claim, ...]:
    """Return the claims with their verdicts."""
    return ()
