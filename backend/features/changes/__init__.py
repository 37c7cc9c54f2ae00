"""How two data sets differ, and why (docs/datasets.md): folders in, a report out; DuckDB reads them column by column."""

from backend.features.changes.change_report import Changes
from backend.features.changes.comparing import compare
from backend.features.changes.side import Side
from backend.features.changes.writing import as_csv, as_text

__all__ = ["Changes", "Side", "as_csv", "as_text", "compare"]
