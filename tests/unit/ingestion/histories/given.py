"""Exports as the user gives them, for the tests of what reads them."""

from __future__ import annotations

import contextlib
import io
import json
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from backend.ingestion.histories.files import Given
from backend.ingestion.histories.reader import listens, require_known
from backend.models.listening import HistoryReport, Listen

PAYLOADS = Path(__file__).resolve().parents[3] / "payloads" / "listens"


def given(content: str | bytes | list[Any] | dict[str, Any], name: str = "export") -> Given:
    """A file with this content; lists and objects as JSON."""
    text = content if isinstance(content, str | bytes) else json.dumps(content)
    raw = text.encode() if isinstance(text, str) else text
    return Given(name, lambda: contextlib.nullcontext(io.BytesIO(raw)))


def payload(name: str) -> Given:
    """A payload, under a name that tells nothing."""
    return given((PAYLOADS / name).read_bytes(), "export")


def zipped(**members: str | bytes) -> bytes:
    """A zip; the members' names with two underscores for the dot."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "."), content)
    return packed.getvalue()


def read(*files: Given) -> tuple[list[Listen], HistoryReport]:
    """Everything, and the report."""
    report = HistoryReport(listener="me")
    require_known(files)
    return list(listens(files, report)), report


def told(found: Sequence[Listen]) -> list[tuple[str, str]]:
    """When and what, for short."""
    return [(f"{one.listened_at:%m-%d %H:%M:%S}", one.track) for one in found]


def at(*parts: int) -> datetime:
    """A time in UTC."""
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]  # the parts are numbers, and the zone is the zone
