"""Commands that collect: ingest, resume, jobs."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from backend.cli.console import Json, err, opened, out, read_text, run, show_json
from backend.cli.job_display import WAITS, follow, headline, say_waiting, show_outcome
from backend.models.ingestion_models import AlbumQuery, Outcome
from backend.models.results import IngestReport, IngestResult
from backend.utils.errors import InvalidInputError

_STORED = (IngestResult.COMPLETE, IngestResult.PARTIAL)


def ingest(
    album: Annotated[str | None, typer.Argument(help="The album's name.")] = None,
    artist: Annotated[str | None, typer.Argument(help="The artist's name.")] = None,
    file: Annotated[Path | None, typer.Option("--file", "-f", help="CSV of albums: album,artist per line.")] = None,
    aoty_url: Annotated[str | None, typer.Option(help="The album's page on Album of the Year.")] = None,
    aoty_page: Annotated[Path | None, typer.Option(help="The same page, saved by your browser.")] = None,
    wait: Annotated[bool, typer.Option(help="With --file: stay until the job is done.")] = True,
    priority: Annotated[int, typer.Option(help="With --file: -100 to 100; the highest goes first.")] = 0,
    as_json: Json = False,
) -> None:
    """Collect one album, or all albums of a CSV file, from every source that is configured.

    Exit code: 0 all stored, 1 some were not, 2 the input cannot be used (nothing was stored then), 3 what is left waits for a
    source for longer than a minute: the job stays, and a server, `tensoe worker` or `tensoe resume` goes on with it.
    """
    from backend.services.album_list import read_album_list

    if file is not None:
        if album is not None or artist is not None:
            raise InvalidInputError("give either an album and an artist, or --file, not both")
        albums = read_album_list(file)
        run(_ingest_list(albums, wait=wait, priority=priority, as_json=as_json))
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
    out.print(headline(report.album, report.artist, report.result, f"{len(tracks)} tracks stored" if tracks else ""))
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


async def _ingest_list(albums: list[AlbumQuery], *, wait: bool, priority: int, as_json: bool) -> None:
    from backend.services.job_service import check_priority

    check_priority(priority)
    async with opened(worker=wait) as container:
        job_id = await container.ingestion.submit(albums, priority=priority)
        if not wait:
            out.print(f"job {job_id}: {len(albums)} albums wait; a running server works on them (tensoe jobs {job_id})")
            return
        err.print(f"job {job_id}: {len(albums)} albums (stopping this command loses nothing: tensoe resume goes on)")
        found = await follow(container, job_id)
        stored = await show_outcome(container, job_id, as_json=as_json)
    if not found.ended:
        say_waiting(found)
        raise typer.Exit(WAITS)
    if not stored:
        raise typer.Exit(1)


def resume(
    job_id: Annotated[str | None, typer.Argument(help="One job; when it rests it goes on. Without: all.")] = None,
    wait: Annotated[bool, typer.Option(help="Stay and work; else a server or worker does.")] = True,
    as_json: Json = False,
) -> None:
    """Work on until every job that waits is done, or one job that is named; jobs that rest are left alone unless named.

    Exit code: 0 nothing is left, 3 what is left waits for a source for longer than a minute, or rests: the jobs stay.
    """

    async def work() -> None:
        async with opened(worker=False) as container:
            if job_id is None:
                waiting = [j for j in await container.ingestion.jobs(limit=1000) if j.finished_at is None]
            else:
                waiting = [await container.services.jobs.resume(job_id)]
            if not wait:
                return
            container.ingestion.start()
            left = []
            for job in reversed(waiting):
                found = await follow(container, job.id)
                await show_outcome(container, job.id, as_json=as_json)
                if not found.ended:
                    left.append(found)
            if not waiting and not as_json:
                out.print("Nothing waits.")
        for found in left:
            say_waiting(found)
        if left:
            raise typer.Exit(WAITS)

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
                table = Table("job", "asked for", "kind", "state", "albums", "", box=None, pad_edge=False)
                for j in found:
                    counts = ", ".join(f"{n} {name}" for name, n in j.counts.items() if n)
                    table.add_row(j.id, f"{j.created_at:%Y-%m-%d %H:%M}", j.kind, j.state, str(j.total), counts)
                out.print(table if found else "No job yet.")
                return
            await show_outcome(container, job_id, as_json=as_json)

    run(work())


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (ingest, resume, jobs):
        app.command()(command)
