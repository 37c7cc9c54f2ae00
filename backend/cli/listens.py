"""Commands for listening histories: import, show, resolve, forget."""

from __future__ import annotations

import contextlib
from collections import Counter
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.table import Table
from rich.text import Text

from backend.cli.console import Json, err, opened, out, run, show_json
from backend.models.listening import HistoryReport, LeftOut, ListenerSummary

listens = typer.Typer(help="What you listened to, by your own exports.", invoke_without_command=True)

Listener = Annotated[str, typer.Option("--listener", "-l", help="Whose history it is; any name.")]
Whose = Annotated[str | None, typer.Option("--listener", "-l", help="Whose; without it everybody's.")]

_SHOWN = 25
_TOP = 10
_WORDS: Final = {
    LeftOut.NOT_MUSIC: "podcasts and audio books",
    LeftOut.PRIVATE: "heard in a private session",
    LeftOut.UNNAMED: "without names",
    LeftOut.UNDATED: "without a date (playing just then)",
}


@listens.command("import")
def import_(
    paths: Annotated[
        list[Path],
        typer.Argument(
            help="Exports of Spotify, Last.fm or ListenBrainz: .json, .jsonl, .csv, .zip, or folders of them."
        ),
    ],
    listener: Listener = "me",
    consent: Annotated[bool, typer.Option("--consent", help="Agree to what is kept, without being asked.")] = False,
    as_json: Json = False,
) -> None:
    """Take in exports of your listening history; twice, or several that overlap, adds nothing twice.

    The first time it says what is kept, why and how to erase it, and asks. Each file is recognised by its content. Exit code: 0
    all was read, 1 some rows could not be, 2 a file is no history (nothing was stored then).
    """
    from backend.ingestion.histories.files import files_at

    files = files_at(paths)

    async def work() -> HistoryReport:
        async with opened(worker=False) as container:
            service = container.services.listening
            agreed = consent or await service.has_consent(listener) or _ask(listener)
            with err.status("looking at the files …") as status:
                return await service.take_in(
                    files,
                    listener=listener,
                    consent=agreed,
                    progress=lambda report: status.update(f"{report.listens:,} listens read, {report.added:,} new …"),
                )

    async def show() -> None:
        report = await work()
        if as_json:
            show_json(report)
        else:
            _show_report(report)
        if any(file.broken for file in report.files):
            raise typer.Exit(1)

    run(show())


@listens.command("show")
def show(listener: Whose = None, as_json: Json = False) -> None:
    """Show what is stored: how much, from when to when, how much of it the catalogue has, the artists played most."""

    async def work() -> None:
        async with opened(worker=False) as container:
            service = container.services.listening
            found = await service.listeners() if listener is None else [await service.summary(listener)]
        if as_json:
            show_json(found)
            return
        if not found:
            out.print("No listening history is stored; take one in with: tensoe listens import PATH")
        for summary in found:
            _show_summary(summary)

    run(work())


@listens.callback()
def main(context: typer.Context) -> None:
    """What you listened to, by your own exports of Spotify, Last.fm and ListenBrainz. It stays yours: no catalogue has it."""
    if context.invoked_subcommand is None:
        show()


@listens.command("resolve")
def resolve(listener: Whose = None, as_json: Json = False) -> None:
    """Look again for the catalogue's tracks of listens that have none yet, after albums were ingested."""

    async def work() -> None:
        async with opened(worker=False) as container:
            with contextlib.nullcontext() if as_json else err.status("looking for tracks …"):
                resolved = await container.services.listening.resolve(listener)
        if as_json:
            show_json({"resolved": resolved})
        else:
            out.print(f"{_counted(resolved, 'listen')} laid onto tracks of the catalogue.")

    run(work())


@listens.command("forget")
def forget(
    name: Annotated[str, typer.Argument(help="The listener's name, as `tensoe listens` shows it.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
    as_json: Json = False,
) -> None:
    """Delete all that is stored of a listener, for good."""
    if not yes:
        typer.confirm(f"All listens of {name} will be deleted. Go on?", abort=True, err=True)

    async def work() -> None:
        async with opened(worker=False) as container:
            gone = await container.services.listening.forget(name)
        if as_json:
            show_json({"listener": name, "deleted": gone})
        else:
            out.print(Text(f"{_counted(gone, 'listen')} of {name} deleted."))

    run(work())


def _ask(listener: str) -> bool:
    from backend.services.listening_service import CONSENT

    err.print(Text(CONSENT))
    return typer.confirm(f"Does {listener} agree?", abort=True, err=True)


def _show_report(report: HistoryReport) -> None:
    rate = f" ({report.listens / report.seconds:,.0f} a second)" if report.seconds and report.listens > _SHOWN else ""
    known = report.listens - report.added - report.replaced
    out.print(
        f"{_counted(report.listens, 'listen')} read in {report.seconds:.1f} s{rate}: {report.added:,} new, {known:,} known "
        f"before" + (f", {report.replaced:,} now known to the second" if report.replaced else "") + "."
    )
    for source, number in report.elsewhere.items():
        out.print(f"Of those known before {number:,} are already known from {source}, and are not kept twice.")
    out.print(f"{_counted(report.resolved, 'listen')} of {report.listener} laid onto tracks of the catalogue.")
    left = Counter[str]()
    table = Table("file", "recognised as", "rows", "listens", "broken", box=None, pad_edge=False)
    for file in report.files:
        left.update(file.left_out)
    for file in report.files[:_SHOWN]:
        broken = f"{file.broken:,}" if file.broken else ""
        table.add_row(Text(file.file), file.form, f"{file.rows:,}", f"{file.listens:,}", broken)
    if left:
        out.print("Left out: " + ", ".join(f"{n:,} {_WORDS[LeftOut(why)]}" for why, n in left.items()) + ".")
    out.print(table)
    _say_more(len(report.files) - _SHOWN, "files")
    if report.passed_over:
        out.print(Text(f"passed over, no history: {', '.join(report.passed_over[:_SHOWN])}", style="dim"))
    for row in report.broken[:_SHOWN]:
        out.print(Text(f"{row.file}, {row.place}: {row.reason}", style="red"))
    _say_more(sum(file.broken for file in report.files) - min(_SHOWN, len(report.broken)), "broken rows")


def _say_more(number: int, what: str) -> None:
    if number > 0:
        out.print(f"and {number:,} more {what}; --json names more")


def _show_summary(found: ListenerSummary) -> None:
    share = found.resolved / found.listens
    sources = ", ".join(f"{n:,} {source}" for source, n in sorted(found.sources.items()))
    agreed = "" if found.consented_at is None else f", kept with consent of {found.consented_at:%Y-%m-%d}"
    out.print(Text.assemble((found.listener, "bold"), f"  {found.first:%Y-%m-%d} to {found.last:%Y-%m-%d}{agreed}"))
    out.print(
        f"{_counted(found.listens, 'listen')} ({sources}), {_counted(found.plays, 'play')} of 30 seconds or longer; "
        f"{_counted(found.tracks, 'track')}, {_counted(found.artists, 'artist')}, {found.ms_played / 3_600_000:,.0f} hours"
    )
    out.print(f"{share:.1%} of the listens are of tracks that the catalogue has")
    table = Table("artist", "plays", "in the catalogue", box=None, pad_edge=False)
    for artist in found.top_artists[:_TOP]:
        table.add_row(Text(artist.name), f"{artist.plays:,}", f"{artist.resolved / artist.plays:.0%}")
    out.print(table)


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
