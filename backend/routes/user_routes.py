"""Public listeners, by their name on Last.fm or ListenBrainz."""

from __future__ import annotations

import asyncio
import re
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response

from backend.models.ingestion_models import RightsLevel
from backend.models.tastes import HeardFrom, ListenerRef
from backend.routes.answers import json_answer
from backend.routes.dependencies import WRITES, Level, With
from backend.routes.schemas_tastes import Comparison, Lacking, Profile, TastePicks
from backend.routes.schemas_users import Overview, Top
from backend.services.taste_service import MOST_RECOMMENDED, MOST_WANTED
from backend.services.taste_wanted import as_csv
from backend.services.user_service import Kind, Period
from backend.utils.errors import InvalidInputError

router = APIRouter(prefix="/users", tags=["users"])

_LASTFM: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")  # its own rule is 2 to 15 of these, older names are longer
_NAME: Final = r"^\w[\w .@+-]{0,63}$|^[A-Za-z0-9_.-]{1,64}$"
User = Annotated[str, Path(pattern=_NAME, description="Name at the source.", examples=["rj"])]
Source = Annotated[Literal["lastfm", "listenbrainz"], Query(description="Who knows the listener.")]
Span = Annotated[Period, Query(description="Plays of which time; at ListenBrainz the last whole week, month, … year.")]
Few = Annotated[int, Query(ge=1, le=200)]
K = Annotated[int, Query(ge=1, le=MOST_RECOMMENDED, description="How many familiar, and how many new ones.")]
Heard = Annotated[bool, Query(description="true: familiar tracks may have been heard.")]
Wanted = Annotated[int, Query(ge=1, le=MOST_WANTED, description="How many albums, and how many artists.")]
Form = Annotated[Literal["json", "csv"], Query(description="csv: the albums as `tensoe ingest --file` reads them.")]

TABLE: Final[dict[int | str, dict[str, Any]]] = {200: {"content": {"text/csv": {}}}}
"""What /docs says of answers that may be CSV."""


def public(name: str, source: str) -> ListenerRef:
    """A listener of a source, when the name can be one there.

    Raises:
        InvalidInputError: it cannot.
    """
    if source == HeardFrom.LASTFM and _LASTFM.fullmatch(name) is None:
        raise InvalidInputError(
            f"{name[:70]!r} cannot be a name on Last.fm: letters, digits and any of _ . - are; source=listenbrainz is another"
        )
    return ListenerRef(name=name, source=HeardFrom(source))


@router.get("/{name}", response_model=Overview, summary="A listener's top artists, albums and tracks")
async def overview(
    name: User,
    with_: With,
    source: Source = "lastfm",
    period: Span = "overall",
    limit: Few = 10,
    rights: Level = RightsLevel.ANY,
) -> Response:
    """What a listener plays most. Last.fm needs `LASTFM_API_KEY`; 404 when there is no such listener."""
    who = public(name, source)
    kinds: tuple[Kind, ...] = ("artists", "albums", "tracks")
    artists, albums, tracks = await asyncio.gather(
        *(with_.users.top(name, kind, period=period, limit=limit, rights=rights, source=who.source) for kind in kinds)
    )
    return json_answer(
        {
            "user": name,
            "source": source,
            "period": period,
            "artists": artists["data"],
            "albums": albums["data"],
            "tracks": tracks["data"],
        }
    )


@router.get("/{name}/top/{kind}", response_model=Top, summary="One of a listener's lists, longer")
async def top(
    name: User,
    kind: Kind,
    with_: With,
    source: Source = "lastfm",
    period: Span = "overall",
    limit: Few = 50,
    rights: Level = RightsLevel.ANY,
) -> Response:
    """The most played artists, albums or tracks."""
    who = public(name, source)
    return json_answer(await with_.users.top(name, kind, period=period, limit=limit, rights=rights, source=who.source))


@router.get("/{name}/profile", response_model=Profile, summary="A listener's taste in figures")
async def profile(
    name: User,
    with_: With,
    source: Source = "lastfm",
    period: Span = "overall",
    rights: Level = RightsLevel.ANY,
) -> Response:
    """Genres, moods, eras, audio features with their spread, drift, mainstream-ness and what is distinctive, by plays."""
    return json_answer(await with_.tastes.profile(public(name, source), period=period, rights=rights))


@router.get("/{name}/recommendations", response_model=TastePicks, summary="Tracks that fit a listener's taste")
async def recommendations(
    name: User,
    with_: With,
    source: Source = "lastfm",
    period: Span = "overall",
    k: K = 10,
    include_heard: Heard = False,
    rights: Level = RightsLevel.ANY,
) -> Response:
    """Of the catalogue: familiar ones, by artists the listener plays, and new ones; each with why."""
    found = await with_.tastes.recommendations(
        public(name, source), k=k, period=period, include_heard=include_heard, rights=rights
    )
    return json_answer(found)


@router.get(
    "/{name}/wanted", response_model=Lacking, responses=TABLE, summary="What a listener plays and the catalogue lacks"
)
async def wanted(
    name: User,
    with_: With,
    source: Source = "lastfm",
    period: Span = "overall",
    limit: Wanted = 50,
    format: Form = "json",  # noqa: A002 - the parameter is called so everywhere
) -> Response:
    """Albums and artists, the most played first; `batch` is the body of `POST /ml/ingest/batch`."""
    found = await with_.tastes.wanted(public(name, source), limit=limit, period=period)
    return csv_answer(as_csv(found)) if format == "csv" else json_answer(found)


@router.get("/{name}/compare/{other}", response_model=Comparison, summary="What two listeners have in common")
async def compare(
    name: User,
    other: User,
    with_: With,
    source: Source = "lastfm",
    other_source: Annotated[
        Literal["lastfm", "listenbrainz"] | None, Query(description="Who knows the other; as `source` when left out.")
    ] = None,
    period: Span = "overall",
    rights: Level = RightsLevel.ANY,
) -> Response:
    """Shared artists, genres in common and apart, a similarity, and what each could show the other."""
    two = public(name, source), public(other, other_source or source)
    return json_answer(await with_.tastes.compare(*two, period=period, rights=rights))


@router.delete("/{name}", status_code=204, summary="Forget public listeners", dependencies=WRITES)
async def forget(name: User, with_: With) -> Response:
    """Take what is kept of public listeners off the cache now, not after `CACHE_USER_TTL`: of this one, and with it of all.

    Nothing else is kept of them, and the cache does not tell whose is whose.
    """
    await with_.users.forget()
    return Response(status_code=204)


def csv_answer(body: bytes) -> Response:
    """Albums as a file."""
    return Response(
        body, media_type="text/csv; charset=utf-8", headers={"content-disposition": 'attachment; filename="wanted.csv"'}
    )
