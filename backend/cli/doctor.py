"""The command that looks the whole installation over; it changes nothing, so it opens what is there and makes nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.text import Text

from backend.cli.console import Json, err, out, run, show_json
from backend.models.diagnosis import Diagnosis, Finding, Grade, ok, problem

if TYPE_CHECKING:
    from backend.config.settings import Settings, SettingsGroup
    from backend.repositories.database import Database

_COLOURS: Final = {Grade.OK: "green", Grade.WARNING: "yellow", Grade.PROBLEM: "red"}


def doctor(
    offline: Annotated[bool, typer.Option("--offline", help="Ask no source; else each is asked once.")] = False,
    as_json: Json = False,
) -> None:
    """Find what is wrong and say what to do: settings, keys, reach, clock, database, rights, budgets, queue, disk.

    Exit code 1 when there is a problem, 0 when there are warnings at most. Nothing is changed.
    """

    async def work() -> None:
        with err.status("looking …"):
            found = await _examine(offline=offline)
        if as_json:
            show_json(found)
        else:
            _show(found)
        if found.problems:
            raise typer.Exit(1)

    run(work())


def _show(found: Diagnosis) -> None:
    width = max(len(f.check) for f in found.findings)
    for f in found.findings:
        remedy = f" → {f.remedy}" if f.remedy else ""
        out.print(
            Text.assemble((f"{f.grade.value:8} ", _COLOURS[f.grade]), (f"{f.check:{width}}  ", "bold"), f.said, remedy)
        )
    out.print(f"{found.problems} problems, {found.warnings} warnings.")


async def _examine(*, offline: bool) -> Diagnosis:
    # Imported late: `tensoe --help` need not load the server.
    from backend.composition import build_cache, build_doctor
    from backend.config.settings import Settings, SettingsGroup
    from backend.ingestion.registry import build_sources, source_types
    from backend.metrics import Metrics
    from backend.services.checks.configuration import check_file, variables
    from backend.services.checks.storage import check_database
    from backend.startup import configure
    from backend.utils.errors import ConfigurationError

    file = SettingsGroup.model_config.get("env_file")
    source_types()  # whose groups of settings are known once their files are read
    first = check_file(Path(file) if isinstance(file, str | Path) else None, variables(_groups(SettingsGroup)))
    if any(f.grade is Grade.PROBLEM for f in first):
        return Diagnosis.of(first)  # nothing else can be read
    try:
        settings = Settings()
        configure(settings, level="ERROR")
        sources = build_sources()
    except ConfigurationError as fault:
        mend = "mend it in .env or the environment; the other checks need settings that fit"
        return Diagnosis.of([*first, problem("settings", str(fault), remedy=mend)])
    metrics = Metrics()
    async with contextlib.AsyncExitStack() as stack:
        cache = build_cache(settings, metrics)
        stack.push_async_callback(cache.close)
        database, opened = await _open(settings)
        if database is not None:
            stack.push_async_callback(database.close)
            found = await check_database(database)
            if any(f.check == "tables" and f.grade is not Grade.OK for f in found):
                database, opened = None, found  # what else would be asked of it is not there
        doctor = build_doctor(settings, sources=sources, database=database, cache=cache, metrics=metrics)
        rest = await doctor.examine(offline=offline)
    return Diagnosis.of([*first, *opened, *rest.findings])


async def _open(settings: Settings) -> tuple[Database | None, list[Finding]]:
    """The database as it is, or what keeps us from it."""
    from backend.repositories.database import Database
    from backend.repositories.embedded import standing
    from backend.utils.errors import ConfigurationError, DatabaseError

    home = settings.app.tensoe_home
    if settings.database.database_url is None and standing(home) is None:
        return None, [ok("database", f"no data yet: the first start makes an own PostgreSQL in {home}")]
    try:
        return await Database.open(settings.database, home=home), []
    except (DatabaseError, ConfigurationError) as fault:
        remedy = "mend that first: budgets, queue and stored data can't be looked at without it"
        return None, [problem("database", str(fault), remedy=remedy)]


def _groups(group: type[SettingsGroup]) -> Iterator[type[SettingsGroup]]:
    for child in group.__subclasses__():
        yield child
        yield from _groups(child)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(doctor)
