"""Commands that look after what is stored: rebuild, purge."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from backend.cli.console import Json, err, opened, out, run, show_json
from backend.repositories.remerging import Progress as Tell


def rebuild(as_json: Json = False) -> None:
    """Make all rows anew from what the sources said, by the settings of now; rows that come out the same stay untouched."""

    async def work() -> None:
        async with opened(worker=False) as container:
            with bar("albums") as tell:
                found = await container.services.upkeep.rebuild(progress=tell)
        if as_json:
            show_json(found)
        else:
            out.print(f"{found.albums:,} albums made anew, {found.changed:,} of them changed.")

    run(work())


def purge(
    source: Annotated[str, typer.Argument(help="The source's name, as `tensoe status` lists it.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
    as_json: Json = False,
) -> None:
    """Take out all that a source ever said; albums that nobody else knows go with it."""
    if not yes:
        typer.confirm(f"Everything that {source} ever said will be deleted. Go on?", abort=True, err=True)

    async def work() -> None:
        async with opened(worker=False) as container:
            with bar("albums") as tell:
                found = await container.services.upkeep.purge(source, progress=tell)
            holding = await container.services.datasets.holding(source)
            home = container.settings.app.tensoe_home
        if as_json:
            show_json(found)
            return
        out.print(
            f"{found.records:,} records of {source} are gone; {found.albums:,} albums made anew without them, "
            f"{found.removed:,} that nobody else knows removed."
        )
        if holding:
            names = ", ".join(f"{m.name} {m.fingerprint[:12]}" for m in holding)
            out.print(
                Text(
                    f"Data sets built before still hold values of {source}; `tensoe dataset delete` removes one: {names}"
                )
            )
        folders = " and ".join(str(home / name) for name in ("exports", "dataset-exports"))
        out.print(Text(f"Files exported before still hold what they held: {folders}", style="dim"))

    run(work())


@contextlib.contextmanager
def bar(what: str) -> Iterator[Tell]:
    """A bar for work on so many of so many."""
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn(what), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (rebuild, purge):
        app.command()(command)
