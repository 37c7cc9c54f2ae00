"""The findings as a table, for the terminal and for docs/performance.md."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench.timing import Result

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
START, END = "<!-- measured: begin -->", "<!-- measured: end -->"


def table(results: Sequence[Result]) -> str:
    """A Markdown table; a ratio is ours divided by the other, in time or memory: below 1 we need less."""
    lines = ["| what | against | ours | other | ratio | wanted |", "|---|---|---:|---:|---:|---|"]
    for found in results:
        cells = (found.what, found.against, _shown(found.ours, found), _shown(found.other, found))
        lines.append(f"| {' | '.join(cells)} | **{found.ratio:.2f}** | {found.wanted} |")
    return "\n".join(lines)


def _shown(value: float, of: Result) -> str:
    if of.unit == "bytes":
        return f"{value / 1e6:,.0f} MB"
    shown = f"{value:.2f} s" if value >= 1 else f"{value * 1000:.{0 if value >= 0.02 else 1}f} ms"
    return shown if of.rows is None else f"{shown} ({of.rows / value:,.0f} rows/s)"


def machine() -> str:
    """What it was measured on."""
    day = datetime.now(UTC).date().isoformat()
    return f"{day}, {os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}."


def write(results: Sequence[Result]) -> None:
    """Renew the table in docs/performance.md between its markers."""
    page = PAGE.read_text(encoding="utf-8")
    body = f"{START}\n{table(results)}\n\n{machine()}\n{END}"
    found, number = re.subn(f"{START}.*{END}", lambda _: body, page, flags=re.DOTALL)
    if number != 1:
        raise SystemExit(f"{PAGE} should hold {START} and {END} once")
    PAGE.write_text(found, encoding="utf-8")
