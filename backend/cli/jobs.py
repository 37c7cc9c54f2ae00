"""Commands that collect: ingest, resume, jobs."""

from __future__ import annotations

import contextlib
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from backend.cli.console import Json, err, follow, opened, out, read_text, run, show_json
from backend.models.ingestion_models import AlbumQuery, Outcome
from backend.models.results import IngestReport, IngestResult, JobItem, JobStatus
from backend.utils.errors import InvalidInputError

if TYPE_CHECKING:
    from backend.startup import Container

_COLOURS = {
    IngestResult.COMPLETE: "green",
    IngestResult.PARTIAL: "yellow",
    IngestResult.AMBIGUOUS: "yellow",
    IngestResult.NOT_FOUND: "red",
    IngestResult.FAILED: "red",
}
_STORED = (IngestResult.COMPLETE, IngestResult.PARTIAL)
_SHOWN_PROBLEMS = 25
_PAGE = 500


def ingest(
    album: Annotated[str | None, typer.Argument(help="The album's name.")] = None,
    artist: Annotated[str | None, typer.Argument(help="The artist's name.")] = None,
    file: Annotated[Path | None, typer.Option("--file", "-f", help="CSV of albums: album,artist per line.")] = None,
    aoty_url: Annotated[str | None, typer.Option(help="The album's page on Album of the Year.")] = None,
    aoty_page: Annotated[Path | None, typer.Option(help="The same page, saved by your browser.")] = None,
    wait: Annotated[bool, typer.Option(help="With --file: stay until the job is done.")] = True,
    as_json: Json = False,
) -> None:
    """Collect one album, or all albums of a CSV file, from every source that is configured.

    Exit code: 0 all stored, 1 some were not, 2 the input cannot be used (nothing was stored then).
    """
    from backend.services.album_list import read_album_list

    if file is not None:
        if album is not None or artist is not None:
            raise InvalidInputError("give either an album and an artist, or --file, not both")
        albums = read_album_list(file)
        run(_ingest_list(albums, wait=wait, as_json=as_json))
        return
    if album is None or artist is None:
        raise InvalidInputError('give an album and an artist: tensoe ingest "Abbey Road" "The Beatles", or --file')
    hints = {"aoty_url": aoty_url} if aoty_url else {}
    if aoty_page is not None:
        hints["aoty_html"] = read_text(aoty_page)
    run(_ingest_one(AlbumQuery(album=album, artist=artist, hints=hints), as_json=as_json))


async def _ingest_one(query: AlbumQuery, *, as_json: bool) -> None:
    async with opened(worker=False) as container:
        with contextlib.nullcontext() if as_json else err.status(Text(f"asking for {query.album} …")):
            report = await container.ingestion.ingest(query)
        album = await container.albums.album(report.album_id) if report.album_id else {"tracks": []}
        tracks = album["tracks"]
    if as_json:
        show_json({"report": report, "tracks": tracks})
    else:
        _show_report(report, tracks)
        if "title" in album and (album["title"], album["artist"]) != (query.album, query.artist):
            out.print(Text(f"Taken for: {album['title']} – {album['artist']}", style="dim"))
    if report.result not in _STORED:
        raise typer.Exit(1)


def _show_report(report: IngestReport, tracks: list[dict[str, Any]]) -> None:
    out.print(_headline(report.album, report.artist, report.result, f"{len(tracks)} tracks stored" if tracks else ""))
    sources = Table("source", "outcome", "detail", box=None, pad_edge=False)
    for s in report.sources:
        until = f"until {s.retry_at:%Y-%m-%d %H:%M} UTC " if s.retry_at else ""
        sources.add_row(
            s.source, Text(s.outcome, style="green" if s.outcome is Outcome.OK else "dim"), until + s.detail
        )
    out.print(sources)
    if not tracks:
        return
    listing = Table("#", "title", "length", "genres", "moods", box=None, pad_edge=False)
    for t in tracks:
        seconds = (t["duration_ms"] or 0) // 1000
        listing.add_row(
            str(t["track_number"] or ""),
            Text(t["title"]),
            f"{seconds // 60}:{seconds % 60:02d}" if seconds else "",
            Text(", ".join((t["genres"] or [])[:3])),
            Text(", ".join((t["moods"] or [])[:3])),
        )
    out.print(listing)
    if any(t["synthetic"] for t in tracks):
        out.print(Text("Audio features, popularity and scores of this album are made up (demo).", style="yellow"))


