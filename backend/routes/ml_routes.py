"""Training data, matrices, insights, exports, recommendations."""

from __future__ import annotations

from email.utils import format_datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response, StreamingResponse

from backend.models.ingestion_models import RightsLevel
from backend.routes import schemas, schemas_analytics, schemas_catalogue, schemas_ml
from backend.routes.answers import json_answer, next_link, preferred
from backend.routes.dependencies import WRITES, Cursor, Filter, Level, With, Word, bounded
from backend.routes.errors import ProblemError
from backend.services.discovery_service import PER_ARTIST
from backend.services.forms import MEDIA_TYPES, Form
from backend.services.genre_tree import genre_nodes

router = APIRouter(prefix="/ml")

_FORMS = (Form.JSON, Form.NDJSON, Form.CSV, Form.ARROW, Form.PARQUET)
# Without parameters ("; charset=…"), as Accept names them.
_BY_MEDIA = {MEDIA_TYPES[form].partition(";")[0]: form for form in _FORMS}
_USUAL = 1_000  # rows of an answer when no limit is given
_BYTES = {"schema": {"type": "string", "format": "binary"}}
_TEXT = {"schema": {"type": "string"}}
_CONTENT: dict[str, Any] = {
    media: _TEXT if form in {Form.NDJSON, Form.CSV} else _BYTES
    for media, form in _BY_MEDIA.items()
    if form is not Form.JSON
}
_STREAMED: dict[int | str, dict[str, Any]] = {
    200: {
        "content": _CONTENT,
        "headers": {"Link": {"description": 'Address of the next page, `rel="next"`', "schema": {"type": "string"}}},
    },
    406: {"description": "The Accept header takes none of the forms"},
}

Wanted = Annotated[
    Literal["json", "ndjson", "csv", "arrow", "parquet"] | None,
    Query(alias="format", description="Wins over the Accept header: json, ndjson, csv, arrow, parquet."),
]
Target = Annotated[
    str,
    Query(
        max_length=200,
        description="What y is: aoty_score, popularity, an audio feature, genre:rock, mood:mellow, genre, …",
        examples=["aoty_score", "popularity", "genre:rock"],
    ),
]
AudioFeature = Literal[
    "acousticness",
    "danceability",
    "energy",
    "instrumentalness",
    "liveness",
    "loudness",
    "speechiness",
    "tempo",
    "valence",
]
Limit = Annotated[
    int | None, Query(ge=1, description=f"Rows at the most; unset: {_USUAL:,}, of exports all that are allowed.")
]
FileName = Annotated[
    str,
    Query(max_length=300, description="Ends in .csv, .parquet, .arrow or .jsonl; no folder.", examples=["a.parquet"]),
]


@router.get(
    "/training-data",
    tags=["training"],
    response_model=schemas.TrackPage,
    responses=_STREAMED,
    summary="Rows of training data",
)
async def training_data(
    request: Request,
    with_: With,
    wanted: Filter,
    limit: Limit = None,
    cursor: Cursor = None,
    form: Wanted = None,
) -> Response:
    """Tracks with all their fields, in an order that stays the same while rows are added.

    Follow `Link` (every form) or `next_cursor` (JSON) to go past the limit.
    """
    chosen = _form(request, form)
    most = with_.settings.ml.ml_training_data_limit
    rows = bounded(limit or min(most, _USUAL), most=most, setting="ML_TRAINING_DATA_LIMIT")
    page = await with_.training.page(wanted, limit=rows, cursor=cursor, form=chosen)
    headers = {"vary": "accept"}
    if page.next_cursor:
        headers["link"] = next_link(request, cursor=page.next_cursor)
    return StreamingResponse(page.chunks, media_type=page.media_type, headers=headers)


