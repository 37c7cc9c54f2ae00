"""Data sets: built in the background, listed, read file by file, exported, removed; and features of single tracks."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Path, Query
from fastapi.responses import FileResponse, Response

from backend.routes import schemas_datasets as schemas
from backend.routes import schemas_preview
from backend.routes.answers import json_answer
from backend.routes.dependencies import WRITES, With
from backend.services.dataset_comparison import MOST_SHOWN
from backend.services.dataset_work import DataSetTask
from backend.services.recipes import parse_recipe

router = APIRouter(prefix="/ml", tags=["data sets"])

Named = Annotated[
    str,
    Path(
        max_length=80,
        pattern=r"^[0-9A-Za-z._-]+$",
        description="A name (its newest build), or the first digits of a fingerprint.",
        examples=["songs"],
    ),
]
TaskId = Annotated[str, Path(pattern=r"^[0-9a-f]{24}$", description="As the answer to the request named it.")]
Form = Literal["csv", "parquet", "arrow", "ndjson", "npz", "huggingface", "croissant", "sqlite", "duckdb"]
_BYTES: dict[str, Any] = {"type": "string", "format": "binary"}
_UNKNOWN: dict[int | str, dict[str, Any]] = {404: {"description": "There is none of this name"}}
_FILE: dict[int | str, dict[str, Any]] = {
    **_UNKNOWN,
    200: {"description": "The file", "content": {"application/octet-stream": {"schema": _BYTES}}},
}
_BUSY: dict[int | str, dict[str, Any]] = {503: {"description": "Too many are being built or exported"}}


@router.post(
    "/datasets",
    status_code=202,
    response_model=schemas.DataSetTask,
    responses=_BUSY,
    dependencies=WRITES,
    summary="Build a data set in the background",
)
async def build(asked: schemas.RecipeRequest, with_: With) -> Response:
    """Take a recipe, answer at once with where to follow the build.

    The same recipe over the same knowledge is the same data set, and is kept once.
    """
    return _accepted(with_.dataset_work.build(parse_recipe(asked.model_dump())))


@router.post(
    "/datasets/preview",
    response_model=schemas_preview.Preview,
    responses={503: {"description": "Too many previews are being made"}},
    summary="What a recipe would give",
)
async def preview(asked: schemas.RecipeRequest, with_: With) -> Response:
    """Rows, columns, coverage, parts, certificate and some rows, before anything is built; nothing is stored.

    All fitting tracks are counted; the rest is told of the first 5,000 of them by id. A past moment is refused.
    """
    return json_answer(await with_.dataset_preview.of(parse_recipe(asked.model_dump())))


@router.get("/datasets", response_model=schemas.DataSets, summary="All data sets")
async def datasets(with_: With) -> Response:
    """By name, the newest knowledge first."""
    return json_answer({"data": await with_.datasets.all()})


@router.get(
    "/datasets/work/{task_id}", response_model=schemas.DataSetTask, responses=_UNKNOWN, summary="How far one is"
)
async def work(task_id: TaskId, with_: With) -> Response:
    """A build or an export that this server was asked for since it started."""
    return json_answer(with_.dataset_work.find(task_id))


@router.get("/datasets/exports/{name}", responses=_FILE, response_class=FileResponse, summary="Download an export")
async def download(name: Annotated[str, Path(max_length=200)], with_: With) -> Response:
    """A finished export's bytes; those that are folders come as one ZIP file."""
    path = await with_.datasets.exported(name)
    return FileResponse(path, filename=path.name)


@router.get("/datasets/{named}", response_model=schemas.DataSetManifest, responses=_UNKNOWN, summary="What one is")
async def dataset(named: Named, with_: With) -> Response:
    """Its manifest: recipe's name, moment, parts, features, files with their SHA-256."""
    return json_answer(await with_.datasets.find(named))


@router.delete(
    "/datasets/{named}",
    response_model=schemas.Removed,
    responses=_UNKNOWN,
    dependencies=WRITES,
    summary="Remove one",
)
async def remove(named: Named, with_: With) -> Response:
    """Its exports stay; its recipe builds it again."""
    found = await with_.datasets.remove(named)
    return json_answer({"fingerprint": found.fingerprint, "name": found.name})


@router.get("/datasets/{named}/files/{path:path}", responses=_FILE, response_class=FileResponse, summary="One file")
async def file(named: Named, path: Annotated[str, Path(max_length=200)], with_: With) -> Response:
    """`manifest.json`, or a file that the manifest names."""
    return FileResponse(await with_.datasets.file(named, path))


@router.get(
    "/datasets/{named}/diff/{other}",
    response_model=schemas.Changes,
    responses={**_UNKNOWN, 200: {"content": {"text/csv": {}}}},
    summary="How another one differs",
)
async def diff(
    named: Named,
    other: Named,
    with_: With,
    limit: Annotated[int, Query(ge=0, le=MOST_SHOWN, description="Rows, values and figures shown of each kind.")] = 20,
    form: Annotated[Literal["json", "csv"], Query(description="How it is told.")] = "json",
) -> Response:
    """Rows, values, columns and learnt figures that came, went or changed from the first to the second, and why.

    All are counted; `reasons` says what the reasons mean.
    """
    found = await with_.dataset_comparison.diff(named, other, limit=limit)
    if form == "csv":
        from backend.features.changes import as_csv  # late: it loads DuckDB

        return Response(as_csv(found), media_type="text/csv")
    return json_answer(found.to_plain())


@router.get(
    "/datasets/{named}/drift/{other}",
    response_model=schemas.Drifted,
    responses={**_UNKNOWN, 200: {"content": {"text/html": {}}}},
    summary="How far another one drifted",
)
async def drift(
    named: Named,
    other: Named,
    with_: With,
    form: Annotated[Literal["json", "html"], Query(description="How it is told.")] = "json",
) -> Response:
    """The second one's quality report, with what changed in its fields since the first."""
    found = await with_.dataset_comparison.drift(named, other)
    if form == "html":
        from backend.features.quality import as_html  # late: it loads Arrow

        return Response(as_html(found.report), media_type="text/html")
    return json_answer(
        {"before": found.before.fingerprint, "after": found.after.fingerprint, "report": found.report.to_plain()}
    )


@router.post(
    "/datasets/{named}/export",
    status_code=202,
    response_model=schemas.DataSetTask,
    responses={**_UNKNOWN, **_BUSY},
    dependencies=WRITES,
    summary="Export one in the background",
)
async def export(named: Named, with_: With, form: Annotated[Form, Body(embed=True)]) -> Response:
    """Write it in a form that others read; the task's `result` is what `/ml/datasets/exports/{name}` gives."""
    found = await with_.datasets.find(named)
    return _accepted(with_.dataset_work.export(found.fingerprint, name=found.name, form=form))


@router.post("/features", response_model=schemas.Features, responses=_UNKNOWN, summary="Features of single tracks")
async def features(asked: schemas.FeaturesRequest, with_: With) -> Response:
    """What a data set's fitted pipeline makes of tracks that need not be stored: the same columns as in training."""
    return json_answer(await with_.datasets.features(asked.dataset, asked.tracks))


def _accepted(task: DataSetTask) -> Response:
    return json_answer(task, status=202, headers={"location": f"/ml/datasets/work/{task.id}"})
