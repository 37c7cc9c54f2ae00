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
        album = await container.albums.album(report.album_id) if report.album_id else {"tracks": []}
        tracks = album["tracks"]
    if as_json:
        out.print_json(msgspec.json.encode({"report": report, "tracks": tracks}).decode())
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
def status(as_json: Json = False) -> None:
    """Say what is stored, which share of tracks knows each field, and which sources can be asked."""

    async def work() -> None:
        async with _container(worker=False) as container:
            summary = await container.services.analytics.summary()
            coverage = await container.services.analytics.coverage()
            sources = container.ingestion.sources()
            where = container.database.place
        if as_json:
            found = {"database": where, "data": summary, "coverage": coverage, "sources": sources}
            out.print_json(msgspec.json.encode(found).decode())
            return
        out.print(
            f"{summary['tracks']:,} tracks on {summary['albums']:,} albums of {summary['artists']:,} artists in {where}"
        )
        if summary["synthetic_tracks"]:
            out.print(Text(f"{summary['synthetic_tracks']:,} tracks hold made-up values (demo)", style="yellow"))
        fields = Table("field", "known", box=None, pad_edge=False)
        for name, known in coverage["fields"].items():
            fields.add_row(name, f"{100 * known['share']:.1f} %")
        out.print(fields)
        asked = Table("source", "state", "rights", box=None, pad_edge=False)
        for s in sources:
            asked.add_row(s.name, s.unconfigured or ("asked" if s.in_use else "not asked (TENSOE_DEMO)"), s.rights)
        out.print(asked)

    _run(work())


_Target = Annotated[str, typer.Option(help="What y is: aoty_score, popularity, tempo, genre:rock, mood:mellow, …")]
_Limit = Annotated[int, typer.Option(help="At most so many rows.")]


@app.command()
def export(
    what: Annotated[str, typer.Argument(help="training-data or feature-matrix")],
    filename: Annotated[str, typer.Argument(help="A plain name; .csv, .parquet, .arrow or .jsonl decides the form.")],
    limit: _Limit = 10_000,
    target: _Target = "aoty_score",
    as_json: Json = False,
) -> None:
    """Write training data or the feature matrix into the export folder."""
    if what not in {"training-data", "feature-matrix"}:
        raise InvalidInputError(f"{what!r} cannot be exported; there are training-data and feature-matrix")

    async def work() -> None:
        async with _container(worker=False) as container:
            exports = container.services.exports
            if what == "training-data":
                made = await exports.training_data(filename, limit=limit)
            else:
                made = await exports.feature_matrix(filename, limit=limit, target=target)
            folder = container.settings.app.tensoe_home / "exports"
        if as_json:
            out.print_json(msgspec.json.encode(made).decode())
        else:
            out.print(f"{made.rows:,} rows, {made.bytes:,} bytes in {folder / made.name} (SHA-256 {made.sha256})")

    _run(work())


@app.command()
def recommend(
    track_id: Annotated[str, typer.Argument(help="The track's id, as the API and exports give it.")],
    k: Annotated[int, typer.Option(help="How many.")] = 10,
    as_json: Json = False,
) -> None:
    """Name the tracks most similar to one, with the reasons."""

    async def work() -> None:
        async with _container(worker=False) as container:
            found = await container.services.ml.recommendations(track_id, k=k)
        if as_json:
            out.print_json(msgspec.json.encode(found).decode())
            return
        table = Table("score", "track", "because", box=None, pad_edge=False)
        for row in found:
            table.add_row(
                f"{row['score']:.3f}", Text(f"{row['title']} – {row['artist']}"), Text("; ".join(row["reasons"]))
            )
        out.print(table)

    _run(work())


@demo.command("load")
def demo_load() -> None:
    """Ingest the shipped demo catalogue (while TENSOE_DEMO allows it)."""

    async def work() -> None:
        async with _container(worker=True) as container:
            job_id = await container.ingestion.load_demo()
            if job_id is None:
                out.print(
                    "The demo is off: a provider's key is set, or TENSOE_DEMO=off. TENSOE_DEMO=on switches it on."
                )
                return
            _show_job(await _follow(partial(container.ingestion.status, job_id, limit=1)), [])

    _run(work())


@demo.command("generate")
def demo_generate(
    albums: Annotated[int, typer.Argument(help="How many made-up albums.")],
    seed: Annotated[int, typer.Option(help="The same seed gives the same albums.")] = 0,
) -> None:
    """Store made-up albums, for trying things out at size; every row says that it is synthetic."""

    async def work() -> None:
        async with _container(worker=False) as container:
            with err.status("making albums up …"):
                count = await container.services.demo.generate(albums, seed=seed)
        out.print(f"{count:,} made-up albums are stored.")

    _run(work())


@demo.command("remove")
def demo_remove() -> None:
    """Remove the demo's and all made-up albums; what any real source knows stays."""

    async def work() -> None:
        async with _container(worker=False) as container:
            count = await container.services.demo.remove()
        out.print(f"{count:,} albums are removed.")

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
