"""Threads for NumPy's work: it lets go of the interpreter while it computes."""

from concurrent.futures import ThreadPoolExecutor

THREADS = 2  # the least that a machine has; beyond, memory counts more than cores


def threads() -> ThreadPoolExecutor:
    """Return a pool for work whose result does not depend on the order in which it is done."""
    return ThreadPoolExecutor(THREADS)
