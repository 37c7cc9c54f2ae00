"""The map of all tracks: points as bytes, what they are coloured by, what is written on them, the tracks behind them."""

from __future__ import annotations

import gzip
from hashlib import blake2b
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response, StreamingResponse

from backend.models.ingestion_models import RightsLevel
from backend.models.map import MapProgress
from backend.models.map_columns import ColumnName
from backend.routes import schemas_map as schemas
from backend.routes.answers import json_answer
from backend.routes.dependencies import WRITES, Level, With, Word
from backend.services.map_choice import MapChoice
from backend.services.map_service import MOST, MOST_LISTED
from backend.services.playlists.forms import MEDIA_TYPES, PlaylistForm
from backend.services.playlists.writing import written

router = APIRouter(prefix="/ml/map", tags=["map"])

_BYTES: Final = "application/octet-stream"
_ARROW: Final = "application/vnd.apache.arrow.stream"
_PACKED_FROM: Final = 16_384  # bytes; smaller answers fit into few packets as they are
_CHUNK: Final = 256 * 1024
_BINARY: Final = {"schema": {"type": "string", "format": "binary"}}
_DRAWING: Final[dict[int | str, dict[str, Any]]] = {
    202: {"model": schemas.Progress, "description": "The map is being drawn; ask again"},
    304: {"description": "Nothing changed since the version in If-None-Match"},
}
_POINTS: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {_BYTES: _BINARY, _ARROW: _BINARY}, "description": "The points"},
    **_DRAWING,
}
_FILES: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {media.partition(";")[0]: {"schema": {"type": "string"}} for media in MEDIA_TYPES.values()}},
    409: {"description": "The rows are of another version of the map"},
}

Rows = Annotated[list[int] | None, Query(max_length=500, description="Rows of the points; needs `version`.")]


@router.get("", response_class=Response, responses=_POINTS, summary="Every track as a point")
async def points(
    request: Request,
    with_: With,
    rights: Level = RightsLevel.ANY,
    form: Annotated[
        Literal["binary", "arrow"],
        Query(alias="format", description="binary: x and y as uint16, little end first; arrow: with ids and names."),
    ] = "binary",
    column: Annotated[
        list[ColumnName] | None, Query(max_length=6, description="arrow: what is wanted besides; may be repeated.")
    ] = None,
) -> Response:
    """Places in two dimensions, so that neighbours sound alike; a track keeps its place when others come.

    `binary`: four bytes a point, x then y, each 0 to 65,535. The order is the same for all columns of one version, and as good
    as drawn: the first thousand points are spread like all. `X-Map-Version` is what rows belong to. 202 while the map is drawn.
    """
    found = await with_.map.picture(rights)
    if isinstance(found, MapProgress):
        return _drawing(found)
    headers = {"x-map-version": found.version, "x-map-points": str(len(found)), "vary": "accept-encoding"}
    if form == "arrow":
        produce = await with_.map.arrow(rights, column or ())
        return StreamingResponse(with_.map.stream(produce), media_type=_ARROW, headers=headers)
    tag = f'"{found.version}"'
    if _is_known(request, tag):
        return Response(status_code=304, headers={"etag": tag, "cache-control": "no-cache", **headers})
    body = memoryview(found.at.astype("<u2", copy=False).tobytes())
    chunks = (bytes(body[start : start + _CHUNK]) for start in range(0, len(body), _CHUNK))
    headers |= {"etag": tag, "cache-control": "no-cache", "content-length": str(len(body))}
    return StreamingResponse(_each(chunks), media_type=_BYTES, headers=headers)


@router.get("/state", response_model=schemas.MapState, summary="What there is of the map")
async def state(with_: With, rights: Level = RightsLevel.ANY) -> Response:
    """Whether it is ready, of how many tracks, and how far it is while it is drawn. Begins to draw it where there is none."""
    return json_answer(await with_.map.overview(rights))


@router.post(
    "/rebuild", status_code=202, response_model=schemas.Progress, dependencies=WRITES, summary="Draw the map anew"
)
async def rebuild(with_: With, rights: Level = RightsLevel.ANY) -> Response:
    """Lays all tracks out again in the background: every point may stand elsewhere afterwards. The old map answers until then."""
    return _drawing(await with_.map.rebuild(rights))


