"""What a server's URL says about the way to it: where it leads, whether it is encrypted, to whom. Never a password."""

from __future__ import annotations

from urllib.parse import parse_qsl

# redis-py and pymongo take these without a word, and then trust whoever answers.
_TRUSTING = {
    "ssl_cert_reqs": {"none", "optional"},
    "ssl_check_hostname": {"false", "0", "no"},
    "tlsinsecure": {"true"},
    "tlsallowinvalidcertificates": {"true"},
    "tlsallowinvalidhostnames": {"true"},
}


def address(url: str) -> str:
    """Return where ``url`` points: host and port, of several members all of them."""
    place = url.partition("://")[2].rpartition("@")[2].partition("?")[0]
    return place if url.startswith("unix:") else place.partition("/")[0]


def encrypted(url: str) -> bool:
    """Say whether the link is TLS; ``mongodb+srv`` is unless it says otherwise."""
    options = _options(url)
    told = options.get("tls", options.get("ssl", ""))
    tls = url.startswith(("rediss://", "rediss+sentinel://", "rediss+cluster://"))
    return tls or (told != "false" if url.startswith("mongodb+srv://") else told == "true")


def unverified(url: str) -> str | None:
    """Return the option by which nobody checks who answers, such as ``ssl_cert_reqs=none``; None when there is none."""
    if not encrypted(url):
        return None
    found = (f"{name}={value}" for name, value in _options(url).items() if value in _TRUSTING.get(name, ()))
    return next(found, None)


def _options(url: str) -> dict[str, str]:
    query = url.rpartition("@")[2].partition("?")[2]
    return {name.lower(): value.lower() for name, value in parse_qsl(query)}
