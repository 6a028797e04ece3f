"""A service account of nobody, whose tokens the double hands out."""

from __future__ import annotations

import json
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from service.tone.fake import FakeGemini


def service_account(fake: FakeGemini, folder: Path) -> Path:
    """The key file of an account, for ``GOOGLE_APPLICATION_CREDENTIALS``."""
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    account = {
        "type": "service_account",
        "client_email": "learnsvc@example.test",
        "private_key": key.decode(),
        "token_uri": fake.base_url + "token",
    }
    file = folder / "account.json"
    file.write_text(json.dumps(account))
    return file
