"""Traces by OpenTelemetry, where an exporter is set and its packages are installed; else a span costs next to nothing.

A trace runs from a request of the API through the job's steps to their HTTP exchanges and the database. Names and numbers go
into it, never bodies, headers or statements; texts are redacted.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from backend import __version__
from backend.utils.redaction import redact_value, remember_secrets

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor, TracerProvider

Kind: TypeAlias = Literal["internal", "server", "client", "producer", "consumer"]

MISSING: Final = (
    "OTEL_* asks for traces, but OpenTelemetry is not installed: pip install -r requirements-telemetry.txt, "
    "or unset OTEL_*"
)
_ADDRESSES: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_PROTOCOLS: Final = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_HEADERS: Final = ("OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS")
_FLUSH_MILLISECONDS: Final = 3000

_tracer: Any = None
_provider: TracerProvider | None = None


def is_wanted(environment: Mapping[str, str] | None = None) -> bool:
    """Whether the environment asks for traces, by the variables that OpenTelemetry defines."""
    found = os.environ if environment is None else environment
    if found.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    exporter = found.get("OTEL_TRACES_EXPORTER", "").strip().lower()
    return exporter != "none" and bool(exporter or any(found.get(name) for name in _ADDRESSES))


def start() -> str:
    """Begin to trace when the environment asks for it; answers why that cannot be, or "".

    Without a collector Tensoe works all the same, so nothing is raised.
    """
    if _provider is not None or not is_wanted():
        return ""
    exporter = os.environ.get("OTEL_TRACES_EXPORTER", "").strip().lower() or "otlp"
    protocol = next((p for name in _PROTOCOLS if (p := os.environ.get(name))), "http/protobuf")
    if exporter not in {"otlp", "console"}:
        return f"OTEL_TRACES_EXPORTER={exporter} is not known; there are otlp, console and none"
    if exporter == "otlp" and protocol != "http/protobuf":
        return f"OTLP is sent as http/protobuf (port 4318), not as {protocol}; unset OTEL_EXPORTER_OTLP_PROTOCOL"
    remember_secrets(
        value for name in _HEADERS for pair in os.environ.get(name, "").split(",") if (value := pair.partition("=")[2])
    )
    try:
        from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SimpleSpanProcessor

        if exporter == "console":
            trace_with(SimpleSpanProcessor(ConsoleSpanExporter(out=sys.stderr)))
        else:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

            trace_with(BatchSpanProcessor(OTLPSpanExporter()))
    except ImportError:
        return MISSING
    return ""


def is_on() -> bool:
    """Whether anything is traced."""
    return _tracer is not None


def trace_with(processor: SpanProcessor) -> None:
    """Begin to trace through a processor of spans; how many are sampled says OTEL_TRACES_SAMPLER."""
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider

    global _tracer, _provider  # noqa: PLW0603 - one per process, as its exporter is
    name = {} if os.environ.get("OTEL_SERVICE_NAME") else {"service.name": "tensoe"}
    # Not the global provider of OpenTelemetry: libraries that look for it would add spans with texts that nobody redacted.
    _provider = TracerProvider(
        resource=Resource.create({**name, "service.version": __version__}), shutdown_on_exit=False
    )
    _provider.add_span_processor(processor)
    _tracer = _provider.get_tracer("tensoe", __version__)


def flush() -> None:
    """Send what has not been sent; blocks for some seconds at most."""
    if _provider is not None:
        _provider.force_flush(_FLUSH_MILLISECONDS)


def stop() -> None:
    """Send what has not been sent, and trace no longer."""
    global _tracer, _provider
    provider, _provider, _tracer = _provider, None, None
    if provider is not None:
        provider.shutdown()


class Span:
    """Something that takes time, as a context manager; this one is of no trace and does nothing."""

    __slots__ = ()

    def __enter__(self) -> Span:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def set(self, **attributes: Any) -> None:
        """Add attributes; dots are written as double underscores."""

    def rename(self, name: str) -> None:
        """Give it another name: one of few, such as a route's template."""


_NOTHING: Final = Span()


class _Traced(Span):
    __slots__ = ("_span", "_token")

    def __init__(self, span: Any) -> None:
        self._span = span

    def __enter__(self) -> Span:
        from opentelemetry import context, trace

        self._token = context.attach(trace.set_span_in_context(self._span))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        from opentelemetry import context
        from opentelemetry.trace import StatusCode

        if problem is not None:
            # The kind alone: what errors say may quote anybody.
            self._span.set_attribute("error.type", type(problem).__name__)
            self._span.set_status(StatusCode.ERROR)
        self._span.end()
        context.detach(self._token)

    def set(self, **attributes: Any) -> None:
        if self._span.is_recording():
            self._span.set_attributes(_attributes(attributes))

    def rename(self, name: str) -> None:
        self._span.update_name(name)


def span(name: str, *, kind: Kind = "internal", parent: str | None = None, **attributes: Any) -> Span:
    """A span of the current trace, of the one that `parent` is from, or else the first of a new one.

    Args:
        name: one of few.
        kind: see OpenTelemetry.
        parent: a traceparent (W3C Trace Context), where the work was asked for elsewhere.
        attributes: texts, numbers or None, which is left out; dots are written as double underscores.
    """
    return _NOTHING if _tracer is None else _begun(name, kind, parent, attributes)


def child(name: str, *, kind: Kind = "internal", **attributes: Any) -> Span:
    """A span within the current one; nothing where there is none, so that what is done now and then makes no traces."""
    if _tracer is None:
        return _NOTHING
    from opentelemetry import trace

    if not trace.get_current_span().get_span_context().is_valid:
        return _NOTHING
    return _begun(name, kind, None, attributes)


def note(**attributes: Any) -> None:
    """Add attributes to the current span; see `Span.set`."""
    if _tracer is not None:
        from opentelemetry import trace

        _Traced(trace.get_current_span()).set(**attributes)


def traceparent() -> str | None:
    """What takes the current trace elsewhere (W3C Trace Context); None where there is none."""
    return None if (ids := _current()) is None else f"00-{ids[0]}-{ids[1]}-{ids[2]:02x}"


def ids() -> dict[str, str]:
    """The current trace's and span's ids, for log lines; empty where there is none."""
    return {} if (found := _current()) is None else {"trace_id": found[0], "span_id": found[1]}


def _current() -> tuple[str, str, int] | None:
    if _tracer is None:
        return None
    from opentelemetry import trace

    found = trace.get_current_span().get_span_context()
    if not found.is_valid:
        return None
    return trace.format_trace_id(found.trace_id), trace.format_span_id(found.span_id), int(found.trace_flags)


def _begun(name: str, kind: Kind, parent: str | None, attributes: Mapping[str, Any]) -> Span:
    from opentelemetry.trace import SpanKind
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    context = None if parent is None else TraceContextTextMapPropagator().extract({"traceparent": parent})
    given = _attributes(attributes)
    return _Traced(_tracer.start_span(name, context=context, kind=SpanKind[kind.upper()], attributes=given))


def _attributes(given: Mapping[str, Any]) -> dict[str, str | int | float | bool]:
    named = {name.replace("__", "."): value for name, value in given.items() if value is not None}
    return {name: redact_value(value, name=name) for name, value in named.items()}
