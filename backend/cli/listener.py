"""Commands for listeners' tastes: profile, recommend, wanted, compare, forget."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from backend.cli.console import Json, Level, opened, out, run, show_json
from backend.models.ingestion_models import RightsLevel
from backend.models.tastes import By, HeardFrom, ListenerRef
from backend.utils.errors import InvalidInputError

listener = typer.Typer(
    help="What a listener's taste is, and what fits it: by the own history, Last.fm or ListenBrainz.",
    no_args_is_help=True,
)

Name = Annotated[str, typer.Argument(help="As chosen for the import, or the name on Last.fm or ListenBrainz.")]
Source = Annotated[
    HeardFrom, typer.Option("--source", "-s", help="Who knows the listener: his history here, or public charts.")
]
_SHOWN = 10


def _who(name: str, source: HeardFrom) -> ListenerRef:
    from backend.services.listening_service import named

    return ListenerRef(name=named(name) if source is HeardFrom.HISTORY else name, source=source)


@listener.command("profile")
def profile(
    name: Name,
    source: Source = HeardFrom.HISTORY,
    by: Annotated[By, typer.Option(help="How finely the drift of a history is told.")] = By.YEAR,
    rights: Level = RightsLevel.ANY,
    as_json: Json = False,
) -> None:
    """Show genres, moods, eras, audio features with their spread, drift, how mainstream it is and what is distinctive."""

    async def work() -> None:
        async with opened(worker=False) as container:
            found = await container.services.tastes.profile(_who(name, source), by=by, rights=rights)
        show_json(found) if as_json else _show_profile(found)

    run(work())


@listener.command("recommend")
def recommend(
    name: Name,
    source: Source = HeardFrom.HISTORY,
    k: Annotated[int, typer.Option("-k", "--k", help="How many familiar, and how many new ones.")] = 10,
    include_heard: Annotated[bool, typer.Option("--heard", help="Familiar ones may have been heard.")] = False,
    rights: Level = RightsLevel.ANY,
    as_json: Json = False,
) -> None:
    """Name tracks that fit: familiar ones, by artists the listener plays, and new ones; each with why."""

    async def work() -> None:
        async with opened(worker=False) as container:
            found = await container.services.tastes.recommendations(
                _who(name, source), k=k, include_heard=include_heard, rights=rights
            )
        if as_json:
            show_json(found)
            return
        for kind in ("familiar", "new"):
            table = Table("score", kind, "because", box=None, pad_edge=False)
            for row in found[kind]:
                track = Text(f"{row['title']} – {row['artist']}")
                table.add_row(f"{row['score']:.3f}", track, Text("; ".join(row["reasons"])))
            if found[kind]:
                out.print(table)
            else:
                out.print(f"{kind}: the catalogue has nothing more that fits")

    run(work())


@listener.command("wanted")
def wanted(
    name: Name,
    source: Source = HeardFrom.HISTORY,
    limit: Annotated[int, typer.Option(help="How many albums, and how many artists.")] = 50,
    csv: Annotated[
        Path | None, typer.Option(help="Write the albums there, as `tensoe ingest --file` reads them.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List what a listener plays and the catalogue lacks, the most played first."""

    async def work() -> None:
        from backend.services.taste_wanted import as_csv

        async with opened(worker=False) as container:
            found = await container.services.tastes.wanted(_who(name, source), limit=limit)
        if csv is not None:
            _write(csv, as_csv(found))
        if as_json:
            show_json(found)
        elif csv is None:
            _show_wanted(found)
        else:
            out.print(Text(f"{len(found['albums'])} albums in {csv}; next: tensoe ingest --file {csv}"))

    run(work())


@listener.command("compare")
def compare(
    name: Name,
    other: Annotated[str, typer.Argument(help="Another listener.")],
    source: Source = HeardFrom.HISTORY,
    other_source: Annotated[
        HeardFrom | None, typer.Option(help="Who knows the other; as --source when left out.")
    ] = None,
    rights: Level = RightsLevel.ANY,
    as_json: Json = False,
) -> None:
    """Show what two listeners have in common, how alike they are, and what each could show the other."""

    async def work() -> None:
        async with opened(worker=False) as container:
            two = _who(name, source), _who(other, other_source or source)
            found = await container.services.tastes.compare(*two, rights=rights)
        show_json(found) if as_json else _show_comparison(found)

    run(work())


