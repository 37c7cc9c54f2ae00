"""Commands that say how good recommendations are."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from backend.cli.console import Json, err, opened, run, show_json
from backend.cli.evaluate_tables import show

if TYPE_CHECKING:
    from backend.features.evaluation.artist_methods import Plays
    from backend.features.evaluation.catalogue import Given
    from backend.features.evaluation.report import Evaluation
    from backend.repositories.database import Database
    from backend.services.evaluation_service import EvaluationService
# What loads Arrow and scikit-learn is imported inside functions: `tensoe --help` does not wait for it.

evaluate = typer.Typer(help="How good recommendations are, against simple ways.", invoke_without_command=True)

Seeds = Annotated[int, typer.Option(min=1, max=20, help="Times that tracks or artists are held out anew.")]
Tags = Annotated[
    Path | None, typer.Option(help="CSV of artists' tags: artist, tag, count. Without it artists of a file have none.")
]

_NO_SITTINGS: Final = (
    "too few sittings of the catalogue's tracks are known ({problem}); take listening histories in with `tensoe listens import`, "
    "or name playlists: `tensoe evaluate playlists FILE`"
)


@evaluate.callback()
def main(context: typer.Context, seeds: Seeds = 1, as_json: Json = False) -> None:
    """Continue sittings of the listening histories that are stored, over your own catalogue. Needs 20 of 10 tracks or more."""
    if context.invoked_subcommand is not None:
        return

    async def gather(service: EvaluationService) -> Given:
        from backend.features.evaluation.running import require
        from backend.utils.errors import InvalidInputError

        given = await service.heard()
        try:
            require(given.lists, "sittings", "tracks of the catalogue")
        except InvalidInputError as problem:
            raise InvalidInputError(_NO_SITTINGS.format(problem=problem)) from problem
        return given

    _over_catalogue(gather, seeds=seeds, as_json=as_json)


@evaluate.command("playlists")
def playlists(
    path: Annotated[Path, typer.Argument(help="CSV: playlist and track_id, or playlist, artist and title.")],
    tags: Tags = None,
    seeds: Seeds = 1,
    as_json: Json = False,
) -> None:
    """Continue playlists of a file, and find similar tracks.

    A file with audio features (danceability, energy, …) is a catalogue by itself; of another the tracks are looked up in yours.
    """
    from backend.features.evaluation.catalogue import from_file, is_catalogue
    from backend.features.evaluation.files import read_tags
    from backend.utils.errors import InvalidInputError

    if is_catalogue(path):
        given = from_file(path, read_tags(tags))
        _tell(_tracks(given, range(seeds)), as_json=as_json)
        return
    if tags is not None:
        raise InvalidInputError(
            "--tags is for files that bring audio features; your catalogue's tracks have tags of their own"
        )
    _over_catalogue(lambda service: service.playlists(path), seeds=seeds, as_json=as_json)


@evaluate.command("artists")
def artists(
    path: Annotated[
        Path | None, typer.Argument(help="CSV: listener, artist, plays; without it what is stored.")
    ] = None,
    tags: Tags = None,
    seeds: Seeds = 1,
    as_json: Json = False,
) -> None:
    """Recommend artists to listeners who are known by what they play; needs 20 of 10 artists or more."""
    from backend.features.evaluation.artist_methods import Plays
    from backend.features.evaluation.files import read_plays, read_tags

    if path is not None:
        plays = read_plays(path)
        _tell([_artists(Plays.of(plays, read_tags(tags)), range(seeds))], as_json=as_json)
        return

    async def work() -> None:
        async with opened(worker=False) as container:
            found = await _service(container.database).plays()
        _tell([_artists(Plays.of(found, read_tags(tags)), range(seeds))], as_json=as_json)

    run(work())


def _over_catalogue(
    gather: Callable[[EvaluationService], Coroutine[Any, Any, Given]], *, seeds: int, as_json: bool
) -> None:
    async def work() -> None:
        async with opened(worker=False) as container:
            given = await gather(_service(container.database))
        _tell(_tracks(given, range(seeds)), as_json=as_json)

    run(work())


def _service(database: Database) -> EvaluationService:
    from backend.repositories.sittings import Sittings
    from backend.repositories.track_reader import TrackReader
    from backend.services.evaluation_service import EvaluationService

    return EvaluationService(TrackReader(database), Sittings(database))


def _tracks(given: Given, seeds: Sequence[int]) -> list[Evaluation]:
    from backend.features.evaluation.running import PAIRS_UP_TO, continuation, similar

    with err.status("learning …") as status:
        found = [continuation(given, seeds=seeds, progress=status.update)]
        if given.table.num_rows <= PAIRS_UP_TO:
            found.append(similar(given, seeds=seeds, progress=status.update))
        else:
            err.print(f"Similar tracks are left out: more than {PAIRS_UP_TO:,} tracks.")
    return found


def _artists(plays: Plays, seeds: Sequence[int]) -> Evaluation:
    from backend.features.evaluation.running import artists as evaluated

    with err.status("learning …") as status:
        return evaluated(plays, seeds=seeds, progress=status.update)


def _tell(found: Sequence[Evaluation], *, as_json: bool) -> None:
    if as_json:
        show_json(found)
    else:
        for evaluation in found:
            show(evaluation)
