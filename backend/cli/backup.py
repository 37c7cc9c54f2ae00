"""`tensoe backup` and `tensoe restore`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from backend.cli.console import Json, opened, out, run, show_json

if TYPE_CHECKING:
    from backend.services.backup_service import Backup


def backup(
    file: Annotated[Path, typer.Argument(help="A file that is not there yet, such as tensoe-2026-11-30.tar.")],
    datasets: Annotated[bool, typer.Option(help="Also the data sets that were built.")] = True,
    as_json: Json = False,
) -> None:
    """Write everything into one file: the database at one moment, and the data sets. Whoever writes meanwhile goes on."""

    async def work() -> None:
        async with opened(worker=False) as container:
            _show("Backed up", file, await container.services.backups.make(file.absolute(), datasets=datasets), as_json)

    run(work())


def restore(
    file: Annotated[Path, typer.Argument(help="What `tensoe backup` wrote.")],
    as_json: Json = False,
) -> None:
    """Put a backup where nothing is yet: a new TENSOE_HOME, or an empty database. All of it or nothing."""

    async def work() -> None:
        async with opened(worker=False) as container:
            _show("Restored", file, await container.services.backups.restore(file.absolute()), as_json)

    run(work())


def _show(what: str, file: Path, found: Backup, as_json: bool) -> None:
    if as_json:
        show_json(found)
        return
    rows = ", ".join(f"{number:,} {table.replace('_', ' ')}" for table, number in found.counts.items() if number)
    out.print(Text(f"{what} {file}: {rows or 'no rows yet'}; {len(found.datasets)} data sets."), soft_wrap=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(backup)
    app.command()(restore)