@listener.command("forget")
def forget(
    name: Name,
    source: Source = HeardFrom.HISTORY,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
    as_json: Json = False,
) -> None:
    """Erase all that is kept of a listener: his history with the consent to it, or what the cache holds of public charts."""
    if not yes:
        typer.confirm(f"All that is kept of {name} ({source}) will be erased. Go on?", abort=True, err=True)

    async def work() -> None:
        async with opened(worker=False) as container:
            if source is HeardFrom.HISTORY:
                gone = await container.services.listening.forget(name)
            else:
                await container.services.users.forget()
                gone = 0
        if as_json:
            show_json({"listener": name, "source": source, "deleted": gone})
        elif source is HeardFrom.HISTORY:
            out.print(Text(f"{gone:,} listens of {name} and the consent to keep them erased."))
        else:
            out.print(
                "What the shared cache (REDIS_URL) held of public listeners is erased; a server's own memory: DELETE /users/…"
            )

    run(work())


def _write(path: Path, body: bytes) -> None:
    try:
        path.write_bytes(body)
    except OSError as problem:
        raise InvalidInputError(f"{path} cannot be written: {problem.strerror}") from problem


def _show_profile(found: dict[str, Any]) -> None:
    cover = found["coverage"]
    out.print(
        Text.assemble(
            (found["user"], "bold"),
            f" ({found['source']}): {cover['plays']:,} plays; the catalogue has the track of "
            f"{cover['track_share']:.0%}, the artist of {cover['artist_share']:.0%}",
        )
    )
    if found["synthetic"]:
        out.print(Text("Some values of the catalogue are made up (demo).", style="yellow"))
    for kind in ("genres", "moods"):
        out.print(Text(f"{kind}: " + ", ".join(f"{t['name']} {t['share']:.0%}" for t in found[kind][:_SHOWN])))
    out.print("eras: " + ", ".join(f"{e['decade']}s {e['share']:.0%}" for e in found["eras"]))
    value = found["mainstream"]["value"]
    out.print("mainstream: " + ("nobody knows" if value is None else f"{value:.2f} (0.5: as if played at random)"))
    for kind, names in found["distinctive"].items():
        if names:
            out.print(
                Text(f"distinctive {kind}: " + ", ".join(f"{d['name']} (z {d['z']:.1f})" for d in names[:_SHOWN]))
            )
    spread = Table("feature", "mean", "sd", "10 %", "50 %", "90 %", box=None, pad_edge=False)
    for feature, of in found["spread"].items():
        values = (of["mean"], of["sd"], of["deciles"][0], of["deciles"][4], of["deciles"][8])
        spread.add_row(feature, *(f"{value:.2f}" for value in values))
    out.print(spread)
    drift = Table("period", "plays", "change", "genres", box=None, pad_edge=False)
    for of in found["drift"]:
        change = "" if of["change"] is None else f"{of['change']:.2f}"
        genres = ", ".join(f"{t['name']} {t['share']:.0%}" for t in of["genres"][:3])
        drift.add_row(of["period"], f"{of['plays']:,}", change, Text(genres))
    out.print(drift)


def _show_wanted(found: dict[str, Any]) -> None:
    albums = Table("plays", "album", "artist", box=None, pad_edge=False)
    for row in found["albums"]:
        albums.add_row(f"{row['plays']:,}", Text(row["album"]), Text(row["artist"]))
    if found["albums"]:
        out.print(albums)
    else:
        out.print("The catalogue has every album that the plays name.")
    if found["artists"]:
        names = ", ".join(f"{a['name']} ({a['plays']:,})" for a in found["artists"][:_SHOWN])
        out.print(Text(f"artists of whom nothing is stored: {names}"))


def _show_comparison(found: dict[str, Any]) -> None:
    parts = found["parts"]
    genres = "unknown" if parts["genres"] is None else f"{parts['genres']:.2f}"
    out.print(
        Text(
            f"{found['user']} and {found['other']}: similarity {found['similarity']:.2f} "
            f"(artists {parts['artists']:.2f}, genres {genres})"
        )
    )
    for key, words in (
        ("shared_artists", "both play"),
        ("genres_in_common", "genres in common"),
        ("genres_apart", "genres apart"),
    ):
        named = ", ".join(f"{r['name']} {r['share']:.0%}/{r['other_share']:.0%}" for r in found[key][:_SHOWN])
        out.print(Text(f"{words}: {named or 'none'}"))
    for key, who in (("could_show_other", found["user"]), ("could_be_shown", found["other"])):
        named = ", ".join(r["name"] for r in found[key][:_SHOWN])
        out.print(Text(f"{who} could show: {named or 'nothing new'}"))
