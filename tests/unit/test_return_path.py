"""The signed return path of an email (VERP): by it a bounce says which email came back."""

import pytest

from integration_alerts import mail_configuration
from integration_alerts.mail.return_path import (
    LONGEST_NAME,
    read_return_path,
    read_token,
    return_path,
    token,
)

LARGEST = 2**63 - 1


@pytest.mark.parametrize("email_id", [1, 42, LARGEST])
def test_the_address_names_its_email(email_id: int) -> None:
    assert read_return_path(return_path(email_id, "bounces@alerts.example")) == email_id
    assert read_token(token(email_id)) == email_id


def test_servers_may_change_the_case_of_addresses() -> None:
    assert read_return_path(return_path(42, "bounces@alerts.example").upper()) == 42


def test_it_fits_into_an_address_with_the_longest_name_and_the_largest_id() -> None:
    address = return_path(LARGEST, "b" * LONGEST_NAME + "@alerts.example")
    assert len(address.partition("@")[0]) == 64
    assert mail_configuration.LONGEST_BOUNCE_NAME == LONGEST_NAME


def test_the_signature_has_a_hundred_bits() -> None:
    assert len(token(42).partition("-")[2]) * 5 == 100


SIGNATURE = "a" * 20


@pytest.mark.parametrize(
    "address",
    [
        "",
        "bounces@alerts.example",
        f"bounces+42-{SIGNATURE}@alerts.example",
        f"bounces+0-{SIGNATURE}@alerts.example",
        f"bounces+-42-{SIGNATURE}@alerts.example",
        f"bounces+{'9' * 19}-{SIGNATURE}@alerts.example",
        f"bounces+{'9' * 30}-{SIGNATURE}@alerts.example",
        f"bounces+٤٢-{SIGNATURE}@alerts.example",
        "bounces+42@alerts.example",
        "bounces+42-@alerts.example",
        "bounces+42-ü@alerts.example",
    ],
)
def test_what_was_not_signed_here_names_nothing(address: str) -> None:
    assert read_return_path(address) is None


def test_the_signature_of_one_email_says_nothing_of_another() -> None:
    signature = token(42).partition("-")[2]
    assert read_token(f"43-{signature}") is None
    assert read_token(f"042-{signature}") is None
    assert read_token(token(42) + "a") is None
    assert read_token(token(42)[:-1]) is None
