"""One request and its reply over aiohttp; what goes wrong on the way is translated into our errors here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

import aiohttp
from pydantic import Field
from yarl import URL

from backend import __version__
from backend.config.settings import SettingsGroup
from backend.ingestion.reply import Reply
from backend.utils.errors import BlockedError, MalformedReplyError, RejectedError, UnconfiguredError, UnreachableError
from backend.utils.redaction import redact
from backend.utils.tracing import child

Params = Mapping[str, str | int] | Sequence[tuple[str, str]]

_MOST_BYTES: Final = 20_000_000
_CONNECT_SECONDS: Final = 10.0
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


class NoSuchHostError(UnreachableError):
    """The host's name leads nowhere: this machine is offline, or the address is wrong. The next seconds change nothing."""


class HttpSettings(SettingsGroup):
    """How we present ourselves to the sources."""

    # An address or page at which a provider can reach whoever runs this; MusicBrainz and Last.fm want one.
    tensoe_contact: str = Field(default="", pattern=r"^[\x20-\x7e]*$", max_length=200)


def user_agent(contact: str = "") -> str:
    """What we call ourselves: name, version, and how to reach whoever runs this."""
    return f"tensoe/{__version__} (+{contact or 'self-hosted music catalogue'})"


def open_session(
    settings: HttpSettings | None = None, *, traces: Sequence[aiohttp.TraceConfig] = ()
) -> aiohttp.ClientSession:
    """The one session that all sources share; close it at the end (`async with` does).

    Takes gzip and deflate, keeps no cookies, reads no proxy or password from the environment.

    Args:
        settings: how we present ourselves.
        traces: told of every exchange.
    """
    contact = (settings or HttpSettings.read()).tensoe_contact
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=100, limit_per_host=50, ttl_dns_cache=300),
        headers={"User-Agent": user_agent(contact), "Accept-Encoding": "gzip, deflate"},
        cookie_jar=aiohttp.DummyCookieJar(),
        trace_configs=list(traces),
    )
    # Where a kept connection turns out to be closed, aiohttp sends a GET again by itself, past the source's budget. It has no
    # public switch for that; this is the one its own test client uses. We try again ourselves, in another turn.
    session._retry_connection = False
    return session


async def exchange(
    session: aiohttp.ClientSession,
    method: str,
    url: str,
    *,
    seconds: float,
    params: Params | None = None,
    data: Mapping[str, str] | None = None,
    json: object = None,
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """Send one request and read its reply whole; redirects are replies like others.

    Raises:
        UnreachableError: no connection, a reset, a body cut short, or no whole reply within the seconds.
        MalformedReplyError: the body is too large, or broken in its compression.
        RejectedError: the request has text that no address can hold.
        UnconfiguredError: the address is none.
    """
    _refuse_half_characters(params)
    try:
        address = URL(url).extend_query(params) if params else URL(url)
    except ValueError:
        raise UnconfiguredError(f"{redact(url)!r} is no address; check the source's URL setting") from None
    body = bytearray()
    more: dict[str, Any] = {"data": data, "json": json, "headers": headers, "timeout": _timeout(seconds)}
    known: dict[str, Any] = {
        "http__request__method": method,
        "server__address": address.host,
        "url__full": str(address),
    }
    try:
        with child(f"HTTP {method}", kind="client", **known) as span:
            async with session.request(method, address, allow_redirects=False, **more) as answer:
                span.set(http__response__status_code=answer.status)
                async for chunk in answer.content.iter_any():
                    body += chunk
                    if len(body) > _MOST_BYTES:
                        raise MalformedReplyError(f"{_shown(address)} answered with more than {_MOST_BYTES:,} bytes")
    except TimeoutError:
        raise UnreachableError(f"{_shown(address)} did not answer within {seconds:g} s") from None
    except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError):
        raise UnconfiguredError(f"{_shown(address)!r} is no web address; check the source's URL setting") from None
    except aiohttp.ClientConnectorDNSError:
        raise NoSuchHostError(f"{_shown(address)}: no such host; is this machine online?") from None
    except (aiohttp.ClientError, OSError) as problem:
        # aiohttp's messages may carry the address with its key: only the kind of fault is passed on.
        raise UnreachableError(f"{_shown(address)}: {_kind(problem)}") from None
    return Reply(answer.status, {k.lower(): v for k, v in answer.headers.items()}, bytes(body), str(address))


@lru_cache
def _timeout(seconds: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=seconds, sock_connect=min(seconds, _CONNECT_SECONDS))


def _shown(address: URL) -> str:
    return redact(str(address))


def _refuse_half_characters(params: Params | None) -> None:
    """Refuse what yarl would leave out, asking for another name."""
    pairs = params.items() if isinstance(params, Mapping) else params or ()
    try:
        "".join(str(value) for _, value in pairs).encode()
    except UnicodeEncodeError:
        raise RejectedError("a name holds half a character (a lone surrogate), so no service can be asked") from None


def redirect(reply: Reply, method: str, url: str) -> str | None:
    """Where a reply sends us: on the same host only, as nobody may send us elsewhere; None for other replies.

    Raises:
        BlockedError: it leads to another host, nowhere, or asks to send a form again.
    """
    if reply.status not in _REDIRECTS:
        return None
    here, location = URL(url), reply.headers.get("location", "")
    try:
        there = here.join(URL(location))
    except ValueError:
        there = None
    same = there is not None and there.host == here.host and there.user is None
    # To HTTPS is a step up; other ports and back to plain HTTP are not.
    kept = there is not None and (there.origin() == here.origin() or (here.scheme, there.scheme) == ("http", "https"))
    if method == "GET" and location and same and kept:
        return str(there)
    target = redact(location) or "nowhere"
    raise BlockedError(f"{reply.url} sends us to {target}, which is not followed; check the source's URL setting")


def _kind(problem: Exception) -> str:
    if isinstance(problem, aiohttp.ClientConnectorError):
        return f"no connection ({problem.os_error.strerror or type(problem.os_error).__name__})"
    if isinstance(problem, aiohttp.ClientPayloadError | aiohttp.ServerDisconnectedError | ConnectionError):
        return "the connection broke before the reply was whole"
    return type(problem).__name__
