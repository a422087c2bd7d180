"""What each customer is worth: purchases in, lifetime value with its uncertainty out."""

from .analysis import LifetimeValue, analyse
from .settings import Settings

__all__ = ["LifetimeValue", "Settings", "analyse"]
