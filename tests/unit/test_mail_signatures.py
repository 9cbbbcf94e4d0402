"""The signatures in mails are those that Django's own signing makes, so that it reads them."""

import pytest
from django.core.signing import Signer
from django.utils.crypto import salted_hmac
from pytest_django import Settings

from integration_alerts.mail.signatures import signature
from integration_alerts.mail.unsubscribing import unsubscribe_url


@pytest.mark.parametrize("secret", ["one", "another"])
def test_a_signature_is_a_salted_hmac(settings: Settings, secret: str) -> None:
    settings.SECRET_KEY = secret
    assert signature("salt", "text") == salted_hmac("salt", "text", algorithm="sha256").digest()


def test_the_unsubscribe_link_is_signed_as_it_always_was() -> None:
    token = Signer(salt="integration_alerts.unsubscribe", sep=".").sign("7")
    assert unsubscribe_url("https://alerts.example", 7).endswith(f"/unsubscribe/{token}")