def _headline(album: str, artist: str, result: IngestResult, tail: str) -> Text:
    return Text.assemble(
        (album, "bold"), f" – {artist}: ", (result.value, _COLOURS[result]), f", {tail}" if tail else ""
    )


async def _ingest_list(albums: list[AlbumQuery], *, wait: bool, as_json: bool) -> None:
    async with opened(worker=wait) as container:
        job_id = await container.ingestion.submit(albums)
        if not wait:
            out.print(f"job {job_id}: {len(albums)} albums wait; a running server works on them (tensoe jobs {job_id})")
            return
        err.print(f"job {job_id}: {len(albums)} albums (stopping this command loses nothing: tensoe resume goes on)")
        status = await follow(partial(container.ingestion.status, job_id, limit=1))
        items = await _items(container, job_id, status.total)
    if as_json:
        show_json({"job": status, "items": items})
    else:
        show_job(status, items)
    if any(i.result not in _STORED for i in items):
        raise typer.Exit(1)


async def _items(container: Container, job_id: str, total: int) -> list[JobItem]:
    items: list[JobItem] = []
    for offset in range(0, total, _PAGE):
        items += (await container.ingestion.status(job_id, offset=offset, limit=_PAGE)).items
    return items


def show_job(status: JobStatus, items: list[JobItem]) -> None:
    """Print how many albums ended how, and the first problems."""
    counts = ", ".join(f"{n} {name}" for name, n in status.counts.items() if n)
    out.print(f"{status.total} albums: {counts}")
    problems = [i for i in items if i.result is not None and i.result is not IngestResult.COMPLETE]
    for item in problems[:_SHOWN_PROBLEMS]:
        assert item.result is not None
        out.print(_headline(item.album, item.artist, item.result, item.detail or ""))
    if len(problems) > _SHOWN_PROBLEMS:
        out.print(f"… and {len(problems) - _SHOWN_PROBLEMS} more: tensoe jobs {status.id} --json")


def resume(as_json: Json = False) -> None:
    """Work on until every job that waits is done."""

    async def work() -> None:
        async with opened(worker=True) as container:
            waiting = [j for j in await container.ingestion.jobs(limit=1000) if j.finished_at is None]
            for job in reversed(waiting):
                status = await follow(partial(container.ingestion.status, job.id, limit=1))
                if as_json:
                    show_json(status)
                else:
                    show_job(status, await _items(container, job.id, status.total))
            if not waiting and not as_json:
                out.print("Nothing waits.")

    run(work())


def jobs(job_id: Annotated[str | None, typer.Argument(help="One job in full.")] = None, as_json: Json = False) -> None:
    """List the latest jobs, or show one."""

    async def work() -> None:
        async with opened(worker=False) as container:
            if job_id is None:
                found = await container.ingestion.jobs(limit=50)
                if as_json:
                    show_json(found)
                    return
                table = Table("job", "asked for", "albums", "state", box=None, pad_edge=False)
                for j in found:
                    counts = ", ".join(f"{n} {name}" for name, n in j.counts.items() if n)
                    table.add_row(j.id, f"{j.created_at:%Y-%m-%d %H:%M}", str(j.total), counts)
                out.print(table if found else "No job yet.")
                return
            status = await container.ingestion.status(job_id, limit=1)
            items = await _items(container, job_id, status.total)
            if as_json:
                show_json({"job": status, "items": items})
            else:
                show_job(status, items)

    run(work())


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (ingest, resume, jobs):
        app.command()(command)
