"""Ways to ask: by wishes, by tracks, albums and artists, from song to song, on from a list, and what is overlooked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from backend.models.discovery import Ask, ListedTrack, Seeds
from backend.models.ingestion_models import RightsLevel
from backend.routes import schemas_discovery as schemas
from backend.routes.answers import JSON, json_answer, preferred
from backend.routes.dependencies import Filter, Level, Services, With, Word
from backend.routes.errors import ProblemError
from backend.services.playlists.forms import MEDIA_TYPES, PlaylistForm
from backend.services.playlists.writing import written
from backend.utils.errors import InvalidInputError

router = APIRouter(prefix="/ml", tags=["recommendations"])

_BY_MEDIA: Final[dict[str, PlaylistForm | None]] = {JSON: None} | {
    media.partition(";")[0]: form for form, media in MEDIA_TYPES.items()
}
_LISTED: Final = 500  # tracks that an address names
_FILES: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {media: {"schema": {"type": "string"}} for media in _BY_MEDIA if media != JSON}},
    404: {"description": "What is named is not there, or no track is left; the detail says why"},
    406: {"description": "The Accept header takes none of the forms"},
}

Wanted = Annotated[
    Literal["json", "m3u", "xspf", "jspf", "csv"] | None,
    Query(alias="format", description="json, or a playlist: m3u, xspf, jspf, csv. Wins over the Accept header."),
]
TrackId = Annotated[Word, Query(min_length=1, description="As `/ml/training-data` names it.")]


@router.post(
    "/discover", response_model=schemas.Discovered, responses=_FILES, summary="Tracks by wishes, likes and dislikes"
)
async def discover(
    request: Request, with_: With, body: schemas.DiscoverRequest, wanted: Filter, form: Wanted = None
) -> Response:
    """By words ("120–130 bpm, acoustic, melancholic, 1970s"), a point of valence and arousal, tracks, albums, artists, or all.

    The answer tells what was understood, what was not, and of each track what made its score. It changes nothing.
    """
    chosen = _form(request, form)
    ask = Ask(
        wish=body.wish,
        like=_seeds(body.like),
        unlike=_seeds(body.unlike),
        point=None if body.point is None else (body.point.valence, body.point.arousal),
        emphasis={str(group): factor for group, factor in body.emphasis.items()},
        strict=body.strict,
        k=body.k,
        per_artist=body.per_artist,
        diversity=body.diversity,
    )
    answer = await with_.asking.discover(ask, wanted)
    return await _answered(with_, answer, chosen, rights=wanted.rights, title=body.wish or "Discovered")


@router.get("/path", response_model=schemas.SongPath, responses=_FILES, summary="A way from song to song")
async def path(
    request: Request,
    with_: With,
    start: TrackId,
    end: TrackId,
    wanted: Filter,
    steps: Annotated[int, Query(ge=2, le=100, description="Tracks of the way, both ends included.")] = 10,
    form: Wanted = None,
) -> Response:
    """Each step near to the one before, in steps as even as there are; no song twice, no artist twice in a row.

    The filters hold for what stands between the ends.
    """
    chosen = _form(request, form)
    answer = await with_.asking.way(start, end, steps=steps, track_filter=wanted)
    ends = answer["data"][0]["title"], answer["data"][-1]["title"]
    return await _answered(with_, answer, chosen, rights=wanted.rights, title=f"From {ends[0]} to {ends[1]}")


@router.post("/playlists/continue", response_model=schemas.Continued, responses=_FILES, summary="On with a playlist")
async def continue_playlist(
    request: Request, with_: With, body: schemas.ContinueRequest, wanted: Filter, form: Wanted = None
) -> Response:
    """Tracks that go on with a list, by weights learnt on playlists. What of the list the catalogue lacks is named.

    It changes nothing.
    """
    chosen = _form(request, form)
    tracks = [ListedTrack(id=t.id, artist=t.artist, title=t.title) for t in body.tracks]
    ask = Ask(k=body.k, per_artist=body.per_artist, diversity=body.diversity)
    answer = await with_.asking.continued(tracks, ask, wanted)
    return await _answered(with_, answer, chosen, rights=wanted.rights, title="Continued")


@router.get("/playlist", response_model=schemas.Playlist, responses=_FILES, summary="Tracks as a playlist")
async def playlist(
    request: Request,
    with_: With,
    track: Annotated[list[Word], Query(min_length=1, max_length=_LISTED, description="Ids, in their order.")],
    rights: Level = RightsLevel.ANY,
    title: Annotated[Word, Query(description="Of the list, for files.")] = "Playlist",
    form: Wanted = None,
) -> Response:
    """These tracks in this order, as JSON or as a file. What is named and not there is said."""
    chosen = _form(request, form)
    answer = await with_.asking.listed(track, rights=rights)
    return await _answered(with_, answer, chosen, rights=rights, title=title)


@router.get(
    "/overlooked",
    response_model=schemas.OverlookedWorks,
    responses=_FILES,
    summary="Loved by some, overlooked by others",
)
async def overlooked(
    request: Request,
    with_: With,
    wanted: Filter,
    by: Annotated[
        Literal["critics", "listeners", "everybody"],
        Query(description="Who overlooks: critics what listeners love, listeners what critics love, or everybody."),
    ] = "critics",
    what: Annotated[
        Literal["albums", "tracks"], Query(description="Albums fit a filter by a track that does.")
    ] = "albums",
    k: Annotated[int, Query(ge=1, le=100, description="How many.")] = 20,
    form: Wanted = None,
) -> Response:
    """From the scores of listeners and critics, each drawn towards its mean the more the fewer gave it, and popularity."""
    chosen = _form(request, form)
    if chosen is not None and what == "albums":
        raise InvalidInputError("A playlist is made of tracks: ask with what=tracks, or with format=json")
    answer = await with_.asking.overlooked(by, wanted, k=k, tracks=what == "tracks")
    return await _answered(with_, answer, chosen, rights=wanted.rights, title=f"Overlooked by {by}")


async def _answered(
    with_: Services, answer: Mapping[str, Any], form: PlaylistForm | None, *, rights: RightsLevel, title: str
) -> Response:
    if form is None:
        return json_answer(answer, headers={"vary": "accept"})
    entries = await with_.asking.entries(answer["data"], rights=rights)
    suffix = "m3u8" if form is PlaylistForm.M3U else form.value
    headers = {"vary": "accept", "content-disposition": f'attachment; filename="playlist.{suffix}"'}
    return Response(written(entries, form, title=title), media_type=MEDIA_TYPES[form], headers=headers)


def _form(request: Request, wanted: str | None) -> PlaylistForm | None:
    """The form of the answer; None is JSON."""
    if wanted is not None:
        return None if wanted == "json" else PlaylistForm(wanted)
    media = preferred(request.headers.get("accept", "*/*"), tuple(_BY_MEDIA))
    if media is None:
        raise ProblemError(
            406,
            title="Not acceptable",
            detail=f"None of the forms there are is accepted; ask for one of {', '.join(_BY_MEDIA)}, or with ?format=",
        )
    return _BY_MEDIA[media]


def _seeds(body: schemas.SeedsBody) -> Seeds:
    return Seeds(tracks=tuple(body.tracks), albums=tuple(body.albums), artists=tuple(body.artists))
