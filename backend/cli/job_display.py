"""Jobs on the screen: bars while they are worked on, and what became of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.text import Text

from backend.cli.console import err, out, show_json
from backend.models.results import IngestResult, JobItem

if TYPE_CHECKING:
    from backend.models.job_progress import JobProgress, SourceProgress
    from backend.startup import Container

COLOURS: Final = {
    IngestResult.COMPLETE: "green",
    IngestResult.PARTIAL: "yellow",
    IngestResult.AMBIGUOUS: "yellow",
    IngestResult.THROTTLED: "yellow",
    IngestResult.CANCELLED: "dim",
    IngestResult.NOT_FOUND: "red",
    IngestResult.BLOCKED: "red",
    IngestResult.FAILED: "red",
}
WAITS: Final = 3
"""The exit code when all that is left of a job waits for a source, or the job rests; the job stays."""

_STORED: Final = (IngestResult.COMPLETE, IngestResult.PARTIAL)
_PROBLEMS: Final = tuple(r for r in IngestResult if r is not IngestResult.COMPLETE)
_UNDECIDED: Final = frozenset({"queued", "running", "waiting"})
_SHOWN_PROBLEMS: Final = 25
_PAGE: Final = 500


async def follow(container: Container, job_id: str) -> JobProgress:
    """Show bars until a job has ended, or nothing happens in it for longer than a minute.

    One bar for the albums and one per source: done of all, requests a second, until when it is throttled, when it will be done.
    """
    from backend.services.job_following import waits_long

    columns = (
        TextColumn("{task.fields[name]}", justify="right"), BarColumn(bar_width=24), MofNCompleteColumn(),
        TextColumn("{task.description}"),
    )  # fmt: skip
    with Progress(*columns, console=err) as screen:
        tasks: dict[str, TaskID] = {}
        async for found in container.services.following.follow(job_id):
            done = found.total - sum(found.counts.get(name, 0) for name in _UNDECIDED)
            _show(screen, tasks, "albums", done=done, total=found.total, said=_albums(found))
            for s in found.sources:
                _show(screen, tasks, s.source, done=sum(s.done.values()), total=s.total, said=_source(s))
            if found.ended or waits_long(found):
                return found
    raise AssertionError("following ends with the job")


def _show(screen: Progress, tasks: dict[str, TaskID], name: str, *, done: int, total: int, said: str) -> None:
    if name not in tasks:
        tasks[name] = screen.add_task("", name=name, total=total)
    screen.update(tasks[name], completed=done, total=total, description=said)


def _albums(found: JobProgress) -> str:
    results = ", ".join(f"{n} {name}" for name, n in found.counts.items() if n and name not in {"queued", "running"})
    end = "" if found.expected_end is None else f"expected end {_when(found.expected_end)}"
    return "; ".join(part for part in (results, end) if part)


def _source(source: SourceProgress) -> str:
    parts = []
    if source.rate is not None and source.allowed is not None and source.queued:
        parts.append(f"{source.rate:.1f} of {source.allowed:.1f} requests/s")
    if source.parked_until is not None:
        parts.append(f"throttled until {_when(source.parked_until)}")
    elif source.parked:
        parts.append(f"{source.parked} asked again later")
    elif source.expected_end is not None:
        parts.append(f"until {_when(source.expected_end)}")
    return ", ".join(parts)


def _when(at: datetime) -> str:
    here = at.astimezone()
    return f"{here:%H:%M:%S}" if at.date() == datetime.now(UTC).date() else f"{here:%Y-%m-%d %H:%M}"


def say_waiting(found: JobProgress) -> None:
    """Say plainly for whom a job waits, and how to go on."""
    if found.state == "paused":
        err.print(f"job {found.id} rests; `tensoe resume {found.id}` goes on with it", style="yellow")
        return
    left = found.counts.get("waiting", 0)
    until = "" if found.waits_until is None else f" until {_when(found.waits_until)}"
    err.print(
        f"job {found.id}: {left} of {found.total} albums wait{until}; nothing can be asked before", style="yellow"
    )
    for source in found.sources:
        if source.parked:
            said = f" until {_when(source.parked_until)}: {source.reason}" if source.parked_until else ""
            err.print(Text(f"  {source.source}: {source.parked} albums{said}", style="yellow"))
    err.print(
        "What is known of them is stored. The rest is asked for by itself while a server (`tensoe serve`) or "
        "`tensoe worker` runs, or by `tensoe resume` later."
    )


async def show_outcome(container: Container, job_id: str, *, as_json: bool) -> bool:
    """Print what became of a job's albums; answers whether all are stored."""
    status = await container.ingestion.status(job_id, limit=0)
    if as_json:
        show_json({"job": status, "items": await items(container, job_id, status.total)})
    else:
        counts = ", ".join(f"{n} {name}" for name, n in status.counts.items() if n)
        out.print(f"{status.total} albums: {counts}")
        await _show_problems(container, job_id)
    return all(not n or name in _STORED for name, n in status.counts.items())


async def _show_problems(container: Container, job_id: str) -> None:
    shown = 0
    offered = False
    async for page in container.services.reports.albums(job_id, results=_PROBLEMS):
        for album in page:
            if shown == _SHOWN_PROBLEMS:
                out.print(f"… and more: tensoe report {job_id}")
                return
            assert album.result is not None  # these have ended
            lacking = sorted({name for s in album.sources for name in s.missing})
            tail = f"{album.detail}; nobody gave {', '.join(lacking)}" if lacking else album.detail
            out.print(headline(album.album, album.artist, album.result, tail))
            shown += 1
            offered |= album.result in {IngestResult.NOT_FOUND, IngestResult.AMBIGUOUS}
    if offered:
        out.print(
            Text("tensoe unmatched shows what was offered for those not found, to be decided by you.", style="dim")
        )


def headline(album: str, artist: str, result: IngestResult, tail: str) -> Text:
    """An album and what became of it, in a line."""
    return Text.assemble(
        (album, "bold"), f" – {artist}: ", (result.value, COLOURS[result]), f", {tail}" if tail else ""
    )


async def items(container: Container, job_id: str, total: int) -> list[JobItem]:
    """All albums of a job."""
    found: list[JobItem] = []
    for offset in range(0, total, _PAGE):
        found += (await container.ingestion.status(job_id, offset=offset, limit=_PAGE)).items
    return found
