"""Tables of tracks, albums or tags over HTTP: which column is what is guessed, shown and can be said."""

from __future__ import annotations

import contextlib
from dataclasses import asdict
from typing import Annotated, BinaryIO, Final, Literal, cast

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from starlette.datastructures import UploadFile

from backend.ingestion.tables.reading import Source
from backend.models.ingestion_models import Rights
from backend.routes import schemas_tables as schemas
from backend.routes.answers import json_answer
from backend.routes.dependencies import WRITES, With, Word
from backend.routes.uploads import FORM, PROBLEMS, uploaded
from backend.services.table_preparing import Options
from backend.utils.errors import InvalidInputError

STREAMED: Final = frozenset({"/import/table"})
"""Paths whose bodies are read here, piece by piece onto disk, and bounded here."""
_UNPACKED: Final = 10  # times as many bytes as may be sent; tables become 3 to 8 times smaller

router = APIRouter(prefix="/import", tags=["ingestion"], dependencies=WRITES)

Columns = Annotated[
    list[Word] | None,
    Query(alias="map", max_length=100, description="FIELD=COLUMN, may be repeated; as `tensoe import table --map`."),
]
Allowed = Annotated[
    Literal["open", "noncommercial", "restricted", "unknown"] | None,
    Query(description="What the table's terms allow; guessed from its shape when it is not said."),
]


@router.post(
    "/table",
    response_model=schemas.TablesAnswer,
    summary="Take in tables of tracks, albums or tags",
    openapi_extra=FORM,
    responses=PROBLEMS,
)
async def import_table(
    request: Request,
    with_: With,
    map_: Columns = None,
    source: Annotated[Word | None, Query(description="As whose values they are stored.")] = None,
    rights: Allowed = None,
    encoding: Annotated[Word, Query(description="How text is written.")] = "utf-8",
    dry_run: Annotated[bool, Query(description="true: show what would be read; store nothing.")] = False,
) -> Response:
    """CSV, Parquet or NDJSON, packed with gzip or Zstandard or not, in the common public shapes.

    Rows are laid together into albums; those are laid onto stored ones by identifier, else by names, and others are stored as
    albums of their own. Duplicates, contradictions and what cannot be read are told with their lines. Doing it twice changes
    nothing, and an import that was interrupted goes on where it was. Nothing is asked of any service.
    """
    options = Options(
        columns=_columns(map_ or []),
        source=source,
        rights=None if rights is None else Rights(rights),
        encoding=encoding,
        dry_run=dry_run,
    )
    most = with_.settings.api.max_import_bytes
    async with uploaded(request, most=most) as uploads:
        found = [asdict(await with_.tables.run(_given(upload, most * _UNPACKED), options)) for upload in uploads]
    return json_answer({"tables": found})


def _given(upload: UploadFile, most: int) -> Source:
    def opened() -> BinaryIO:
        upload.file.seek(0)
        # The form closes it, not who reads it: a table may be read twice.
        return cast(BinaryIO, contextlib.nullcontext(upload.file))

    return Source((upload.filename or "unnamed")[:200], opened, most)


def _columns(given: list[str]) -> dict[str, str]:
    pairs = [pair.partition("=") for pair in given]
    for name, equals, _ in pairs:
        if not name or not equals:
            raise InvalidInputError(f"map={name} is not of the form FIELD=COLUMN")
    return {name: column for name, _, column in pairs}
