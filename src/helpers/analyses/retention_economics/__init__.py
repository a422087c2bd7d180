"""The economics of keeping customers: what retention adds and costs, renewals, elasticities, and the best budget."""

from .analysis import RetentionEconomics, analyse
from .settings import Settings

__all__ = ["RetentionEconomics", "Settings", "analyse"]
