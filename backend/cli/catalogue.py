"""Commands that read the catalogue: status, export, recommend."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from backend.cli.console import Json, opened, out, run, show_json
from backend.models.ingestion_models import RightsLevel
from backend.models.results import TrackFilter
from backend.utils.errors import InvalidInputError

_Rights = Annotated[RightsLevel, typer.Option(help="Whose values: anybody's, or only those that may be used so.")]


def status(rights: _Rights = RightsLevel.ANY, as_json: Json = False) -> None:
    """Say what is stored, which share of tracks knows each field, and which sources can be asked."""

    async def work() -> None:
        async with opened(worker=False) as container:
            summary = await container.services.analytics.summary(rights)
            coverage = await container.services.analytics.coverage(rights)
            sources = container.ingestion.sources()
            # At a level of rights only who gave something there is spoken of.
            named = {row["source"] for row in coverage["sources"]}
            uses = await container.services.upkeep.storage()
            kept = {use.source: use for use in uses if rights is RightsLevel.ANY or use.source in named}
            stale = await container.services.upkeep.is_stale()
            where = container.database.place
        if as_json:
            storage = list(kept.values())
            found = {
                "database": where, "data": summary, "coverage": coverage, "sources": sources, "storage": storage,
                "stale": stale,
            }  # fmt: skip
            show_json(found)
            return
        out.print(
            f"{summary['tracks']:,} tracks on {summary['albums']:,} albums of {summary['artists']:,} artists in {where}"
        )
        if summary["synthetic_tracks"]:
            out.print(Text(f"{summary['synthetic_tracks']:,} tracks hold made-up values (demo)", style="yellow"))
        fields = Table("field", "known", box=None, pad_edge=False)
        for name, known in coverage["fields"].items():
            fields.add_row(name, f"{100 * known['share']:.1f} %")
        out.print(fields)
        asked = Table("source", "state", "rights", "kept", box=None, pad_edge=False)
        for s in sources:
            state = s.unconfigured or ("asked" if s.in_use else "not asked (TENSOE_DEMO)")
            asked.add_row(s.name, state, s.rights, f"{kept[s.name].bytes:,} bytes" if s.name in kept else "")
        configured = {s.name for s in sources}
        for row in coverage["sources"]:
            # Whose values came with tables and other files; there is nobody to ask.
            if (name := row["source"]) not in configured:
                asked.add_row(name, "imported", row["rights"], f"{kept[name].bytes:,} bytes" if name in kept else "")
        out.print(asked)
        for use in kept.values():
            if use.alarm:
                out.print(Text(use.alarm, style="red"))
        if stale:
            out.print(
                Text(
                    "Rows were merged under another policy or other terms; tensoe rebuild makes them anew.",
                    style="yellow",
                )
            )

    run(work())


_Target = Annotated[str, typer.Option(help="What y is: aoty_score, popularity, tempo, genre:rock, mood:mellow, …")]
_Limit = Annotated[int, typer.Option(help="At most so many rows.")]


def export(
    what: Annotated[str, typer.Argument(help="training-data or feature-matrix")],
    filename: Annotated[str, typer.Argument(help="A plain name; .csv, .parquet, .arrow or .jsonl decides the form.")],
    limit: _Limit = 10_000,
    target: _Target = "aoty_score",
    rights: _Rights = RightsLevel.ANY,
    estimates: Annotated[bool, typer.Option(help="Whether estimated audio features count as known.")] = True,
    one_per_recording: Annotated[bool, typer.Option(help="Of a recording only the earliest appearance.")] = False,
    as_json: Json = False,
) -> None:
    """Write training data or the feature matrix into the export folder, with a report of rights beside it."""
    if what not in {"training-data", "feature-matrix"}:
        raise InvalidInputError(f"{what!r} cannot be exported; there are training-data and feature-matrix")

    wanted = TrackFilter(rights=rights, estimates=estimates, one_per_recording=one_per_recording)

    async def work() -> None:
        async with opened(worker=False) as container:
            exports = container.services.exports
            if what == "training-data":
                made = await exports.training_data(filename, limit=limit, track_filter=wanted)
            else:
                made = await exports.feature_matrix(filename, limit=limit, target=target, track_filter=wanted)
            folder = container.settings.app.tensoe_home / "exports"
        if as_json:
            show_json(made)
        else:
            out.print(f"{made.rows:,} rows, {made.bytes:,} bytes in {folder / made.name} (SHA-256 {made.sha256})")

    run(work())


def recommend(
    track_id: Annotated[str, typer.Argument(help="The track's id, as the API and exports give it.")],
    k: Annotated[int, typer.Option(help="How many.")] = 10,
    rights: _Rights = RightsLevel.ANY,
    as_json: Json = False,
) -> None:
    """Name the tracks most similar to one, with the reasons."""

    async def work() -> None:
        async with opened(worker=False) as container:
            found = await container.services.discovery.recommendations(
                track_id, k=k, track_filter=TrackFilter(rights=rights)
            )
        if as_json:
            show_json(found)
            return
        table = Table("score", "track", "because", box=None, pad_edge=False)
        for row in found:
            table.add_row(
                f"{row['score']:.3f}", Text(f"{row['title']} – {row['artist']}"), Text("; ".join(row["reasons"]))
            )
        out.print(table)

    run(work())


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (status, export, recommend):
        app.command()(command)
