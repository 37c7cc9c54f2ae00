"""HTTP towards one source: pace, retry of transient faults, Retry-After up to a bound, metrics. (interface)"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How fast and how patiently a source is asked.

    Attributes:
        rate: requests a second, evenly spaced.
        concurrent: requests under way at once.
        timeout: seconds for one request.
        attempts: tries of one request when faults are transient.
        patience: the longest Retry-After in seconds that is waited for; a longer one ends in ThrottledError.
    """

    rate: float = 5.0
    concurrent: int = 4
    timeout: float = 20.0
    attempts: int = 4
    patience: float = 30.0


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply whose body has arrived whole."""

    status: int
    headers: Mapping[str, str]  # keys in lower case
    body: bytes
    url: str  # with secrets masked

    def json(self) -> Any:
        """The body as JSON; raises MalformedReplyError when it is none."""
        raise NotImplementedError
