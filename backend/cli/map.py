"""Commands of the map: map state, map rebuild, map export, map near."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from backend.cli.console import Json, Level, err, opened, out, run, show_json
from backend.models.ingestion_models import RightsLevel
from backend.models.map_columns import ColumnName
from backend.services.playlists.writing import save
from backend.utils.errors import InvalidInputError

if TYPE_CHECKING:
    from backend.models.map import MapOverview

map_ = typer.Typer(help="The map of all tracks: places, labels, tracks near a place.", no_args_is_help=True)


@map_.command("state")
def state(rights: Level = RightsLevel.ANY, as_json: Json = False) -> None:
    """Say what there is of the map; draw it where there is none."""

    async def work() -> None:
        async with opened(worker=False) as container:
            await container.services.map.whole(rights)
            _show(await container.services.map.overview(rights), as_json=as_json)

    run(work())


@map_.command("rebuild")
def rebuild(rights: Level = RightsLevel.ANY, as_json: Json = False) -> None:
    """Draw the map anew: every point may stand elsewhere afterwards. A running server shows it as soon as it is there."""

    async def work() -> None:
        async with opened(worker=False) as container:
            _show(await container.services.map.rebuilt(rights), as_json=as_json)

    run(work())


@map_.command("export")
def export(
    file: Annotated[Path, typer.Argument(help="Where to: an Arrow stream, .arrow or .arrows.")],
    column: Annotated[list[ColumnName] | None, typer.Option(help="What is wanted besides; may be repeated.")] = None,
    rights: Level = RightsLevel.ANY,
) -> None:
    """Write every track's id, title, artist and place, as an Arrow stream."""
    if file.suffix not in {".arrow", ".arrows"}:
        raise InvalidInputError(f"{file.name[:80]!r} is written as an Arrow stream; let it end in .arrow or .arrows")

    async def work() -> None:
        async with opened(worker=False) as container:
            service = container.services.map
            await service.whole(rights)
            content = b"".join([chunk async for chunk in service.stream(await service.arrow(rights, column or ()))])
            save(file, content)
        err.print(f"{file}: {len(content):,} bytes")

    run(work())


@map_.command("labels")
def labels(rights: Level = RightsLevel.ANY, as_json: Json = False) -> None:
    """List what is written on the map, and where."""

    async def work() -> None:
        async with opened(worker=False) as container:
            await container.services.map.whole(rights)
            _, found = await container.services.map.labels(rights)
        if as_json:
            show_json(found)
            return
        table = Table("genre", "of", "tracks", "x", "y", "from zoom", box=None, pad_edge=False)
        for label in found:
            place = f"{label.x:.0f}", f"{label.y:.0f}"
            table.add_row(label.name, label.family, f"{label.weight:,}", *place, f"{label.zoom:g}")
        out.print(table)

    run(work())


@map_.command("near")
def near(
    x: Annotated[float, typer.Argument(help="0 to 65,535, from the left.")],
    y: Annotated[float, typer.Argument(help="0 to 65,535, from below.")],
    k: Annotated[int, typer.Option("-k", "--k", help="How many.")] = 20,
    rights: Level = RightsLevel.ANY,
    as_json: Json = False,
) -> None:
    """List the tracks nearest to a place."""
    _listed({"near": f"{x},{y}"}, k, rights, as_json=as_json)


@map_.command("find")
def find(
    q: Annotated[str, typer.Argument(help="A part of title, artist or album.")],
    k: Annotated[int, typer.Option("-k", "--k", help="How many.")] = 20,
    rights: Level = RightsLevel.ANY,
    as_json: Json = False,
) -> None:
    """List tracks by their names, and where they stand."""
    _listed({"q": q}, k, rights, as_json=as_json)


def _listed(meant: dict[str, Any], k: int, rights: RightsLevel, *, as_json: bool) -> None:
    from backend.services.map_choice import MapChoice

    choice = MapChoice.of(**meant)

    async def work() -> None:
        async with opened(worker=False) as container:
            await container.services.map.whole(rights)
            answer = await container.services.map.tracks(rights, choice, limit=k)
        if as_json:
            show_json(answer)
            return
        table = Table("x", "y", "track", "artist", "id", box=None, pad_edge=False)
        for row in answer["data"]:
            table.add_row(str(row["x"]), str(row["y"]), row["title"], row["artist"], row["id"])
        out.print(table)

    run(work())


def _show(found: MapOverview, *, as_json: bool) -> None:
    if as_json:
        show_json(found)
        return
    if found.layout is None:
        out.print(f"The map is {found.state}; there is nothing on it yet.")
        return
    placed = found.points - found.drawn
    beside = f", {placed:,} of them placed by their neighbours since" if placed > 0 else ""
    out.print(
        f"The map is {found.state}: {found.points:,} tracks{beside} (layout {found.layout}, version {found.version})"
    )
