"""The command that says what a list would take."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from backend.cli.console import Json, opened, out, run, show_json

if TYPE_CHECKING:
    from backend.services.ingest_plan import Plan, SourcePlan


def plan(
    file: Annotated[Path, typer.Argument(help="CSV of albums, as for `tensoe ingest --file`.")], as_json: Json = False
) -> None:
    """Say what a list would take, asking nobody: what is stored already, requests and time per source, quotas, obstacles."""
    from backend.services.album_list import read_album_list

    albums = read_album_list(file, once=False)

    async def work() -> None:
        async with opened(worker=False) as container:
            found = await container.services.planning.plan(albums)
        if as_json:
            show_json(found)
        else:
            _show(found)

    run(work())


def _show(found: Plan) -> None:
    again = f", {found.duplicates:,} of them twice" if found.duplicates else ""
    out.print(
        f"{found.total:,} albums{again}: {found.new:,} new, {found.fresh:,} stored and fresh, {found.stale:,} stored and stale"
    )
    table = Table("source", "requests", "an album", "at the most", "takes", "", box=None, pad_edge=False)
    for s in found.sources:
        if s.unconfigured is not None:
            table.add_row(s.source, "", "", "", "", Text(s.unconfigured, style="dim"))
            continue
        counted = "counted" if s.measured else "usual"
        cost = (f"{s.calls:,}", f"{s.calls_per_album:g} ({counted})", f"{s.rate:g}/s") if s.calls else ("0", "", "")
        table.add_row(s.source, *cost, _span(s.seconds), Text(_obstacle(s), style="yellow"))
    out.print(table)
    if found.slowest is not None:
        end = found.expected_end.astimezone()
        out.print(
            f"All of it takes about {_span(found.seconds)} ({found.slowest} is the slowest): until {end:%Y-%m-%d %H:%M}"
        )


def _obstacle(source: SourcePlan) -> str:
    parts = []
    if source.parked_until is not None:
        parts.append(f"throttled until {source.parked_until:%Y-%m-%d %H:%M} UTC: {source.reason}")
    if source.quota is not None:
        parts.append(f"{source.left_today or 0:,} of {source.quota:,} requests a day are left")
    return "; ".join(parts)


def _span(seconds: float) -> str:
    """A time for people.

    >>> _span(0), _span(95), _span(4000), _span(200_000)
    ('0 s', '2 min', '1 h 7 min', '2 days 7 h')
    """
    minutes = timedelta(seconds=seconds) // timedelta(minutes=1) + (seconds % 60 >= 30)
    if seconds < 90:
        return f"{seconds:.0f} s"
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {rest} min"
    days = hours // 24
    return f"{days} day{'s' if days > 1 else ''} {hours % 24} h"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(plan)
