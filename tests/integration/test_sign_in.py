"""Signing in and what belongs to it: where one lands, what is kept, what strangers are told."""

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "page",
    [
        "/sign-in/login/",
        "/sign-in/password/reset/",
        "/sign-in/signup/",
        "/sign-in/password/reset/done/",
        "/",
    ],
)
def test_open(page: str) -> None:
    r = Client().get(page)
    print(r.content.decode())
    assert r.status_code == 200
