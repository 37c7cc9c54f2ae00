"""The command that takes in tables, and what it says of them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from backend.cli.console import Json, err, opened, out, run, show_json
from backend.models.bulk_import import Finding, TableReport
from backend.models.ingestion_models import Rights
from backend.services.csv_cells import csv_rows
from backend.utils.errors import InvalidInputError

if TYPE_CHECKING:
    from backend.services.table_preparing import Options

_SHOWN = 5  # findings of each kind


def table(
    paths: Annotated[
        list[Path],
        typer.Argument(
            help="Tables: .csv, .tsv, .parquet, .ndjson, also .gz and .zst; MusicBrainz's mbdump.tar.bz2 or its folder."
        ),
    ],
    columns: Annotated[
        list[str] | None,
        typer.Option(
            "--map", help="FIELD=COLUMN, e.g. title=song; FIELD= for none; @UNIT behind it: duration_ms=len@seconds."
        ),
    ] = None,
    source: Annotated[
        str | None, typer.Option(help="As whose values they are stored (spotify_table, table, …).")
    ] = None,
    rights: Annotated[
        str | None, typer.Option(help="What the table's terms allow: open, noncommercial, restricted, unknown.")
    ] = None,
    encoding: Annotated[str, typer.Option(help="How text is written, e.g. cp1252.")] = "utf-8",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be read; store nothing.")] = False,
    report: Annotated[Path | None, typer.Option(help="Write everything that is to be looked at into this CSV.")] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Of MusicBrainz's dump also albums that the catalogue does not have.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Take in tables of tracks or albums; which column is what is guessed and shown. A second time changes nothing.

    An import that was interrupted goes on where it was when the same command is given again.
    Exit code: 0 all rows were taken, 1 some could not be, 2 a table cannot be used.
    """
    from backend.ingestion.tables.mbdump import is_dump
    from backend.ingestion.tables.reading import at
    from backend.services.table_preparing import Options

    options = Options(
        columns=_columns(columns or []), source=source, rights=_rights(rights), encoding=encoding, dry_run=dry_run,
        everything=everything,
    )  # fmt: skip
    sources = [path if is_dump(path) else at(path) for path in paths]

    async def work() -> list[TableReport]:
        async with opened(worker=False) as container:
            with _findings_into(report) as write, _bar() as tell:
                tables = container.services.tables
                return [
                    await tables.run_dump(one, options, progress=tell(one.name))
                    if isinstance(one, Path)
                    else await tables.run(one, options, progress=tell(one.name), findings=write(one.name))
                    for one in sources
                ]

    async def show() -> None:
        reports = await work()
        if as_json:
            show_json(reports)
        else:
            for one in reports:
                _show(one, options)
            if report is not None:
                out.print(Text(f"everything to be looked at stands in {report}"))
        if any(one.found.get(kind) for one in reports for kind in ("unusable row", "ambiguous")):
            raise typer.Exit(1)

    run(show())


def _columns(given: Sequence[str]) -> dict[str, str]:
    found = {}
    for pair in given:
        name, equals, column = pair.partition("=")
        if not equals or not name:
            raise InvalidInputError(f"--map {pair} is not of the form FIELD=COLUMN")
        found[name.strip()] = column.strip()
    return found


def _rights(given: str | None) -> Rights | None:
    if given is None:
        return None
    allowed = [r.value for r in Rights if r is not Rights.SYNTHETIC]
    if given not in allowed:
        raise InvalidInputError(f"--rights {given}: there are {', '.join(allowed)}")
    return Rights(given)


@contextlib.contextmanager
def _findings_into(path: Path | None) -> Iterator[Callable[[str], Callable[[Sequence[Finding]], None]]]:
    """Where findings are written: a CSV, or nowhere."""
    if path is None:
        yield lambda _: lambda _: None
        return
    try:
        file = path.open("wb")
    except OSError as problem:
        raise InvalidInputError(f"{path} cannot be written: {problem.strerror}") from problem
    with file:
        file.write(csv_rows([("file", "kind", "lines", "name", "detail")]))

        def write(name: str) -> Callable[[Sequence[Finding]], None]:
            def told(found: Sequence[Finding]) -> None:
                file.write(csv_rows((name, f.kind, " ".join(map(str, f.lines)), f.name, f.detail) for f in found))

            return told

        yield write


@contextlib.contextmanager
def _bar() -> Iterator[Callable[[str], Callable[[int, int], None]]]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True) as bar:

        def tell(name: str) -> Callable[[int, int], None]:
            task = bar.add_task(escape(Path(name).name), total=None)
            return lambda done, total: bar.update(task, completed=done, total=total)

        yield tell


def _show(found: TableReport, options: Options) -> None:
    out.print(Text(f"{found.file}: {_SHAPES.get(found.shape, found.shape)}", style="bold"))
    shown = Table("field", "column", "unit", "for example", box=None, pad_edge=False)
    for column in found.columns:
        shown.add_row(column.field, Text(column.column), column.unit, Text(" · ".join(column.samples), style="dim"))
    out.print(shown)
    if found.unused:
        out.print(Text(f"not used: {', '.join(found.unused)}", style="dim"))
    out.print(Text(f"stored as {found.source}, rights {found.rights}: {found.why}."))
    out.print(Text(_LEVELS[found.rights]))
    made = f"{found.rows:,} rows: {found.tracks:,} tracks of {found.albums:,} albums"
    if found.singles:
        made += f", {found.singles:,} of them made of a track that says no album"
    out.print(made + ".")
    _show_findings(found)
    if options.dry_run:
        out.print("Nothing was stored (--dry-run).")
        return
    if found.resumed:
        out.print(f"Gone on behind {found.resumed:,} rows that an interrupted import had stored.")
    counts = ", ".join(f"{n:,} {what}" for what, n in found.counts.items() if n)
    rate = f" ({(found.rows - found.resumed) / found.seconds:,.0f} rows a second)" if found.seconds else ""
    out.print(f"Albums: {counts or 'none'}; {found.seconds:.1f} s{rate}.")


def _show_findings(found: TableReport) -> None:
    for kind, number in found.found.items():
        style = "yellow" if kind in {"duplicate", "unread cell"} else "red"
        out.print(Text(f"{number:,} × {kind}:", style=style))
        for one in [e for e in found.examples if e.kind == kind][:_SHOWN]:
            lines = ", ".join(f"{line:,}" for line in one.lines[:6])
            name = f" {one.name}:" if one.name else ""
            out.print(Text(f"  line {lines}:{name} {one.detail}"))
        if number > _SHOWN:
            out.print(Text(f"  and {number - _SHOWN:,} more (--report FILE names all)", style="dim"))


_SHAPES = {
    "spotify": "tracks with Spotify's identifiers or features",
    "tracks": "tracks",
    "albums": "albums",
    "tags": "tags",
    "dump": "tables of MusicBrainz's dump",
    "scores": "scores of Album of the Year",
}
_LEVELS = {
    "open": "Shown at every level of rights.",
    "noncommercial": "Shown with rights=any and rights=noncommercial, never with rights=open.",
    "restricted": "Shown with rights=any alone, never with rights=open or rights=noncommercial.",
    "unknown": "Shown with rights=any alone, never with rights=open or rights=noncommercial.",
}
