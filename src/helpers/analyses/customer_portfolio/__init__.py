"""The customer portfolio: matrix, tiers, stages, lenses, causes of loss, and one next action for each customer."""

from .analysis import CustomerPortfolio, analyse
from .settings import Settings

__all__ = ["CustomerPortfolio", "Settings", "analyse"]
