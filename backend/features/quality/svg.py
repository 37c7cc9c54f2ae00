"""Small plots as SVG, in the page's own colours; they tell what they show to those who can't see them."""

from __future__ import annotations

from markupsafe import Markup, escape

from backend.features.quality.quality_report import Coverage, Distribution

_WIDTH, _HEIGHT = 280, 72


def histogram(of: Distribution) -> Markup:
    """Bars over the possible values; the median is a line."""
    top = max(of.counts) or 1
    step = _WIDTH / len(of.counts)
    bars = "".join(
        f'<rect x="{i * step + 0.5:.2f}" y="{_HEIGHT - n / top * (_HEIGHT - 6):.2f}" width="{step - 1:.2f}" '
        f'height="{n / top * (_HEIGHT - 6):.2f}" rx="1"/>'
        for i, n in enumerate(of.counts)
        if n
    )
    place = _place(of)
    line = f'<line class="median" x1="{place:.2f}" x2="{place:.2f}" y1="0" y2="{_HEIGHT}"/>'
    title = (
        f"{of.field}: median {of.quantiles[3]:,.6g} {of.unit}, {of.known:,} values "
        f"from {of.quantiles[0]:,.6g} to {of.quantiles[-1]:,.6g}"
    )
    return _svg(f'<g class="bars">{bars}</g>{line}', title=title, width=_WIDTH, height=_HEIGHT)


def coverage(of: Coverage) -> Markup:
    """One bar: known, and the part of it that a model estimated."""
    share, guessed = of.share * 100, (of.estimated / of.known * of.share * 100 if of.known else 0)
    inner = (
        f'<rect class="track" width="100" height="8" rx="2"/><rect class="known" width="{share:.2f}" height="8" rx="2"/>'
        f'<rect class="guessed" x="{share - guessed:.2f}" width="{guessed:.2f}" height="8"/>'
    )
    return _svg(inner, title=f"{of.field}: known of {of.share:.1%} of the tracks", width=100, height=8)


def bar(value: float, most: float, label: str) -> Markup:
    """A bar of a value against the greatest one."""
    width = value / most * 100 if most else 0
    inner = f'<rect class="track" width="100" height="8" rx="2"/><rect class="known" width="{width:.2f}" height="8" rx="2"/>'
    return _svg(inner, title=label, width=100, height=8)


def _place(of: Distribution) -> float:
    median = of.quantiles[3]
    for i, (low, high) in enumerate(zip(of.edges[:-1], of.edges[1:], strict=True)):
        if median <= high:
            # Edges are rounded: those of a single great value may have become one.
            within = (median - low) / (high - low) if high > low else 0.5
            return (i + min(1.0, max(0.0, within))) * _WIDTH / len(of.counts)
    return float(_WIDTH)


def _svg(inner: str, *, title: str, width: int, height: int) -> Markup:
    # `inner` is made of numbers alone; the title may hold names.
    head = f'<svg viewBox="0 0 {width} {height}" preserveAspectRatio="none" role="img"><title>'
    return Markup(head) + escape(title) + Markup("</title>" + inner + "</svg>")  # noqa: S704 - numbers and our own elements
