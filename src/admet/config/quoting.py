"""Names in the YAML that a message suggests."""

import json

_NOT_TEXT = {"yes", "no", "true", "false", "on", "off", "null", "none"}  # to YAML
_MARKS = frozenset(":#,{}[]%&*!|>'\"@`\\")


def quoted(name: str) -> str:
    """Writes a name as YAML takes it in braces."""
    plain = name[:1].isalpha() and name.isprintable() and name == name.strip()
    if plain and not _MARKS & set(name) and name.casefold() not in _NOT_TEXT:
        return name
    return json.dumps(name, ensure_ascii=False)
