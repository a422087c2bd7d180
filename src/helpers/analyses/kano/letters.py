"""The letters of Kano's classes: in which order they stand, how they read, and their colours."""

from __future__ import annotations

from helpers.models.kano.evaluation import NAMES

ORDER = ("M", "O", "A", "I", "R", "Q")
WORDS = {letter: NAMES[letter].replace("_", "-") for letter in ORDER}
# Four of Okabe and Ito (2008) and two greys, which with any kind of colour vision are told from each other.
COLOURS = {"M": "#D55E00", "O": "#0072B2", "A": "#009E73", "I": "#B3B3B3", "R": "#E69F00", "Q": "#4D4D4D"}
