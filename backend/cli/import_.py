"""Commands that take in what the user has himself."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Table
from rich.text import Text

from backend.cli.console import Json, err, opened, out, run, show_json
from backend.cli.import_tables import table
from backend.models.import_results import ImportReport, ImportResult

if TYPE_CHECKING:
    from backend.services.dump_import import DumpReport

imports = typer.Typer(help="Take in what you saved yourself.", no_args_is_help=True)
imports.command("table")(table)

_SHOWN = 25
_TO_LOOK_AT = (ImportResult.UNREADABLE, ImportResult.AMBIGUOUS)
_SURE = 0.9  # a match by names below it is shown


@imports.command("aoty")
def aoty(
    paths: Annotated[
        list[Path], typer.Argument(help="Saved album pages (.html), tables of scores (.csv), or folders of them.")
    ],
    as_json: Json = False,
) -> None:
    """Take in pages of Album of the Year as your browser saved them, and tables of its scores; nothing is asked of the site.

    Each is laid onto the stored album it is about (by its link to Spotify, else by names); others become albums of their own.
    Exit code: 0 everything was taken, 1 something could not be, 2 a path is not there.
    """
    from backend.services.import_files import files_at

    files = files_at(paths)

    async def work() -> ImportReport:
        async with opened(worker=False) as container:
            with err.status(f"taking in {len(files):,} {'file' if len(files) == 1 else 'files'} …"):
                return await container.services.imports.run(files)

    async def show() -> None:
        report = await work()
        if as_json:
            show_json(report)
        else:
            _show(report)
        if any(report.counts[result] for result in _TO_LOOK_AT):
            raise typer.Exit(1)

    run(show())


@imports.command("acousticbrainz")
def acousticbrainz(
    paths: Annotated[
        list[Path], typer.Argument(help="Archives (.tar.zst, .tar.gz, .tar) or folders of unpacked ones.")
    ],
    as_json: Json = False,
) -> None:
    """Take in AcousticBrainz's dump files: tempo, key and weak labels of the recordings that the catalogue has.

    The archives are read as they are, nothing is unpacked; `sha256sums` beside them is checked. Exit code: 0 all was read,
    1 some entries could not be, 2 a file cannot be used (nothing was stored then).
    """

    async def work() -> DumpReport:
        async with opened(worker=False) as container:
            with _bytes_bar() as tell:
                return await container.services.dumps.run("acousticbrainz", paths, progress=tell)

    async def show() -> None:
        report = await work()
        if as_json:
            show_json(report)
        else:
            rate = report.entries / report.seconds if report.seconds else 0.0
            out.print(
                f"{report.entries:,} entries in {report.seconds:.1f} s ({rate:,.0f} a second): {report.wanted:,} of "
                f"{report.recordings:,} recordings on {report.albums:,} albums; {report.changed:,} albums changed."
            )
            for example in report.examples:
                out.print(Text(f"cannot be read: {example}", style="red"))
        if report.broken:
            raise typer.Exit(1)

    run(show())


@contextlib.contextmanager
def _bytes_bar() -> Iterator[Callable[[str, int, int], None]]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=err, transient=True) as bar:
        tasks: dict[str, TaskID] = {}

        def tell(file: str, done: int, total: int) -> None:
            if file not in tasks:
                tasks[file] = bar.add_task(file, total=total)
            bar.update(tasks[file], completed=done)

        yield tell


def _show(report: ImportReport) -> None:
    total = sum(report.counts.values())
    counts = ", ".join(f"{n:,} {result}" for result in ImportResult if (n := report.counts[result]))
    rate = f", {total / report.seconds:,.0f} a second" if total > _SHOWN and report.seconds else ""
    out.print(f"{total:,} pages and rows in {report.seconds:.1f} s{rate}: {counts or 'none'}")
    for file, columns in report.unused_columns.items():
        if columns:
            out.print(Text(f"{file}: columns not used: {', '.join(columns)}", style="dim"))
    looked_at = [i for i in report.items if i.result in _TO_LOOK_AT]
    unsure = [i for i in report.items if i.result is ImportResult.MATCHED and (i.score or 0.0) < _SURE]
    shown = [*looked_at, *unsure][:_SHOWN]
    if not shown:
        return
    table = Table("what", "where", "name", "why", box=None, pad_edge=False)
    for item in shown:
        where = item.file if item.line is None else f"{item.file}:{item.line}"
        why = item.detail or f"{item.method} {item.score:.2f}, album {item.album_id}"
        style = "red" if item.result in _TO_LOOK_AT else "yellow"
        table.add_row(Text(item.result, style=style), Text(where), Text(item.name), Text(why))
    out.print(table)
    if (more := len(looked_at) + len(unsure) - len(shown)) > 0:
        out.print(f"and {more:,} more; --json names all")
