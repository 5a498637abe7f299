"""Who may ask: addresses, names, tokens, origins."""

import hmac
import ipaddress
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from admet.config.serve import ServeCommand
from admet.errors import ConfigError

TOKEN_VARIABLE = "ADMET_SERVE_TOKEN"  # noqa: S105 - a name
_SHORTEST, _LONGEST = 16, 1000  # characters of a token


@dataclass(frozen=True)
class Access:
    """Who may ask.

    Attributes:
        names: Names by which the server may be addressed, in lower case.
        addresses: Whether it may be addressed by any IP address, as where it listens on all.
        token: What callers must send; None on an address that only this machine reaches.
    """

    names: frozenset[str]
    addresses: bool = False
    token: str | None = None

    def knows_host(self, value: str | None) -> bool:
        """Tells whether a Host header names this server.

        A page of a stranger whose name was pointed at this address (DNS rebinding) names another.
        """
        host = host_of(value or "")
        if host is None:
            return False
        return host in self.names or (self.addresses and _is_address(host))

    def knows_token(self, header: str | None) -> bool:
        """Tells whether an Authorization header holds the token, in constant time."""
        if self.token is None:
            return True
        kind, _, given = (header or "").partition(" ")
        same = hmac.compare_digest(given.strip().encode(), self.token.encode())
        return same and kind.lower() == "bearer"


def same_origin(origin: str | None, host: str | None) -> bool:
    """Tells whether a request comes from a page of this server, or from no page at all."""
    if origin is None:
        return True
    try:
        split = urlsplit(origin)
    except ValueError:
        return False
    return split.scheme in {"http", "https"} and split.netloc.lower() == (host or "").lower()


def host_of(value: str) -> str | None:
    """Gives the name in a Host header, in lower case; None where it is none."""
    try:
        split = urlsplit(f"//{value}")
        _ = split.port
    except ValueError:
        return None
    if split.netloc != value or split.username is not None:
        return None
    return split.hostname


def access_of(command: ServeCommand) -> Access:
    """Finds out who may ask.

    Raises:
        ConfigError: If other machines could ask without a token, or the token cannot be used.
    """
    token = _token(command.token_file)
    here = is_loopback(command.host)
    if token is None and not here:
        raise ConfigError(
            f"`host` {command.host!r} can be reached from other machines, and there is no token. "
            f"Name a file with a long random one (--token-file), set {TOKEN_VARIABLE}, or leave "
            "the host out to serve this machine only."
        )
    names = {name.lower() for name in command.allowed_hosts} | {command.host.lower().strip("[]")}
    if here:
        names |= {"localhost", "127.0.0.1", "::1"}
    return Access(frozenset(names), _is_any(command.host), token)


def is_loopback(host: str) -> bool:
    """Tells whether only this machine reaches an address."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _is_any(host: str) -> bool:
    return _is_address(host.strip("[]")) and ipaddress.ip_address(host.strip("[]")).is_unspecified


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _token(path: Path | None) -> str | None:
    """Reads the token.

    Raises:
        ConfigError: If it cannot be read, is short, or holds what no header can.
    """
    source = TOKEN_VARIABLE if path is None else f"`token_file` {str(path)!r}"
    if path is None:
        token = os.environ.get(TOKEN_VARIABLE)
        if token is None:
            return None
    else:
        try:
            token = path.read_text(encoding="ascii")
        except (OSError, UnicodeError) as error:
            raise ConfigError(f"{source} cannot be read: {error}. Name another file.") from None
    token = token.strip()
    if not _SHORTEST <= len(token) <= _LONGEST or not _printable(token):
        raise ConfigError(
            f"{source} must hold a token of {_SHORTEST} to {_LONGEST} printable ASCII characters "
            f"without blanks; it has {len(token)} characters. Write a new one, as by "
            "`python -c 'import secrets; print(secrets.token_urlsafe(32))'`."
        )
    return token


def _printable(token: Sequence[str]) -> bool:
    return all("!" <= letter <= "~" for letter in token)
