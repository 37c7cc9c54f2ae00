"""Commands for what a person must decide: unmatched, match, dismiss."""

from __future__ import annotations

import contextlib
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from backend.cli.console import Json, err, opened, out, run, show_json
from backend.models.ingestion_models import MatchCandidate
from backend.utils.errors import InvalidInputError

Entry = Annotated[int, typer.Argument(help="The entry's number, as `tensoe unmatched` lists it.")]
_SHOWN_REASONS = 3


def unmatched(
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many at most.")] = 20, as_json: Json = False
) -> None:
    """List albums that a source offers several of, or none near enough."""

    async def work() -> None:
        async with opened(worker=False) as container:
            page = await container.services.matching.page(limit=limit)
        if as_json:
            show_json({"total": page.total, "data": page.items})
            return
        if not page.items:
            out.print("Nothing to decide.")
        for entry in page.items:
            _show(entry)
        if page.total and page.total > len(page.items):
            out.print(f"… and {page.total - len(page.items)} more: tensoe unmatched --limit {min(500, page.total)}")
        if page.items:
            out.print(Text("tensoe match ID N takes candidate N; tensoe dismiss ID says that none is it.", style="dim"))

    run(work())


def _show(entry: dict[str, Any]) -> None:
    stored = " (stored from other sources)" if entry["album_id"] else ""
    out.print(
        Text.assemble(
            (str(entry["id"]), "bold"),
            f"  {entry['album']} – {entry['artist']}: {entry['source']} {entry['outcome']}{stored}",
        )
    )
    table = Table("", "N", "score", "title", "artist", "year", "tracks", "against it", box=None, pad_edge=False)
    for number, c in enumerate(entry["candidates"], 1):
        reasons = sorted(c["penalties"].items(), key=lambda p: -p[1])[:_SHOWN_REASONS]
        table.add_row(
            " ", str(number), f"{c['score']:.2f}", Text(c["title"]), Text(c["artist"]), str(c["year"] or ""),
            str(c["total_tracks"] or ""), ", ".join(f"{name} {value:.2f}" for name, value in reasons),
        )  # fmt: skip
    out.print(table)


def match(
    entry_id: Entry,
    number: Annotated[int, typer.Argument(min=1, help="Which candidate, counted from 1.")],
    as_json: Json = False,
) -> None:
    """Take a candidate for the album asked for, and ingest it again."""

    async def work() -> None:
        async with opened(worker=False) as container:
            matching = container.services.matching
            chosen = _numbered((await matching.get(entry_id)).candidates, number)
            with contextlib.nullcontext() if as_json else err.status(Text(f"asking for {chosen.title} …")):
                report = await matching.match(entry_id, source=chosen.source, candidate_id=chosen.id)
        if as_json:
            show_json(report)
        else:
            out.print(Text(f"{report.album} – {report.artist}: {report.result}"), Text(report.detail, style="dim"))
        if report.album_id is None:
            raise typer.Exit(1)

    run(work())


def _numbered(candidates: tuple[MatchCandidate, ...], number: int) -> MatchCandidate:
    if number > len(candidates):
        raise InvalidInputError(f"there is no candidate {number}; the entry has {len(candidates)}")
    return candidates[number - 1]


def dismiss(entry_id: Entry) -> None:
    """Say that none of the candidates is the album."""

    async def work() -> None:
        async with opened(worker=False) as container:
            await container.services.matching.dismiss(entry_id)
        out.print(f"Entry {entry_id} is dismissed.")

    run(work())


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (unmatched, match, dismiss):
        app.command()(command)
