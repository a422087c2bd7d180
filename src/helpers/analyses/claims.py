"""The claims ledger: what the source documents claim, and what the data say of it, in one form for every report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields

import pandas as pd

from helpers.exhibits import Column, Table

SUPPORTED, DEPENDS, NOT_SUPPORTED, CANNOT_BE_TESTED = "supported", "depends", "not supported", "cannot be tested"
VERDICTS = (SUPPORTED, DEPENDS, NOT_SUPPORTED, CANNOT_BE_TESTED)


@dataclass(frozen=True)
class Claim:
    """One claim of the sources, with its verdict.

    Parameters
    ----------
    claim : str
        Id of the row in the inventory of the sources, such as "A07".
    sentence_zh, sentence_en : str
        What the sources say, and the same in English.
    estimate, low, high : float
        The number that the verdict rests on, with its 95 % interval; nan where there is none.
    verdict : str
        One of `VERDICTS`.
    why : str
        What the number is, and what the verdict depends on.
    link : str
        The figure of the report that shows it.

    Raises
    ------
    ValueError
        An unknown verdict.
    """

    claim: str
    sentence_zh: str
    sentence_en: str
    estimate: float
    low: float
    high: float
    verdict: str
    why: str
    link: str

    def __post_init__(self):
        """Refuse a verdict that no other report knows."""
        if self.verdict not in VERDICTS:
            raise ValueError(f"A verdict is one of {', '.join(VERDICTS)}, not {self.verdict!r}.")


def claims_table(claims: Sequence[Claim], simulated: bool) -> Table:
    """Return the ledger of a report, `tables/claims.csv`.

    Parameters
    ----------
    claims : sequence of Claim
    simulated : bool
        Whether nobody real stands behind the numbers: then a verdict says what the method finds, not what is true.
    """
    names = [entry.name for entry in fields(Claim)]
    frame = pd.DataFrame([asdict(claim) for claim in claims], columns=names)
    columns = {
        "claim": Column("Claim"),
        "sentence_zh": Column("The sources say"),
        "sentence_en": Column("In English"),
        "estimate": Column("Estimate", digits=2),
        "low": Column("95 % low", digits=2),
        "high": Column("95 % high", digits=2),
        "verdict": Column("Verdict"),
        "why": Column("Why"),
    }
    caption = "What the sources claim, and what these data say of it."
    if simulated:
        caption += " These customers are simulated: the verdicts show that the method works, and say nothing of a firm."
    return Table("claims", frame, caption, columns)
