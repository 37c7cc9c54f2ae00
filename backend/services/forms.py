"""The forms in which tables and matrices leave, and what media types they are."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from backend.utils.errors import InvalidInputError


class Form(StrEnum):
    """How data is written."""

    JSON = "json"
    NDJSON = "ndjson"
    CSV = "csv"
    ARROW = "arrow"  # IPC stream
    ARROW_FILE = "arrow_file"  # IPC file (Feather): what `.arrow` files hold
    PARQUET = "parquet"


MEDIA_TYPES: Final = {
    Form.JSON: "application/json",
    Form.NDJSON: "application/x-ndjson",
    Form.CSV: "text/csv; charset=utf-8",
    Form.ARROW: "application/vnd.apache.arrow.stream",
    Form.ARROW_FILE: "application/vnd.apache.arrow.file",
    Form.PARQUET: "application/vnd.apache.parquet",
}


def form_of(name: str, allowed: tuple[Form, ...]) -> Form:
    """The form of a name.

    Raises:
        InvalidInputError: it is none of those allowed; the message names them.
    """
    try:
        form = Form(name)
    except ValueError:
        form = None
    if form not in allowed or form is None:
        raise InvalidInputError(f"format={name[:40]!r} is not known here; choose one of {', '.join(allowed)}")
    return form
