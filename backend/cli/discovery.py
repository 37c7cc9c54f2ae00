"""Commands that ask the catalogue: discover, path, continue, overlooked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from backend.cli.console import Json, Level, err, opened, out, read_text, run, show_json
from backend.models.discovery import Ask, Seeds
from backend.models.ingestion_models import RightsLevel
from backend.models.results import TrackFilter
from backend.services.playlists.forms import form_of_file
from backend.services.playlists.reading import read
from backend.services.playlists.writing import save, written
from backend.utils.errors import InvalidInputError

if TYPE_CHECKING:
    from backend.startup import Container

_K = Annotated[int, typer.Option(help="How many.")]
_PerArtist = Annotated[int, typer.Option(help="At most so many tracks of one artist; 0 for any number.")]
_Diversity = Annotated[float, typer.Option(help="0 takes the best; towards 1 each must be unlike those before it.")]
_Out = Annotated[
    Path | None, typer.Option("--out", help="Write a playlist: .m3u8, .m3u, .xspf, .jspf or .csv decides the form.")
]
_Genres = Annotated[list[str] | None, typer.Option("--genre", help="Only with one of these genres; may be repeated.")]
_Moods = Annotated[list[str] | None, typer.Option("--mood", help="Only with one of these moods; may be repeated.")]
_YearFrom = Annotated[int | None, typer.Option(help="Only released in this year or later.")]
_YearTo = Annotated[int | None, typer.Option(help="Only released in this year or before.")]
_TempoFrom = Annotated[float | None, typer.Option(help="Only of this tempo or faster (BPM).")]
_TempoTo = Annotated[float | None, typer.Option(help="Only of this tempo or slower (BPM).")]
_MinPopularity = Annotated[int | None, typer.Option(help="Only of this popularity or more, 0 to 100.")]
_MaxPopularity = Annotated[int | None, typer.Option(help="Only of this popularity or less, 0 to 100.")]
_Explicit = Annotated[bool | None, typer.Option("--explicit/--clean", help="Only explicit ones, or only clean ones.")]
_Seen = Annotated[list[str] | None, typer.Option("--seen", help="Leave this track out, in every edition; repeatable.")]
_SeenBy = Annotated[str | None, typer.Option(help="Leave out what this listener's stored history holds.")]


def discover(
    wish: Annotated[str, typer.Argument(help='In words: "120-130 bpm acoustic melancholic 1970s".')] = "",
    plus: Annotated[list[str] | None, typer.Option(help="A track to be like, by id; may be repeated.")] = None,
    minus: Annotated[list[str] | None, typer.Option(help="A track not to be like; may be repeated.")] = None,
    plus_album: Annotated[list[str] | None, typer.Option(help="An album to be like, by id.")] = None,
    minus_album: Annotated[list[str] | None, typer.Option(help="An album not to be like.")] = None,
    plus_artist: Annotated[list[str] | None, typer.Option(help="An artist to be like, by name.")] = None,
    minus_artist: Annotated[list[str] | None, typer.Option(help="An artist not to be like.")] = None,
    valence: Annotated[float | None, typer.Option(help="Of moods, -1 to 1; with --arousal.")] = None,
    arousal: Annotated[float | None, typer.Option(help="Of moods, -1 to 1; with --valence.")] = None,
    without: Annotated[list[str] | None, typer.Option(help="A group of features that counts for nothing.")] = None,
    emphasis: Annotated[list[str] | None, typer.Option(help="GROUP=FACTOR, such as genres=2; repeatable.")] = None,
    strict: Annotated[bool | None, typer.Option("--strict/--loose", help="Every wish a must, or none.")] = None,
    k: _K = 20,
    per_artist: _PerArtist = 3,
    diversity: _Diversity = 0.0,
    genre: _Genres = None,
    mood: _Moods = None,
    year_from: _YearFrom = None,
    year_to: _YearTo = None,
    tempo_from: _TempoFrom = None,
    tempo_to: _TempoTo = None,
    min_popularity: _MinPopularity = None,
    max_popularity: _MaxPopularity = None,
    explicit: _Explicit = None,
    seen: _Seen = None,
    seen_by: _SeenBy = None,
    rights: Level = RightsLevel.ANY,
    out_file: _Out = None,
    as_json: Json = False,
) -> None:
    """Find tracks by wishes in words, by tracks, albums and artists to be like or unlike, or by all of it."""
    if (valence is None) != (arousal is None):
        raise InvalidInputError("Give --valence and --arousal together")
    ask = Ask(
        wish=wish,
        like=Seeds(tracks=tuple(plus or ()), albums=tuple(plus_album or ()), artists=tuple(plus_artist or ())),
        unlike=Seeds(tracks=tuple(minus or ()), albums=tuple(minus_album or ()), artists=tuple(minus_artist or ())),
        point=None if valence is None or arousal is None else (valence, arousal),
        emphasis={**dict.fromkeys(without or (), 0.0), **_factors(emphasis or ())},
        strict=strict,
        k=k,
        per_artist=per_artist or None,
        diversity=diversity,
    )
    wanted = TrackFilter(
        genres=tuple(genre or ()), moods=tuple(mood or ()), year_from=year_from, year_to=year_to, tempo_from=tempo_from,
        tempo_to=tempo_to, min_popularity=min_popularity, max_popularity=max_popularity, explicit=explicit,
        seen=tuple(seen or ()), seen_by=seen_by, rights=rights,
    )  # fmt: skip

    async def work() -> None:
        async with opened(worker=False) as container:
            await _check(container, wanted)
            answer = await container.services.asking.discover(ask, wanted)
            await _saved(container, answer, out_file, rights=rights, title=wish or "Discovered")
        if as_json:
            show_json(answer)
            return
        _understood(answer)
        _tracks(answer["data"])

    run(work())


def path(
    start: Annotated[str, typer.Argument(help="The track to start from, by id.")],
    end: Annotated[str, typer.Argument(help="The track to end at, by id.")],
    steps: Annotated[int, typer.Option(help="Tracks of the way, both ends included.")] = 10,
    genre: _Genres = None,
    mood: _Moods = None,
    year_from: _YearFrom = None,
    year_to: _YearTo = None,
    rights: Level = RightsLevel.ANY,
    out_file: _Out = None,
    as_json: Json = False,
) -> None:
    """Find a way from one song to another, each step near to the one before."""
    wanted = TrackFilter(
        genres=tuple(genre or ()), moods=tuple(mood or ()), year_from=year_from, year_to=year_to, rights=rights
    )

    async def work() -> None:
        async with opened(worker=False) as container:
            answer = await container.services.asking.way(start, end, steps=steps, track_filter=wanted)
            title = f"From {answer['data'][0]['title']} to {answer['data'][-1]['title']}"
            await _saved(container, answer, out_file, rights=rights, title=title)
        if as_json:
            show_json(answer)
            return
        table = Table("along", "step", "track", "because", box=None, pad_edge=False)
        for row in answer["data"]:
            table.add_row(f"{row['place']:.2f}", f"{row['distance']:.3f}", _name(row), _why(row))
        out.print(table)
        smooth = answer["smoothness"]
        out.print(
            f"Smoothness {smooth['value']:.2f}: a step is {smooth['mean_step']:.3f} in the mean, {smooth['largest_step']:.3f} at "
            f"most; two tracks picked by chance are {smooth['by_chance']:.3f} apart"
        )

    run(work())


def continue_(
    file: Annotated[Path, typer.Argument(help="M3U, XSPF, JSPF, CSV, or one track a line: an id or Artist - Title.")],
    k: _K = 20,
    per_artist: _PerArtist = 3,
    diversity: _Diversity = 0.0,
    rights: Level = RightsLevel.ANY,
    seen_by: _SeenBy = None,
    out_file: _Out = None,
    as_json: Json = False,
) -> None:
    """Go on with a playlist."""
    tracks = read(read_text(file), name=file.name)
    ask = Ask(k=k, per_artist=per_artist or None, diversity=diversity)
    wanted = TrackFilter(rights=rights, seen_by=seen_by)

    async def work() -> None:
        async with opened(worker=False) as container:
            await _check(container, wanted)
            answer = await container.services.asking.continued(tracks, ask, wanted)
            await _saved(container, answer, out_file, rights=rights, title=f"On from {file.stem}")
        if as_json:
            show_json(answer)
            return
        out.print(f"{len(answer['matched']):,} of {len(tracks):,} tracks are in the catalogue")
        for gone in answer["unmatched"][:20]:
            out.print(Text(f"not found: {gone['name']} ({gone['why']})", style="yellow"))
        _tracks(answer["data"])

    run(work())


def overlooked(
    by: Annotated[str, typer.Option(help="Who overlooks: critics, listeners or everybody.")] = "critics",
    tracks: Annotated[bool, typer.Option("--tracks", help="Tracks, not albums.")] = False,
    k: _K = 20,
    genre: _Genres = None,
    year_from: _YearFrom = None,
    year_to: _YearTo = None,
    rights: Level = RightsLevel.ANY,
    out_file: _Out = None,
    as_json: Json = False,
) -> None:
    """What listeners love and critics overlook, or the other way round, or what everybody overlooks."""
    if out_file is not None and not tracks:
        raise InvalidInputError("A playlist is made of tracks: ask with --tracks, or without --out")
    wanted = TrackFilter(genres=tuple(genre or ()), year_from=year_from, year_to=year_to, rights=rights)

    async def work() -> None:
        async with opened(worker=False) as container:
            answer = await container.services.asking.overlooked(by, wanted, k=k, tracks=tracks)
            await _saved(container, answer, out_file, rights=rights, title=f"Overlooked by {by}")
        if as_json:
            show_json(answer)
            return
        _tracks(answer["data"])

    run(work())


async def _check(container: Container, wanted: TrackFilter) -> None:
    """Nobody's history would leave nothing out, and nobody would notice."""
    if wanted.seen_by is not None:
        await container.services.listening.summary(wanted.seen_by)


