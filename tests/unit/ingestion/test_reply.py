from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from backend.ingestion.reply import Reply
from backend.utils.errors import MalformedReplyError


def reply(body: bytes = b"{}", status: int = 200, **headers: str) -> Reply:
    return Reply(status, {k.replace("_", "-"): v for k, v in headers.items()}, body, "http://x/")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0), ("12", 12.0), (" 3.5 ", 3.5), ("52531", 52531.0), ("", None), ("soon", None), ("-5", None),
        ("nan", None), ("inf", None), ("1e9", None), ("٣", None), ("Fri, 31 Dec 1999 23:59:59 GMT", 0.0),
        ("Fri, 99 Dec 1999", None),
    ],
)  # fmt: skip
def test_retry_after(value: str, seconds: float | None) -> None:
    assert reply(retry_after=value).retry_after() == seconds


def test_retry_after_as_a_date() -> None:
    value = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    seconds = reply(retry_after=value).retry_after()
    assert seconds is not None
    assert 3000 < seconds <= 3600


def test_a_senseless_retry_after_still_makes_a_date() -> None:
    seconds = reply(retry_after="9" * 40).retry_after()
    assert seconds is not None
    assert datetime.now(UTC) + timedelta(seconds=seconds) > datetime.now(UTC)


def test_no_retry_after() -> None:
    assert reply().retry_after() is None


@pytest.mark.parametrize(
    ("status", "is_fault"), [(200, False), (404, False), (403, False), (429, True), (500, True), (503, True)]
)
def test_faults_are_told_by_status(status: int, is_fault: bool) -> None:
    assert reply(status=status).is_fault is is_fault


def test_a_byte_order_mark_is_passed_over() -> None:
    assert reply('\ufeff{"a": 1}'.encode()).json() == {"a": 1}


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"a": 1,}', b'{"a": NaN}', b"\xff\xfe"])
def test_what_is_no_json(body: bytes) -> None:
    with pytest.raises(MalformedReplyError, match="no JSON") as found:
        reply(body).json()
    assert found.value.__suppress_context__


def test_text_is_utf8_whatever_the_header_says() -> None:
    assert reply("Björk – Début".encode(), content_type="text/html; charset=latin-1").text() == "Björk – Début"
