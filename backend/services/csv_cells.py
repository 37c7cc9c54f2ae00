"""Rows of CSV that a spreadsheet may open: no cell is taken for a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Final

# OWASP, "CSV Injection": what begins so is run as a formula by spreadsheets, also behind a tab or a carriage return.
_DANGEROUS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_rows(rows: Iterable[Sequence[str]]) -> bytes:
    r"""Rows as CSV (RFC 4180, UTF-8); a cell that a spreadsheet would take for a formula gets an apostrophe before it.

    >>> csv_rows([["=1+1", "plain"]])
    b"'=1+1,plain\r\n"
    """
    text = io.StringIO()
    csv.writer(text).writerows([_cell(cell) for cell in row] for row in rows)
    return text.getvalue().encode()


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(_DANGEROUS) else text
