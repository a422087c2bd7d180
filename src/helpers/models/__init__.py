"""Pure numerics: arrays in, small frozen result objects out. No file, no plot, no global state."""
