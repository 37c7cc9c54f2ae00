"""Keeps keys and passwords out of what people read: logs, errors, answers.

Two nets: the literal secrets that the process knows, and forms in which secrets travel (query strings, headers,
addresses with a password, `key=value`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import quote, quote_plus

MASK: Final = "********"
_SHORTEST: Final = 6  # literal secrets shorter than this would mask ordinary words

# A form begins with what tells it, never with a repetition, and no repetition is followed by what it may hold itself without a
# bound: text that strangers send is searched in a time in proportion to its length.
_WORD: Final = (
    r"(?:api[_-]?key|api[_-]?sig|secret|password|passwd|pwd|token|authorization|credential|cookie|anon[_-]?key)\w{0,64}"
)
_SK: Final = r"(?<![\w-])sk"  # Last.fm's session key
_FORMS: Final = (
    # postgresql://user:password@host, redis://:password@host; a password may hold "@" when sloppily written
    # ("user:password@" itself stands in our own hints on the form of an address)
    (re.compile(r"(?i)([a-z0-9+.-]://[^\s/:@?#\"']*):(?!password@)[^\s/\"'?#]*@"), rf"\1:{MASK}@"),
    # Authorization: Bearer x; without the header's name only what is too long for a word ("Basic Channel")
    (re.compile(r"(?i)(authorization[\"']?\s*(?:=|:)\s*[\"']?(?:[a-z]+\s+)?)(?!\*)[\w.~+/=-]+"), rf"\1{MASK}"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{16,}"), rf"\1 {MASK}"),
    # our own keys, wherever they stand; the public part stays
    (re.compile(r"\b(tensoe_[0-9a-z]{12})_[\w-]{43}"), rf"\1_{MASK}"),
    # api_key=x, "client_secret": "x", password='x', X-API-Key: x
    (
        re.compile(
            rf"(?i)((?:{_WORD}|{_SK})[\"']?\s*(?:=|%3D|:)\s*(?:b?[\"'])?)"
            r"(?!\s|(?:bearer|basic)\b|\*|//|None\b|SecretStr)[^\s&;,\"'<>)\]}]+"
        ),
        rf"\1{MASK}",
    ),
)
_FIELD: Final = re.compile(r"[\w.-]{1,200}")
_SECRET_FIELD: Final = re.compile(rf"(?i){_WORD}\Z|\Ask\Z")
_known: set[str] = set()


def remember_secrets(values: Iterable[str]) -> None:
    """Mask these values from now on, wherever they stand; also in their percent-encoded forms."""
    for value in values:
        if len(value) >= _SHORTEST:
            _known.update({value, quote(value, safe=""), quote_plus(value)})


def redact(text: str) -> str:
    """The text with secrets masked.

    >>> redact("GET /2.0/?method=x&api_key=0123abcd&format=json")
    'GET /2.0/?method=x&api_key=********&format=json'
    >>> redact("postgresql://tensoe:hunter2@db:5432/tensoe")
    'postgresql://tensoe:********@db:5432/tensoe'
    """
    # Longest first: one secret may be part of another.
    for value in sorted(_known, key=len, reverse=True):
        text = text.replace(value, MASK)
    for form, shown in _FORMS:
        text = form.sub(shown, text)
    return text


def redact_value(value: Any, *, name: str = "") -> Any:
    """The value with secrets masked at any depth; a field whose name says secret is masked whole."""
    if _tells(name) and value is not None and not isinstance(value, bool | int | float):
        return MASK
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {redact_value(k): redact_value(v, name=str(k)) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [redact_value(v) for v in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return redact(value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value))


def _tells(name: str) -> bool:
    return _FIELD.fullmatch(name) is not None and _SECRET_FIELD.search(name) is not None
