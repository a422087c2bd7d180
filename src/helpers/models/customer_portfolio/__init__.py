"""The customer portfolio in numbers: classes, stages, levels of relationship, why customers leave, and what changed."""
