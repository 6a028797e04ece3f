"""What a URL says of the way to a server."""

import pytest

from service.links import encrypted, unverified

ROWS = [
    ("redis://h/0", False, None),
    ("rediss://u:p@h:6380/0", True, None),
    ("rediss://h/0?ssl_ca_certs=/ca.pem", True, None),
    ("rediss://h/0?ssl_cert_reqs=none", True, "ssl_cert_reqs=none"),
    ("rediss://h/0?ssl_check_hostname=False", True, "ssl_check_hostname=false"),
    ("redis://h/0?ssl_cert_reqs=none", False, None),
    ("mongodb://a,b/db", False, None),
    ("mongodb://a/db?tls=true", True, None),
    ("mongodb://a/db?ssl=true&tlsInsecure=true", True, "tlsinsecure=true"),
    ("mongodb://u:tls=true@a/db", False, None),
    ("mongodb://a/?tls=true&tlsAllowInvalidCertificates=true", True, "tlsallowinvalidcertificates=true"),
    ("mongodb+srv://a/db", True, None),
    ("mongodb+srv://a/db?tls=false", False, None),
]


@pytest.mark.parametrize(("url", "tls", "trusting"), ROWS)
def test_links(url: str, tls: bool, trusting: str | None) -> None:
    assert (encrypted(url), unverified(url)) == (tls, trusting)
