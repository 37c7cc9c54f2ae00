"""The report as one page of HTML that needs nothing else: no script, no network, light and dark."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from backend.features.quality import svg
from backend.features.quality.quality_report import QualityReport

if TYPE_CHECKING:
    from jinja2 import Template


def as_html(report: QualityReport) -> str:
    """The page. Everything from outside – titles, tags, names of sources – is escaped."""
    severities = [(s, [f for f in report.findings if f.severity == s]) for s in ("problem", "warning", "note")]
    return _template().render(
        report=report,
        svg=svg,
        total=sum(report.rows.values()),
        severities=[(s, fs) for s, fs in severities if fs],
        sources=[s.source for s in report.rights],
    )


@cache
def _template() -> Template:
    # Imported late: only who writes a page needs it.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["number"] = lambda value: f"{value:,.4g}" if isinstance(value, float) else f"{value:,}"
    environment.filters["short"] = _short
    environment.filters["percent"] = lambda share: f"{share:.1%}"
    return environment.get_template("quality.html")


def _short(value: float) -> str:
    """Three digits at least, never an exponent.

    >>> _short(77094.2), _short(0.50239), _short(-9.0)
    ('77,094', '0.502', '-9')
    """
    if value.is_integer() or abs(value) >= 1_000:
        return f"{value:.0f}" if abs(value) < 10_000 else f"{value:,.0f}"
    return f"{value:.3g}"
