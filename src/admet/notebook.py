"""Results as tables in a notebook; whatever a name holds stays text."""

from collections.abc import Mapping, Sequence
from html import escape

from admet.names import short_number

_MOST = 250  # rows that are shown
_NUMBER = "text-align: right"
# A notebook would read what stands between two dollar signs as mathematics.
_PLAIN = "tex2jax_ignore mathjax_ignore"


def table_html(
    rows: Sequence[Mapping[str, object]], caption: str = "", notes: Sequence[str] = ()
) -> str:
    """Writes rows as an HTML table.

    Args:
        rows: Rows with the same keys, which are the heads; numbers stand right, None is empty.
        caption: What stands above it.
        notes: What stands below it, a line each.

    Returns:
        HTML in which every name is escaped.
    """
    heads = list(rows[0]) if rows else []
    parts = [f'<div class="{_PLAIN}">', '<table class="dataframe">']
    if caption:
        parts.append(f'<caption style="text-align: left">{escape(caption)}</caption>')
    cells = "".join(f"<th>{escape(str(head))}</th>" for head in heads)
    parts.append(f"<thead><tr>{cells}</tr></thead><tbody>")
    parts += [f"<tr>{''.join(map(_cell, row.values()))}</tr>" for row in rows[:_MOST]]
    parts.append("</tbody></table>")
    more = [f"and {len(rows) - _MOST:,} more rows"] if len(rows) > _MOST else []
    parts += [f"<p>{escape(note)}</p>" for note in (*more, *notes)]
    parts.append("</div>")
    return "".join(parts)


def with_interval(value: float | None, low: float | None, high: float | None) -> str:
    """Writes a number, and its interval where it has one."""
    if low is None or high is None or low != low or high != high:  # noqa: PLR0124 - NaN
        return short_number(value)
    return f"{short_number(value)} [{short_number(low)}, {short_number(high)}]"


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    style = f' style="{_NUMBER}"' if text[:1] in "+-–0123456789" and text else ""
    return f"<td{style}>{escape(text)}</td>"
