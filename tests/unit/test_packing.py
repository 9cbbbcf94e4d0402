"""What is kept of a message is small, and gives back every byte (R24)."""

import os
from hashlib import sha256
from pathlib import Path

import pytest
from tests import golden_mails

from integration_alerts.mail import packing
from integration_alerts.mail.packing import pack, unpack

DIGESTS = {
    "1.mail": "74b2a9bb9c2a721fb226a4b8ea7c7deb580b08343403841d2b986c0e71a6274d",
}


@pytest.mark.parametrize("name", golden_mails.letters())
def test_every_kind_of_mail_comes_back_byte_for_byte(name: str) -> None:
    message = golden_mails.message(name)
    assert unpack(pack(message)) == message


@pytest.mark.parametrize("name", ["failed", "pending", "several"])
def test_an_ordinary_mail_takes_a_tenth_of_its_size(name: str) -> None:
    message = golden_mails.message(name)
    assert len(pack(message)) < len(message) / 10


@pytest.mark.parametrize("message", [b"", b"x", b"From: a@b.example\r\n\r\n", os.urandom(5000)])
def test_any_bytes_come_back(message: bytes) -> None:
    assert unpack(pack(message)) == message


def test_what_earlier_versions_kept_is_read_as_it_is() -> None:
    message = golden_mails.message("failed")
    assert unpack(message) == message


def test_a_dictionary_that_something_was_packed_with_is_never_changed() -> None:
    folder = Path(packing.__file__).parent / "dictionaries"
    found = {file.name: sha256(file.read_bytes()).hexdigest() for file in folder.iterdir()}
    assert found == DIGESTS
    assert list(packing._DICTIONARIES) == sorted(DIGESTS)
