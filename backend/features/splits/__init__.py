"""Splits of tracks into parts that don't leak, and certificates of it (docs/splits.md); pure: tables in, tables out.

`naive.naive_gain` is imported where it is used: it loads scikit-learn.
"""

from backend.features.splits.assignment import assign
from backend.features.splits.certificate import Certificate, Check, Shared
from backend.features.splits.certifying import certify
from backend.features.splits.recipe import SplitRecipe
from backend.features.splits.split import LEFT_OUT, Split, SplitReport

__all__ = [
    "LEFT_OUT", "Certificate", "Check", "Shared", "Split", "SplitRecipe", "SplitReport", "assign", "certify",
]  # fmt: skip
