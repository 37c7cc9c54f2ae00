"""`tensoe key …`: API keys, and what was changed with them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from backend.cli.console import Json, opened, out, run, show_json
from backend.models.access import Access

key = typer.Typer(help="API keys: make, list, revoke; who changed what.", no_args_is_help=True)

_WHEN = "%Y-%m-%d %H:%M"


@key.command("make")
def make(
    name: Annotated[str, typer.Argument(help="For people: who has it, and what for.")],
    scope: Annotated[list[Access], typer.Option(help="What it is for; may be repeated.")],
    listener: Annotated[str | None, typer.Option(help="With --scope listener: whose own data it opens.")] = None,
    rate: Annotated[str | None, typer.Option(help="Its own limit, such as 100/minute.")] = None,
    days: Annotated[int | None, typer.Option(help="After which it runs out; never, when not given.")] = None,
    as_json: Json = False,
) -> None:
    """Make a key. Its text is shown this once; only a digest of it is kept."""

    async def work() -> None:
        async with opened(worker=False) as container:
            made, text = await container.services.access.make(
                name, scopes=scope, listener=listener, rate=rate, days=days
            )
        if as_json:
            show_json({**asdict(made), "key": text})
            return
        out.print(Text(text), soft_wrap=True)
        out.print(
            Text(f"Key {made.id} ({', '.join(made.scopes)}) of {made.name!r}. It is not shown again.", style="dim")
        )

    run(work())


@key.command("list")
def list_(as_json: Json = False) -> None:
    """All keys, the newest first."""

    async def work() -> None:
        async with opened(worker=False) as container:
            found = await container.services.access.listed()
        if as_json:
            show_json([asdict(k) for k in found])
            return
        if not found:
            out.print("There are no keys; whoever reaches the server may do everything, unless API_KEYS is set.")
            return
        table = Table(box=None, pad_edge=False)
        for heading in ("id", "name", "scopes", "made", "last used", "holds"):
            table.add_column(heading)
        for k in found:
            scopes = ", ".join(k.scopes) + (f" {k.listener}" if k.listener else "") + (f" ({k.rate})" if k.rate else "")
            holds = "revoked" if k.revoked_at else f"until {k.expires_at:{_WHEN}}" if k.expires_at else "yes"
            used = f"{k.last_used_at:{_WHEN}}" if k.last_used_at else "never"
            table.add_row(k.id, Text(k.name), Text(scopes), f"{k.made_at:{_WHEN}}", used, holds)
        out.print(table)

    run(work())


@key.command("revoke")
def revoke(key_id: Annotated[str, typer.Argument(help="As `tensoe key list` shows it.")]) -> None:
    """End a key for good, and the sessions signed in with it; servers notice within ten seconds."""

    async def work() -> None:
        async with opened(worker=False) as container:
            await container.services.access.revoke(key_id)
        out.print(f"Key {key_id} is revoked.")

    run(work())


@key.command("deeds")
def deeds(
    limit: Annotated[int, typer.Option(min=1, max=500, help="At most so many.")] = 50, as_json: Json = False
) -> None:
    """Who changed what over HTTP, the latest first."""

    async def work() -> None:
        async with opened(worker=False) as container:
            page = await container.services.deeds.page(limit=limit)
        if as_json:
            show_json(page.items)
            return
        for deed in page.items:
            who = f"{deed['name']} ({deed['key']})" if deed["key"] else "nobody"
            out.print(
                Text(
                    f"{deed['at']:{_WHEN}:%S}  {deed['status']}  {deed['method']} {deed['path']}  {who} from {deed['address']}"
                ),
                soft_wrap=True,
            )
        if not page.items:
            out.print("Nothing was changed over HTTP yet.")

    run(work())
