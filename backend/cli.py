"""The `tensoe` command: what the API does, from a terminal."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from backend import __version__
from backend.models.ingestion_models import AlbumQuery, Outcome
from backend.models.results import IngestReport, IngestResult, JobItem, JobStatus
from backend.utils.errors import InvalidInputError, TensoeError

if TYPE_CHECKING:
    from backend.startup import Container

app = typer.Typer(
    name="tensoe",
    help="Music data for machine learning: from a list of albums to a training matrix.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
demo = typer.Typer(help="The shipped demo catalogue and made-up albums.", no_args_is_help=True)
app.add_typer(demo, name="demo")

_PIPED_COLUMNS = 200  # a pipe or a file has no width of its own
out = Console(soft_wrap=True, width=None if sys.stdout.isatty() else _PIPED_COLUMNS)
err = Console(stderr=True, width=None if sys.stderr.isatty() else _PIPED_COLUMNS)

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
_TICK_SECONDS = 0.3

Json = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]


def main() -> None:
    """Run the command; what goes wrong on purpose is one sentence and exit code 1, bad input 2."""
    try:
        app()
    except InvalidInputError as problem:
        err.print(Text(f"tensoe: {problem}", style="red"))
        raise SystemExit(2) from None
    except TensoeError as problem:
        err.print(Text(f"tensoe: {problem}", style="red"))
        raise SystemExit(1) from None


@contextlib.asynccontextmanager
async def _container(*, worker: bool) -> AsyncIterator[Container]:
    # Imported late: `tensoe --help` need not load the server.
    from backend.config.settings import Settings
    from backend.startup import configure, open_container

    settings = Settings()
    # The command's own output says what happened; the log only what is wrong, unless asked for.
    configure(settings, level=settings.app.log_level if "log_level" in settings.app.model_fields_set else "WARNING")
    async with open_container(settings, worker=worker) as container:
        yield container


def _run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


@app.command()
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
        _run(_ingest_list(albums, wait=wait, as_json=as_json))
        return
    if album is None or artist is None:
        raise InvalidInputError('give an album and an artist: tensoe ingest "Abbey Road" "The Beatles", or --file')
    hints = {"aoty_url": aoty_url} if aoty_url else {}
    if aoty_page is not None:
        hints["aoty_html"] = _read(aoty_page)
    _run(_ingest_one(AlbumQuery(album=album, artist=artist, hints=hints), as_json=as_json))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as problem:
        raise InvalidInputError(f"{path} cannot be read: {problem.strerror}") from problem


async def _ingest_one(query: AlbumQuery, *, as_json: bool) -> None:
    async with _container(worker=False) as container:
        with contextlib.nullcontext() if as_json else err.status(Text(f"asking for {query.album} …")):
            report = await container.ingestion.ingest(query)
        tracks = (await container.albums.album(report.album_id))["tracks"] if report.album_id else []
    if as_json:
        out.print_json(msgspec.json.encode({"report": report, "tracks": tracks}).decode())
    else:
        _show_report(report, tracks)
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
    async with _container(worker=wait) as container:
        job_id = await container.ingestion.submit(albums)
        if not wait:
            out.print(f"job {job_id}: {len(albums)} albums wait; a running server works on them (tensoe jobs {job_id})")
            return
        err.print(f"job {job_id}: {len(albums)} albums (stopping this command loses nothing: tensoe resume goes on)")
        status = await _follow(partial(container.ingestion.status, job_id, limit=1))
        items = await _items(container, job_id, status.total)
    if as_json:
        out.print_json(msgspec.json.encode({"job": status, "items": items}).decode())
    else:
        _show_job(status, items)
    if any(i.result not in _STORED for i in items):
        raise typer.Exit(1)


async def _follow(ask: Callable[[], Coroutine[Any, Any, JobStatus]]) -> JobStatus:
    """Show a bar until the job is finished."""
    columns = (
        BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=err) as bar:
        task = bar.add_task("", total=None)
        while True:
            status = await ask()
            results = ", ".join(
                f"{n} {name}" for name, n in status.counts.items() if n and name not in {"queued", "running"}
            )
            done = status.total - status.counts.get("queued", 0) - status.counts.get("running", 0)
            bar.update(task, total=status.total, completed=done, description=results)
            if status.finished_at is not None:
                return status
            await asyncio.sleep(_TICK_SECONDS)


async def _items(container: Container, job_id: str, total: int) -> list[JobItem]:
    items: list[JobItem] = []
    for offset in range(0, total, _PAGE):
        items += (await container.ingestion.status(job_id, offset=offset, limit=_PAGE)).items
    return items


def _show_job(status: JobStatus, items: list[JobItem]) -> None:
    counts = ", ".join(f"{n} {name}" for name, n in status.counts.items() if n)
    out.print(f"{status.total} albums: {counts}")
    problems = [i for i in items if i.result is not None and i.result is not IngestResult.COMPLETE]
    for item in problems[:_SHOWN_PROBLEMS]:
        assert item.result is not None
        out.print(_headline(item.album, item.artist, item.result, item.detail or ""))
    if len(problems) > _SHOWN_PROBLEMS:
        out.print(f"… and {len(problems) - _SHOWN_PROBLEMS} more: tensoe jobs {status.id} --json")


@app.command()
def resume(as_json: Json = False) -> None:
    """Work on until every job that waits is done."""

    async def work() -> None:
        async with _container(worker=True) as container:
            waiting = [j for j in await container.ingestion.jobs(limit=1000) if j.finished_at is None]
            for job in reversed(waiting):
                status = await _follow(partial(container.ingestion.status, job.id, limit=1))
                if as_json:
                    out.print_json(msgspec.json.encode(status).decode())
                else:
                    _show_job(status, await _items(container, job.id, status.total))
            if not waiting and not as_json:
                out.print("Nothing waits.")

    _run(work())


@app.command()
def jobs(job_id: Annotated[str | None, typer.Argument(help="One job in full.")] = None, as_json: Json = False) -> None:
    """List the latest jobs, or show one."""

    async def work() -> None:
        async with _container(worker=False) as container:
            if job_id is None:
                found = await container.ingestion.jobs(limit=50)
                if as_json:
                    out.print_json(msgspec.json.encode(found).decode())
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
                out.print_json(msgspec.json.encode({"job": status, "items": items}).decode())
            else:
                _show_job(status, items)

    _run(work())


@app.command()
def serve() -> None:
    """Create or migrate the tables, then serve on API_HOST:API_PORT (the same as `python -m backend.startup`)."""
    from backend.startup import main as start

    raise typer.Exit(start())


@app.command()
def version() -> None:
    """Say the version."""
    out.print(__version__)


if __name__ == "__main__":
    main()
