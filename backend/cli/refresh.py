"""The command that asks again for what is no longer fresh."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from backend.cli.console import Json, opened, out, run, show_json


def refresh(
    most: Annotated[int | None, typer.Option(help="Albums at the most; by default INGESTION_REFRESH_ALBUMS.")] = None,
    plan: Annotated[bool, typer.Option("--plan", help="Only say what is due.")] = False,
    as_json: Json = False,
) -> None:
    """Ask the sources again for what they said longer ago than it is good for, behind all other jobs.

    A running server or worker works on it, and makes such a job by itself every INGESTION_REFRESH_HOURS.
    """

    async def work() -> None:
        async with opened(worker=False) as container:
            service = container.services.refreshing
            if plan:
                states = await service.due()
                if as_json:
                    show_json(states)
                    return
                table = Table("source", "good for", "due", "oldest", "", box=None, pad_edge=False)
                for s in states:
                    oldest = f"{s.oldest:%Y-%m-%d}" if s.oldest else ""
                    table.add_row(s.source, f"{s.days:g} days", f"{s.due:,}", oldest, s.held_back)
                out.print(table if states else "No source that can be asked has values that grow old.")
                return
            found = await service.refresh(most=most)
        if as_json:
            show_json({"job_id": found[0] if found else None, "albums": found[1] if found else 0})
        elif found is None:
            out.print("Nothing is due, or a refresh is under way (tensoe refresh --plan, tensoe jobs).")
        else:
            out.print(f"job {found[0]}: {found[1]:,} albums are asked for again (tensoe resume works on it here)")

    run(work())


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(refresh)
