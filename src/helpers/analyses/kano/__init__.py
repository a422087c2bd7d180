"""Which requirements matter, and how: Kano's answers or counts in, classes with their uncertainty out."""

from .analysis import Kano, analyse
from .settings import Settings

__all__ = ["Kano", "Settings", "analyse"]
