"""A firm with known truth, one function per table."""
