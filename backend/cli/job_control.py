"""Commands on jobs as a whole: pause, cancel, priority, retry, dead-letters, report."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from backend.cli.console import Json, opened, out, run, show_json
from backend.cli.job_display import headline
from backend.models.results import IngestResult, JobStatus
from backend.utils.errors import InvalidInputError

_Job = Annotated[str, typer.Argument(help="The job's id, as `tensoe jobs` lists it.")]
_Priority = Annotated[int, typer.Option(help="Of the new job, -100 to 100; the highest goes first.")]


def pause(job_id: _Job, as_json: Json = False) -> None:
    """Let a job rest: nobody is asked for it until `tensoe resume ID`."""

    async def work() -> None:
        async with opened(worker=False) as container:
            _show(await container.services.jobs.pause(job_id), as_json=as_json)

    run(work())


def cancel(job_id: _Job, as_json: Json = False) -> None:
    """Call a job off: what is not done ends as cancelled, what is stored stays."""

    async def work() -> None:
        async with opened(worker=False) as container:
            _show(await container.services.jobs.cancel(job_id), as_json=as_json)

    run(work())


def priority(
    job_id: _Job,
    number: Annotated[int, typer.Argument(help="-100 to 100; the highest goes first, usual is 0.")],
    as_json: Json = False,
) -> None:
    """Say how much a job matters: jobs of a higher priority go first, those of the same take turns."""

    async def work() -> None:
        async with opened(worker=False) as container:
            _show(await container.services.jobs.prioritise(job_id, number), as_json=as_json)

    run(work())


def _show(status: JobStatus, *, as_json: bool) -> None:
    if as_json:
        show_json(status)
        return
    counts = ", ".join(f"{n} {name}" for name, n in status.counts.items() if n)
    out.print(f"job {status.id}: {status.state}, priority {status.priority}; {counts}")


def retry(
    job_id: Annotated[str | None, typer.Argument(help="The job whose albums are taken up again.")] = None,
    only: Annotated[
        str, typer.Option(help="How they ended, joined by commas: failed,blocked,throttled,partial,ambiguous,…")
    ] = "",
    dead_letters: Annotated[bool, typer.Option(help="All albums that failed, of all jobs.")] = False,
    priority: _Priority = 0,
    as_json: Json = False,
) -> None:
    """Take up again, as a new job, the albums that did not end well; each once.

    By default those that ended partial, blocked, throttled, failed or cancelled. Of an album stored in part only the sources
    that gave no answer are asked. A running server or worker, or `tensoe resume`, works on it.
    """
    if (job_id is None) != dead_letters:
        raise InvalidInputError("give either a job's id or --dead-letters")

    async def work() -> None:
        async with opened(worker=False) as container:
            jobs = container.services.jobs
            if job_id is None:
                made = await jobs.retry_dead(priority=priority)
            else:
                made = await jobs.retry(job_id, only=_results(only), priority=priority)
        if as_json:
            show_json(made)
        else:
            out.print(f"job {made.job_id}: {made.total:,} albums are taken up again (tensoe resume works on it here)")

    run(work())


def _results(only: str) -> list[IngestResult]:
    try:
        return [IngestResult(name.strip().lower().replace(" ", "_")) for name in only.split(",") if name.strip()]
    except ValueError as problem:
        known = ", ".join(r for r in IngestResult if r is not IngestResult.COMPLETE)
        raise InvalidInputError(f"--only {only!r} is not known; choose among {known}") from problem


def dead_letters(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 50,
    cursor: Annotated[str | None, typer.Option(help="Where the page before ended.")] = None,
    as_json: Json = False,
) -> None:
    """List the albums that failed, over all jobs, the latest first; `tensoe retry --dead-letters` takes them up again."""

    async def work() -> None:
        async with opened(worker=False) as container:
            found, following = await container.services.jobs.dead_letters(cursor=cursor, limit=limit)
        if as_json:
            show_json({"data": found, "next_cursor": following})
            return
        for letter in found:
            out.print(headline(letter.album, letter.artist, IngestResult.FAILED, letter.detail))
            for s in letter.sources:
                tries = "once" if s.attempts == 1 else f"{s.attempts} times"
                out.print(Text(f"  {s.source}, tried {tries}: {s.outcome} {s.detail}", style="dim"))
        if not found:
            out.print("No album failed that was not taken up already.")
        elif following is not None:
            out.print(f"There are more: tensoe dead-letters --cursor {following}")

    run(work())


def report(
    job_id: _Job,
    csv: Annotated[Path | None, typer.Option(help="Write a CSV file: a row an album, a column a source.")] = None,
    as_json: Json = False,
) -> None:
    """Say what became of each album of a job, and why: what is missing, who gave no answer, until when it is parked."""

    async def work() -> None:
        async with opened(worker=False) as container:
            reports = container.services.reports
            if csv is not None:
                _, chunks = await reports.stream(job_id, form="csv")
                try:
                    with csv.open("wb") as file:
                        async for chunk in chunks:
                            file.write(chunk)
                except OSError as problem:
                    raise InvalidInputError(f"{csv} cannot be written: {problem.strerror}") from problem
                out.print(f"Written to {csv}.")
                return
            if as_json:
                _, chunks = await reports.stream(job_id, form="json")
                async for chunk in chunks:
                    sys.stdout.write(chunk.decode())
                sys.stdout.write("\n")
                return
            status = await container.ingestion.status(job_id, limit=0)
            _show(status, as_json=False)
            table = Table("album", "artist", "result", "why", box=None, pad_edge=False)
            async for page in reports.albums(job_id):
                for a in page:
                    lacking = sorted({name for s in a.sources for name in s.missing})
                    until = f"again from {a.parked_until:%Y-%m-%d %H:%M} UTC" if a.parked_until else ""
                    missing = f"nobody gave {', '.join(lacking)}" if lacking else ""
                    why = "; ".join(part for part in (a.detail, missing, until) if part)
                    table.add_row(Text(a.album), Text(a.artist), a.result or a.state, Text(why))
            out.print(table)

    run(work())


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(pause)
    app.command()(cancel)
    app.command(context_settings={"ignore_unknown_options": True})(priority)  # else -5 would be an option
    app.command()(retry)
    app.command("dead-letters")(dead_letters)
    app.command()(report)
