"""The models of when customers buy and leave: one file each, found here by looking, so that a new one is one file."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from .interface import Kind, PurchaseModel

__all__ = ["Kind", "PurchaseModel", "kinds"]


@cache
def kinds() -> dict[str, Kind]:
    """Return every kind of purchase model by name, in the order of the names.

    Returns
    -------
    dict of str to Kind
        The `KIND` of each module of this package that has one.
    """
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    modules = (importlib.import_module(f"{__name__}.{name}") for name in names)
    found = [module.KIND for module in modules if hasattr(module, "KIND")]
    return {kind.name: kind for kind in found}
