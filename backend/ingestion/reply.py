"""What a source answered, whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import orjson

from backend.utils.errors import MalformedReplyError
from backend.utils.redaction import redact


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply whose body has arrived whole."""

    status: int
    headers: Mapping[str, str]  # keys in lower case
    body: bytes
    address: str  # may hold a key: `url` is what is shown
    _read: list[Any] = field(
        default_factory=list, compare=False, repr=False
    )  # what its JSON says, once it was asked for

    @property
    def url(self) -> str:
        """Its address with secrets masked."""
        return redact(self.address)

    @property
    def is_fault(self) -> bool:
        """Whether the status alone says that it is no answer: too many requests, or a fault of the server's.

        The transport deals with these; a source's check need not.
        """
        return self.status == HTTPStatus.TOO_MANY_REQUESTS or self.status >= HTTPStatus.INTERNAL_SERVER_ERROR

    @property
    def is_challenge(self) -> bool:
        """Whether a guard before the source wants to see a browser (Cloudflare's, in its two forms)."""
        return "cf-mitigated" in self.headers or (self.status in {403, 503} and b"Just a moment..." in self.body)

    def json(self) -> Any:
        """The body as JSON; a byte order mark before it is passed over. The same object each time: it is not to be changed.

        Raises:
            MalformedReplyError: it is none.
        """
        try:
            if not self._read:
                self._read.append(orjson.loads(self.body.removeprefix(b"\xef\xbb\xbf")))
            return self._read[0]
        except orjson.JSONDecodeError:
            start = redact(self.body[:60].decode("utf-8", "replace"))
            # `from None`: the decoder's error holds the whole body, a token's answer included.
            raise MalformedReplyError(f"{self.url} answered {self.status} with no JSON: {start!r}") from None

    def text(self) -> str:
        """The body as UTF-8 text, whatever the header claims (some pages declare no charset)."""
        return self.body.decode("utf-8", "replace")

    def retry_after(self) -> float | None:
        """Seconds of Retry-After: a number or an HTTP date (RFC 9110, section 10.2.3); None when unusable."""
        value = self.headers.get("retry-after", "").strip()
        if value.isascii() and value.replace(".", "", 1).isdigit():
            return min(float(value), 10.0 * 365 * 86_400)  # a date must come of it
        try:
            return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
        except (ValueError, TypeError):  # no date, or one without a time zone
            return None
