"""The figures of the Kano report: frames of estimates in, pictures with their words out.

Every frame has a column `requirement` with the name that is drawn, in any script; `english` maps names to Latin
letters, for where no font has theirs. Rows that could not be estimated are left out. A class has one colour everywhere,
and its letter or word always stands beside: no figure is read by colour alone.
"""

from __future__ import annotations

from .bars import asymmetry, categories, choice, decision
from .curves import sample_size, satisfaction_curves
from .importance import analytical, stated_importance
from .maps import better_worse, continuous
from .pairs import answer_pairs
from .paths import latent_classes, segments, waves

__all__ = [
    "analytical",
    "answer_pairs",
    "asymmetry",
    "better_worse",
    "categories",
    "choice",
    "continuous",
    "decision",
    "latent_classes",
    "sample_size",
    "satisfaction_curves",
    "segments",
    "stated_importance",
    "waves",
]
