"""Scaling plots as SVG, readable on a light and on a dark page. Knows nothing of benchmarks."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from benchmarks.targets import number

_WIDTH, _HEIGHT = 640, 340
_LEFT, _RIGHT, _TOP, _BOTTOM = 84, 24, 44, 56
_STEPS = 5
_STYLE = """
    text { font-family: system-ui, -apple-system, "Segoe UI", sans-serif; font-size: 13px;
           fill: #465064; }
    .title { font-size: 16px; font-weight: 600; fill: #1b2330; }
    .paper { fill: #ffffff; stroke: #d5dae1; }
    .grid { stroke: #e4e8ed; }
    .axis { stroke: #8c95a3; fill: none; }
    .line { stroke: #1f6feb; stroke-width: 2; fill: none; }
    .dot { fill: #1f6feb; }
    .spread { stroke: #1f6feb; stroke-width: 1.5; }
    .target { stroke: #b35900; stroke-dasharray: 6 4; }
    @media (prefers-color-scheme: dark) {
      text { fill: #b3bccb; }
      .title { fill: #edf0f5; }
      .paper { fill: #12161d; stroke: #323a47; }
      .grid { stroke: #232a35; }
      .axis { stroke: #6b7585; }
      .line, .spread { stroke: #6cb0ff; }
      .dot { fill: #6cb0ff; }
      .target { stroke: #f0a35e; }
    }"""


@dataclass(frozen=True)
class Point:
    """A median with its spread."""

    x: float
    median: float
    low: float
    high: float


@dataclass(frozen=True)
class Plot:
    """What is drawn: a line through medians, and a bar from the least to the most."""

    title: str
    x_label: str
    y_label: str
    points: Sequence[Point]
    target: float | None = None


def svg(plot: Plot) -> str:
    """The plot; x grows by factors, y linearly from 0."""
    highest = max([*(point.high for point in plot.points), plot.target or 0]) or 1.0
    step = _round_step(highest / _STEPS)
    top = step * math.ceil(highest / step)
    across = _across([point.x for point in plot.points])

    def up(value: float) -> float:
        return _HEIGHT - _BOTTOM - value / top * (_HEIGHT - _TOP - _BOTTOM)

    parts = [*_frame(plot)]
    for index in range(round(top / step) + 1):
        parts += _y_tick(up(index * step), index * step)
    for point, x in zip(plot.points, across, strict=True):
        parts.append(_text(x, _HEIGHT - _BOTTOM + 20, _thousands(point.x), anchor="middle"))
        parts.append(_line("spread", x, up(point.low), x, up(point.high)))
        parts.append(f'<circle class="dot" cx="{x:.1f}" cy="{up(point.median):.1f}" r="4"/>')
        parts.append(_text(x, up(point.high) - 8, number(point.median), anchor="middle"))
    if plot.target is not None:
        y = up(plot.target)
        parts.append(_line("target", _LEFT, y, _WIDTH - _RIGHT, y))
        parts.append(_text(_WIDTH - _RIGHT, y - 6, f"target {number(plot.target)}", anchor="end"))
    track = " ".join(
        f"{x:.1f},{up(point.median):.1f}" for point, x in zip(plot.points, across, strict=True)
    )
    parts.append(f'<polyline class="line" points="{track}"/>')
    inner = "\n  ".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img"'
        f' aria-labelledby="title desc">\n  {inner}\n</svg>\n'
    )


def _frame(plot: Plot) -> list[str]:
    values = "; ".join(f"{_thousands(p.x)}: {number(p.median)}" for p in plot.points)
    bottom, middle = _HEIGHT - _BOTTOM, (_TOP + _HEIGHT - _BOTTOM) / 2
    return [
        f'<title id="title">{escape(plot.title)}</title>',
        f'<desc id="desc">{escape(plot.y_label)} over {escape(plot.x_label)}. {values}.</desc>',
        f"<style>{_STYLE}\n  </style>",
        f'<rect class="paper" x="0.5" y="0.5" width="{_WIDTH - 1}" height="{_HEIGHT - 1}" rx="6"/>',
        f'<text class="title" x="{_LEFT}" y="26">{escape(plot.title)}</text>',
        f'<path class="axis" d="M{_LEFT} {_TOP} V{bottom} H{_WIDTH - _RIGHT}"/>',
        _text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 14, plot.x_label, anchor="middle"),
        f'<text text-anchor="middle" transform="translate(18 {middle}) rotate(-90)">'
        f"{escape(plot.y_label)}</text>",
    ]


def _across(values: Sequence[float]) -> list[float]:
    """Where on the x axis: by the logarithm, with room at both ends."""
    logarithms = [math.log(value) for value in values]
    low, span = logarithms[0], logarithms[-1] - logarithms[0] or 1
    first, last = _LEFT + 50, _WIDTH - _RIGHT - 50
    return [first + (each - low) / span * (last - first) for each in logarithms]


def _y_tick(y: float, value: float) -> list[str]:
    return [
        _line("grid", _LEFT + 1, y, _WIDTH - _RIGHT, y),
        _text(_LEFT - 8, y + 4, number(value) if value else "0", anchor="end"),
    ]


def _round_step(value: float) -> float:
    """1, 2 or 5 times a power of ten, at least this value."""
    power = 10.0 ** math.floor(math.log10(value)) if value > 0 else 1.0
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= value)


def _thousands(value: float) -> str:
    for size, letter in ((1e6, " M"), (1e3, " k")):
        if value >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"


def _line(name: str, x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line class="{name}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _text(x: float, y: float, text: str, *, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
