"""Paths as one HTML page that needs no network: a picture as inline SVG, then each path with its statements."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from clew.report import paths_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from clew.reach.paths import Edge, Reach

_WIDE, _HIGH, _GAP_X, _GAP_Y, _PAD = 190, 34, 130, 16, 14
_LETTERS: Final = 26
_STYLE: Final = """
body{font:15px/1.5 system-ui,sans-serif;max-width:1100px;margin:2rem auto;padding:0 1rem;color:#1b2430;background:#fff}
h1{font-size:1.3rem}h2{font-size:1.05rem;margin:1.6rem 0 .3rem}
code,.node text{font-family:ui-monospace,monospace}
.scroll{overflow-x:auto}.node rect{fill:#eef2f7;stroke:#5b6b80}.node.start rect{fill:#dbe9ff}
.node.admin rect{fill:#ffe1dc;stroke:#b3261e}.node text{font-size:12px;fill:#1b2430}
.edge{stroke:#b3261e;stroke-width:1.6;fill:none}.edge.open{stroke:#8a6d00;stroke-dasharray:5 4}
.label{font-size:11px;fill:#445}li{margin:.3rem 0}small{color:#556}
"""


def render(found: Reach) -> str:
    """The whole answer as one self-contained HTML document."""
    title = f"Access paths of {_shown(found.start)}"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{title}</title><style>{_STYLE}</style></head><body><h1>{title}</h1>"
        f"<p>{escape(paths_text.render(found).splitlines()[0])}. "
        "Red lines are certain, broken ones hold only if more does.</p>"
        f'<div class="scroll">{picture(found)}</div>{"".join(_told(found))}</body></html>\n'
    )


def picture(found: Reach) -> str:
    """The paths as a graph in SVG: the start on the left, each step one column to the right."""
    edges = list({(edge.source, edge.target): edge for path in found.paths for edge in path.edges}.values())
    places = _places(found)
    width = _PAD * 2 + (max(x for x, _ in places.values()) + 1) * (_WIDE + _GAP_X) - _GAP_X
    height = _PAD * 2 + (max(y for _, y in places.values()) + 1) * (_HIGH + _GAP_Y)
    drawn = [*(_line(edge, places) for edge in edges), *(_node(arn, places, found.start) for arn in places)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="access paths" width="{width}" '
        f'height="{height}" viewBox="0 0 {width} {height}"><defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" '
        'markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0L8 4L0 8z" fill="#5b6b80"/></marker></defs>'
        f"{''.join(drawn)}</svg>"
    )


def _places(found: Reach) -> Mapping[str, tuple[int, int]]:
    """Column and row of each node: as many columns from the left as the longest of its paths has steps to it."""
    columns: dict[str, int] = {found.start: 0}
    for path in found.paths:
        for depth, edge in enumerate(path.edges, 1):
            columns[edge.target] = max(depth, columns.get(edge.target, 0))
    filled: dict[int, int] = {}
    places: dict[str, tuple[int, int]] = {}
    for arn, column in columns.items():
        places[arn] = (column, filled.get(column, 0))
        filled[column] = places[arn][1] + 1
    return places


def _corner(place: tuple[int, int]) -> tuple[int, int]:
    return _PAD + place[0] * (_WIDE + _GAP_X), _PAD + place[1] * (_HIGH + _GAP_Y)


def _node(arn: str, places: Mapping[str, tuple[int, int]], start: str) -> str:
    x, y = _corner(places[arn])
    kind = "start" if arn == start else "admin" if not arn.startswith("arn:") else ""
    return (
        f'<g class="node {kind}"><title>{_shown(arn)}</title>'
        f'<rect x="{x}" y="{y}" width="{_WIDE}" height="{_HIGH}" rx="5"/>'
        f'<text x="{x + 8}" y="{y + 21}">{escape(_cut(paths_text.short(arn), _LETTERS))}</text></g>'
    )


def _line(edge: Edge, places: Mapping[str, tuple[int, int]]) -> str:
    (x1, y1), (x2, y2) = _corner(places[edge.source]), _corner(places[edge.target])
    x1, y1, y2 = x1 + _WIDE, y1 + _HIGH // 2, y2 + _HIGH // 2
    middle = (x1 + x2) // 2
    kind = "edge" if edge.is_certain else "edge open"
    label = escape(_cut(edge.method.id, 20))
    return (
        f'<path class="{kind}" marker-end="url(#tip)" d="M{x1} {y1}C{middle} {y1} {middle} {y2} {x2} {y2}">'
        f"<title>{escape(edge.method.id)}: {escape(edge.method.gain)}</title></path>"
        f'<text class="label" x="{x1 + 6}" y="{(y1 + y2) // 2 - 4}">{label}</text>'
    )


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _shown(arn: str) -> str:
    return escape(paths_text.name(arn))


def _told(found: Reach) -> Iterator[str]:
    for path in found.paths:
        yield f"<h2>{_shown(path.target)} <small>{'certain' if path.is_certain else 'open'}</small></h2><ol>"
        yield from (_edge(edge) for edge in path.edges)
        yield "</ol>"
    if found.unknown:
        yield "<h2>Not followed, as it is not known</h2><ul>"
        yield from (f"<li>{_shown(what)}</li>" for what in found.unknown)
        yield "</ul>"


def _edge(edge: Edge) -> str:
    steps = "".join(
        f"<li><code>{_shown(step.action)}</code> on <code>{_shown(step.resource)}</code><br>"
        f"<small>{'<br>'.join(map(_shown, step.statements))}</small></li>"
        for step in edge.steps
    )
    more = [f"if {_shown(each)}" for each in edge.conditions] + [
        f"needs: {_shown(each)}" for each in edge.needs
    ]
    return (
        f"<li><code>{escape(paths_text.short(edge.source))}</code> → "
        f"<code>{escape(paths_text.short(edge.target))}</code> "
        f"by {escape(edge.method.id)}: {escape(edge.method.gain)} <small>({escape(edge.method.page)})</small>"
        f"<ul>{steps}{''.join(f'<li>{each}</li>' for each in more)}</ul></li>"
    )