@router.get(
    "/feature-matrix",
    tags=["training"],
    response_model=schemas_ml.Matrix,
    responses=_STREAMED,
    summary="The prepared matrix",
)
async def feature_matrix(
    request: Request,
    with_: With,
    wanted: Filter,
    limit: Limit = None,
    target: Target = "aoty_score",
    form: Wanted = None,
) -> Response:
    """X (numbers, nothing missing) and y, ready for scikit-learn: numerical columns, audio features, top genres and moods.

    What tells the target is never among the columns of X. Tracks of which too little is known are left out
    (`ML_MIN_FEATURES_PER_TRACK`); missing values are filled and flagged in columns of their own.
    """
    chosen = _form(request, form)
    most = with_.settings.ml.ml_feature_matrix_limit
    rows = bounded(limit or min(most, _USUAL), most=most, setting="ML_FEATURE_MATRIX_LIMIT")
    media, chunks = await with_.ml.feature_matrix(wanted, limit=rows, target=target, form=chosen)
    return StreamingResponse(chunks, media_type=media, headers={"vary": "accept"})


@router.get(
    "/analytics", tags=["analytics"], response_model=schemas_analytics.Analytics, summary="Insights into what is stored"
)
async def analytics(with_: With, rights: Level = RightsLevel.ANY) -> Response:
    """Genres, moods, distributions of popularity and scores, trends per year, audio features, coverage."""
    return json_answer(await with_.analytics.overview(rights))


@router.get(
    "/analytics/facets",
    tags=["analytics"],
    response_model=schemas_analytics.Facets,
    summary="Insights into a selection",
)
async def facets(
    with_: With,
    wanted: Filter,
    feature: Annotated[AudioFeature, Query(description="Whose spread by genre is told.")] = "energy",
) -> Response:
    """Genres, moods, years, popularity, scores, critics against listeners, and sound by genre, of the tracks that fit.

    Each figure leaves out its own condition, so that what stands beside the chosen can be seen and chosen as well.
    """
    return json_answer(await with_.analytics.facets(wanted, feature=feature))


@router.get("/genres", tags=["analytics"], response_model=schemas_analytics.TagCounts, summary="Distribution of genres")
async def genres(
    with_: With, limit: Annotated[int, Query(ge=1, le=10_000)] = 50, rights: Level = RightsLevel.ANY
) -> Response:
    """The most frequent genres, first the most, with their number of tracks."""
    return json_answer(await with_.analytics.genres(limit=limit, rights=rights))


@router.get(
    "/genres/tree", tags=["analytics"], response_model=schemas_catalogue.GenreTree, summary="The tree of genres"
)
async def genre_tree() -> Response:
    """Every genre that tags are told by, with what it hangs under and its other spellings. The same at every level of rights."""
    return json_answer(genre_nodes())


@router.get(
    "/genres/{genre}", tags=["analytics"], response_model=schemas_analytics.Genre, summary="A genre on the whole"
)
async def genre(
    genre: Annotated[Word, Path(min_length=1, description="In any spelling.")],
    with_: With,
    rights: Level = RightsLevel.ANY,
) -> Response:
    """How many tracks it has, from when, and means: popularity, scores, and of each audio feature mean and deviation."""
    return json_answer(await with_.analytics.genre(genre, rights=rights))


@router.get("/moods", tags=["analytics"], response_model=schemas_analytics.TagCounts, summary="Distribution of moods")
async def moods(
    with_: With, limit: Annotated[int, Query(ge=1, le=10_000)] = 50, rights: Level = RightsLevel.ANY
) -> Response:
    """The most frequent moods, first the most, with their number of tracks."""
    return json_answer(await with_.analytics.moods(limit=limit, rights=rights))


@router.get(
    "/rights", tags=["exports"], response_model=schemas_catalogue.RightsReport, summary="What training data are made of"
)
async def rights_report(with_: With, wanted: Filter, limit: Limit = None) -> Response:
    """Which sources gave the values of these tracks, which share, and what their terms are; so does every export."""
    most = with_.settings.ml.ml_training_data_limit
    rows = bounded(limit or most, most=most, setting="ML_TRAINING_DATA_LIMIT")
    return json_answer(await with_.exports.rights(wanted, limit=rows))


@router.get(
    "/stats", tags=["analytics"], response_model=schemas_analytics.Statistics, summary="Statistics of ingestion"
)
async def stats(with_: With) -> Response:
    """How ingestion went, per source and per job."""
    return json_answer(await with_.analytics.statistics())


