"""Logging, configured once: our own events and those of every library take the same way, through one redaction."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable
from typing import TextIO

import structlog
from structlog.types import EventDict, Processor, WrappedLogger

from backend.utils import tracing
from backend.utils.redaction import redact, redact_value, remember_secrets

# Chatty at INFO, and silent on what matters to us.
_QUIET = ("uvicorn.access", "asyncio", "alembic", "aiohttp.access", "httpx", "httpcore")


def configure_logging(
    *, level: str, machine_readable: bool = False, secrets: Iterable[str] = (), stream: TextIO | None = None
) -> None:
    """Send everything that is logged to the stream (standard error), secrets masked.

    Args:
        level: DEBUG, INFO, WARNING or ERROR.
        machine_readable: one JSON object per line; else a line for people.
        secrets: values that are masked wherever they stand.
        stream: where to; for tests.
    """
    remember_secrets(secrets)
    target = stream or sys.stderr
    renderer: Processor = (
        structlog.processors.JSONRenderer()
        if machine_readable
        else structlog.dev.ConsoleRenderer(colors=target.isatty(), pad_event_to=0)
    )
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        _with_trace,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        _without_colours,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        # Before redaction, so that tracebacks are redacted as well; plain, since others show local variables.
        structlog.processors.format_exc_info,
        _redact_event,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,  # tests configure again
    )
    handler = logging.StreamHandler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    logging.captureWarnings(True)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        # uvicorn brings handlers of its own, which would pass the redaction by.
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = True
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(level)))


def _with_trace(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    for name, value in tracing.ids().items():
        event.setdefault(name, value)
    return event


def _without_colours(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    # uvicorn says everything twice, the second time for a terminal.
    event.pop("color_message", None)
    return event


def _redact_event(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    kept = {k: v for k, v in event.items() if k in {"_record", "_from_structlog"}}
    return {**{redact(k): redact_value(v, name=k) for k, v in event.items() if k not in kept}, **kept}
