"""One page of HTML that is whole in itself: pictures inside, no scripts, nothing from elsewhere."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spikesim.plots.figure import Figure

STYLE = """
:root { --ink: #1b1b1b; --pale: #666; --line: #ddd; --link: #0b5394; }
* { box-sizing: border-box; }
body { color: var(--ink); background: #fff; max-width: 56rem; margin: 0 auto; padding: 1rem;
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: .5rem 0; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 0; display: inline; }
h3 { font-size: 1rem; margin: 1rem 0 .25rem; }
p { margin: .4rem 0; } .note { color: var(--pale); font-size: .9rem; }
a { color: var(--link); }
nav ul { list-style: none; padding: 0; margin: .5rem 0; display: flex; flex-wrap: wrap;
  gap: .25rem 1rem; }
details { border-top: 1px solid var(--line); padding: .75rem 0; }
summary { cursor: pointer; padding: .25rem 0; }
.wide { overflow-x: auto; margin: .5rem 0; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { padding: .2rem .75rem .2rem 0; text-align: right; border-bottom: 1px solid var(--line);
  vertical-align: top; }
th { font-weight: 600; } th:first-child, td:first-child { text-align: left; }
.facts td { text-align: left; overflow-wrap: anywhere; }
.facts td:first-child { white-space: nowrap; }
details details { border: 0; padding: .25rem 0; }
pre { font-size: .8rem; line-height: 1.35; white-space: pre-wrap; overflow-wrap: anywhere; }
img { display: block; max-width: 100%; height: auto; }
@media screen and (max-width: 40rem) { img { max-width: none; width: 40rem; } }
@media print {
  body { max-width: none; padding: 0; font-size: 10pt; }
  nav { display: none; } a { color: inherit; text-decoration: none; }
  summary { list-style: none; } summary, tr, img { break-inside: avoid; }
  summary { break-after: avoid; } .wide { overflow: visible; }
}
"""


@dataclass
class Section:
    """A part of the report.

    Parameters
    ----------
    name, title : str
        By which it is asked for, and what stands above it.
    rows : dict of str to dict
        A table: by row (a population, mostly) the numbers by what they are, units in brackets.
    figures : dict of str to Figure
        Pictures and what they show.
    notes : list of str
        What a reader must know: how it is defined, what was left out.
    """

    name: str
    title: str
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    figures: dict[str, Figure] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def page(title: str, facts: Mapping[str, Any], sections: Sequence[Section]) -> str:
    """The report as one file of HTML.

    Parameters
    ----------
    title : str
    facts : mapping of str to anything
        What is known of the run, shown as it is.
    sections : sequence of Section
    """
    links = "".join(f'<li><a href="#{s.name}">{escape(s.title)}</a></li>' for s in sections)
    texts = {str(name): shown(value, 12) for name, value in facts.items()}
    told = "".join(
        f"<tr><td>{escape(name)}</td><td>{escape(value)}</td></tr>"
        for name, value in texts.items()
        if "\n" not in value
    )
    long = "".join(
        f"<details><summary>{escape(name)}</summary><pre>{escape(value)}</pre></details>"
        for name, value in texts.items()
        if "\n" in value
    )
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>\n"
        f"<h1>{escape(title)}</h1>\n<nav aria-label='contents'><ul>"
        f'<li><a href="#file">The file</a></li>{links}</ul></nav>\n'
        f'<details open id="file"><summary><h2>The file</h2></summary>'
        f"<div class='wide'><table class='facts'>{told}</table></div>{long}</details>\n"
        + "\n".join(map(_section, sections))
        + "\n</body></html>\n"
    )


def _section(section: Section) -> str:
    notes = "".join(f'<p class="note">{escape(note)}</p>' for note in section.notes)
    pictures = "".join(
        f'<div class="wide"><img alt="{escape(what)}" '
        f'src="data:image/png;base64,{_encoded(figure)}"></div>'
        for what, figure in section.figures.items()
    )
    return (
        f'<details open id="{section.name}"><summary><h2>{escape(section.title)}</h2></summary>'
        f"{_table(section.rows)}{pictures}{notes}</details>"
    )


def _table(rows: Mapping[str, Mapping[str, Any]]) -> str:
    if not rows:
        return ""
    columns = list(dict.fromkeys(name for row in rows.values() for name in row))
    head = "".join(f"<th>{escape(column)}</th>" for column in ("", *columns))
    body = "".join(
        f"<tr><td>{escape(name)}</td>"
        + "".join(f"<td>{escape(shown(row.get(column, '')))}</td>" for column in columns)
        + "</tr>"
        for name, row in rows.items()
    )
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f"<div class='wide'>{table}</div>"


def shown(value: Any, digits: int = 4) -> str:
    """A value for a reader: whole, or to some digits; a dash for what there is none of."""
    if isinstance(value, float):
        if 1e4 <= abs(value) < 1e15 and value.is_integer():
            return f"{value:,.0f}"
        return "\N{EN DASH}" if math.isnan(value) else f"{value:.{digits}g}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, Mapping) and all(isinstance(item, int) for item in value.values()):
        return ", ".join(f"{name} ({item:,})" for name, item in value.items())
    if isinstance(value, Mapping):
        return "\n".join(f"{name}: {shown(item, digits)}" for name, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(shown(item, digits) for item in value)
    return str(value)


def _encoded(figure: Figure) -> str:
    return base64.b64encode(figure._repr_png_()).decode("ascii")
