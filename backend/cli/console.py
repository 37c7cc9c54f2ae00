"""What all commands share: the two consoles and the open application."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer
from rich.console import Console

from backend.models.ingestion_models import RightsLevel
from backend.utils.errors import InvalidInputError

if TYPE_CHECKING:
    from backend.startup import Container

_PIPED_COLUMNS = 200  # a pipe or a file has no width of its own
out = Console(soft_wrap=True, width=None if sys.stdout.isatty() else _PIPED_COLUMNS)
err = Console(stderr=True, width=None if sys.stderr.isatty() else _PIPED_COLUMNS)

Json = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]
Level = Annotated[
    RightsLevel, typer.Option("--rights", help="Only values with these rights: any, noncommercial or open.")
]


@contextlib.asynccontextmanager
async def opened(*, worker: bool) -> AsyncIterator[Container]:
    """The services, closed again at the end; with `worker` it also works through waiting jobs."""
    # Imported late: `tensoe --help` need not load the server.
    from backend.config.settings import Settings
    from backend.startup import configure, open_container

    settings = Settings()
    # The command's own output says what happened; the log only what is wrong, unless asked for.
    configure(settings, level=settings.app.log_level if "log_level" in settings.app.model_fields_set else "WARNING")
    async with open_container(settings, worker=worker) as container:
        yield container


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run a command's work."""
    asyncio.run(work)


def show_json(found: object) -> None:
    """Print what was found as JSON."""
    out.print_json(msgspec.json.encode(found).decode())


def read_text(path: Path) -> str:
    """The text of a file that the user names.

    Raises:
        InvalidInputError: it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as problem:
        raise InvalidInputError(f"{path} cannot be read: {problem.strerror}") from problem