@router.post(
    "/export/training-data",
    tags=["exports"],
    response_model=schemas_ml.NewExport,
    dependencies=WRITES,
    summary="Write training data to a file",
)
async def export_training_data(
    with_: With, wanted: Filter, filename: FileName = "training_data.csv", limit: Limit = None
) -> Response:
    """Write a file into the export folder and say where to download it; the suffix chooses the form."""
    most = with_.settings.ml.ml_training_data_limit
    rows = bounded(limit or most, most=most, setting="ML_TRAINING_DATA_LIMIT")
    return json_answer(await with_.exports.training_data(filename, limit=rows, track_filter=wanted))


@router.post(
    "/export/feature-matrix",
    tags=["exports"],
    response_model=schemas_ml.NewExport,
    dependencies=WRITES,
    summary="Write a feature matrix to a file",
)
async def export_feature_matrix(
    with_: With,
    wanted: Filter,
    filename: FileName = "feature_matrix.csv",
    limit: Limit = None,
    target: Target = "aoty_score",
) -> Response:
    """Write X and y into the export folder and say where to download it; the suffix chooses the form."""
    most = with_.settings.ml.ml_feature_matrix_limit
    rows = bounded(limit or most, most=most, setting="ML_FEATURE_MATRIX_LIMIT")
    return json_answer(await with_.exports.feature_matrix(filename, limit=rows, target=target, track_filter=wanted))


@router.get("/exports", tags=["exports"], response_model=schemas_ml.ExportList, summary="Files that were exported")
async def exports(with_: With) -> Response:
    """All finished exports, by name."""
    return json_answer({"data": await with_.exports.list()})


@router.get(
    "/exports/{name}",
    tags=["exports"],
    response_class=Response,
    responses={200: {"description": "The file", "content": {"application/octet-stream": _BYTES, **_CONTENT}}},
    summary="Download an export",
)
async def export(name: Annotated[str, Path(max_length=300)], with_: With) -> Response:
    """The file's bytes."""
    found = await with_.exports.open(name)
    headers = {
        "content-length": str(found.bytes),
        "content-disposition": f'attachment; filename="{found.name}"',  # the name holds no quote: it was checked
        "last-modified": format_datetime(found.modified_at, usegmt=True),
    }
    return StreamingResponse(found.chunks, media_type=found.media_type, headers=headers)


@router.get(
    "/exports/{name}/rights",
    tags=["exports"],
    response_model=schemas_catalogue.RightsReport,
    summary="What an export is made of",
)
async def export_rights(name: Annotated[str, Path(max_length=300)], with_: With) -> Response:
    """The report that was written with the file: which sources gave its values, which share, and what their terms are."""
    return json_answer(await with_.exports.report(name))


@router.get(
    "/recommendations/{track_id}",
    tags=["recommendations"],
    response_model=schemas_ml.Recommendations,
    summary="Tracks like a track",
)
async def recommendations(
    track_id: Annotated[str, Path(max_length=200, description="As `/ml/training-data` names it.")],
    with_: With,
    wanted: Filter,
    k: Annotated[int, Query(ge=1, le=100, description="How many.")] = 10,
    per_artist: Annotated[int, Query(ge=1, le=100, description="At most so many tracks of one artist.")] = PER_ARTIST,
    diversity: Annotated[
        float, Query(ge=0, le=1, description="0 takes the nearest; towards 1 each must be unlike those before it.")
    ] = 0.0,
) -> Response:
    """The nearest tracks by sound, time, popularity, genres, moods and listeners, each song once, each with the reasons."""
    found = await with_.discovery.recommendations(
        track_id, k=k, track_filter=wanted, per_artist=per_artist, diversity=diversity
    )
    return json_answer({"track_id": track_id, "count": len(found), "data": found})


def _form(request: Request, wanted: str | None) -> Form:
    if wanted is not None:
        return Form(wanted)
    accept = request.headers.get("accept", "*/*")
    media = preferred(accept, tuple(_BY_MEDIA))
    if media is None:
        raise ProblemError(
            406,
            title="Not acceptable",
            detail=f"None of the forms there are is accepted; ask for one of {', '.join(_BY_MEDIA)}, or with ?format=",
        )
    return _BY_MEDIA[media]
