"""How satisfied customers are, from 0 to 100, and what moves it: answers in, the index and its causes out."""

from .analysis import SatisfactionIndex, analyse
from .settings import Settings

__all__ = ["SatisfactionIndex", "Settings", "analyse"]
