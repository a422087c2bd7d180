"""The satisfaction index: a PLS path model, its index, reliability, causes and their uncertainty, in numbers alone."""
