"""Kano analysis in numbers: answers to classes, rules and their uncertainty, coefficients, and what to do first."""
