"""Text of callers, as a log may hold it."""

_MOST = 300  # characters


def escaped(text: str) -> str:
    """Gives a text in printable ASCII on one line, shortened."""
    shown = text[:_MOST].encode("unicode_escape").decode("ascii")
    return shown + "…" * (len(text) > _MOST)