async def _saved(
    container: Container, answer: Mapping[str, Any], path: Path | None, *, rights: RightsLevel, title: str
) -> None:
    if path is None:
        return
    form = form_of_file(path)
    entries = await container.services.asking.entries(answer["data"], rights=rights)
    save(path, written(entries, form, title=title))
    err.print(f"{len(entries):,} tracks in {path}")


def _factors(given: Sequence[str]) -> dict[str, float]:
    found = {}
    for one in given:
        group, _, factor = one.partition("=")
        try:
            found[group.strip()] = float(factor)
        except ValueError:
            raise InvalidInputError(f"--emphasis {one[:60]!r} is not GROUP=FACTOR, such as genres=2") from None
    return found


def _understood(answer: Mapping[str, Any]) -> None:
    for wish in answer["understood"]:
        out.print(Text(f"{wish['text']}: {wish['read_as']}, {wish['tracks']:,} tracks", style="dim"))
    for other in answer["not_understood"]:
        meant = f"; did you mean {', '.join(other['suggestions'])}?" if other["suggestions"] else ""
        out.print(Text(f"not understood: {other['text']}{meant}", style="yellow"))


def _tracks(rows: Sequence[Mapping[str, Any]]) -> None:
    if not rows:
        out.print("Nothing fits.")
        return
    table = Table("score", "track", "because", box=None, pad_edge=False)
    for row in rows:
        table.add_row(f"{row['score']:.3f}", _name(row), _why(row))
    out.print(table)


def _name(row: Mapping[str, Any]) -> Text:
    return Text(f"{row['title']} – {row['artist']}")


def _why(row: Mapping[str, Any]) -> Text:
    return Text("; ".join(row["reasons"]))


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (discover, path, overlooked):
        app.command()(command)
    app.command("continue")(continue_)