@router.get(
    "/columns/{name}",
    response_class=Response,
    responses={200: {"content": {_BYTES: _BINARY}, "description": "One number a point"}, **_DRAWING},
    summary="What points are coloured by",
)
async def column(request: Request, name: ColumnName, with_: With, rights: Level = RightsLevel.ANY) -> Response:
    """One number a point, in the order of the points: uint8, or uint16 (little end first) for `year`; the legend tells them."""
    picture, found = await with_.map.column(rights, name)
    body = found.values.astype(found.values.dtype.newbyteorder("<"), copy=False).tobytes()
    tag = f'"{picture.version}-{blake2b(body, digest_size=8).hexdigest()}"'
    headers = {"etag": tag, "cache-control": "no-cache", "x-map-version": picture.version, "vary": "accept-encoding"}
    if _is_known(request, tag):
        return Response(status_code=304, headers=headers)
    if len(body) >= _PACKED_FROM and "gzip" in request.headers.get("accept-encoding", ""):
        body = gzip.compress(body, 1, mtime=0)
        headers["content-encoding"] = "gzip"
    return Response(body, media_type=_BYTES, headers=headers)


@router.get("/columns/{name}/legend", response_model=schemas.MapLegend, summary="What a column's numbers mean")
async def legend(name: ColumnName, with_: With, rights: Level = RightsLevel.ANY) -> Response:
    """Classes with their codes and how many points have them, or the span of numbers."""
    picture, found = await with_.map.column(rights, name)
    return json_answer({"version": picture.version, "name": name, **found.legend})


@router.get("/labels", response_model=schemas.MapLabels, summary="Genres, where they are densest")
async def labels(with_: With, rights: Level = RightsLevel.ANY) -> Response:
    """Each with its place, how many tracks have it, and the zoom from which there is room for it."""
    picture, found = await with_.map.labels(rights)
    return json_answer({"version": picture.version, "data": found})


@router.get("/tracks", response_model=schemas.MapTracks, responses=_FILES, summary="The tracks behind points")
async def tracks(
    with_: With,
    rights: Level = RightsLevel.ANY,
    q: Annotated[Word | None, Query(min_length=1, description="A part of title, artist or album.")] = None,
    id_: Annotated[list[Word] | None, Query(alias="id", max_length=20, description="Ids; may be repeated.")] = None,
    row: Rows = None,
    box: Annotated[str | None, Query(max_length=100, description="left,low,right,high on the grid.")] = None,
    near: Annotated[str | None, Query(max_length=60, description="x,y: the nearest to a place.")] = None,
    polygon: Annotated[str | None, Query(max_length=4_000, description="x,y,x,y,…: inside this line.")] = None,
    column: Annotated[ColumnName | None, Query(description="With `code`: only points of these classes.")] = None,
    code: Annotated[list[int] | None, Query(max_length=64, description="May be repeated.")] = None,
    version: Annotated[
        Word | None, Query(description="Of the map that rows are counted on; 409 when it is past.")
    ] = None,
    limit: Annotated[
        int | None, Query(ge=1, le=MOST_LISTED, description=f"JSON: at most {MOST:,}, 100 without.")
    ] = None,
    form: Annotated[
        Literal["json", "m3u", "xspf", "jspf", "csv"], Query(alias="format", description="json, or a playlist.")
    ] = "json",
) -> Response:
    """By exactly one of `q`, `id`, `row`, `box`, `near` and `polygon`: the tracks with their places, or a playlist of them."""
    choice = MapChoice.of(
        q=q, ids=id_, rows=row, box=box, near=near, polygon=polygon, column=column, codes=code, version=version
    )
    if form == "json":
        return json_answer(await with_.map.tracks(rights, choice, limit=limit or 100))
    entries = await with_.map.entries(rights, choice, limit=limit or MOST_LISTED)
    chosen = PlaylistForm(form)
    suffix = "m3u8" if chosen is PlaylistForm.M3U else form
    headers = {"content-disposition": f'attachment; filename="map.{suffix}"'}
    return Response(written(entries, chosen, title="From the map"), media_type=MEDIA_TYPES[chosen], headers=headers)


def _drawing(progress: MapProgress) -> Response:
    return json_answer({"done": progress.done}, status=202, headers={"retry-after": "1", "cache-control": "no-store"})


def _is_known(request: Request, tag: str) -> bool:
    given = request.headers.get("if-none-match", "")
    return given.strip() == "*" or tag in (part.strip().removeprefix("W/") for part in given.split(","))


async def _each(chunks: Any) -> Any:
    for chunk in chunks:
        yield chunk
