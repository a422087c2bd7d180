"""Figures from papers and other software that the code must reproduce, each with its source."""
