"""A coherent firm with known truth: every table comes from the same people, and every link can be switched off."""

from .firm import Firm, default_parameters, firm
from .people import People

__all__ = ["Firm", "People", "default_parameters", "firm"]
