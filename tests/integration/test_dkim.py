"""Signing mails by DKIM, verified as a receiver does, with the public key at hand, not from DNS."""

import base64
import sys
import time
from pathlib import Path

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from tests.world import STATIONERY, World

from integration_alerts.configuration import ConfigurationError, load
from integration_alerts.engine.equipment import stationery_for
from integration_alerts.mail.dkim_key import DkimError, read_key
from integration_alerts.mail.dkim_signing import signer
from integration_alerts.mail.models import Email
from integration_alerts.rules.retry import Answer, Phase

Key = RSAPrivateKey | Ed25519PrivateKey
PLAIN = NoEncryption()


@pytest.fixture(scope="module")
def rsa() -> RSAPrivateKey:
    return generate_private_key(65537, 2048)


@pytest.fixture(scope="module")
def keys(rsa: RSAPrivateKey) -> dict[str, tuple[Key, bytes]]:
    """Each with the file that `openssl` would write."""
    ed25519 = Ed25519PrivateKey.generate()
    return {
        "RSA, PKCS 1": (rsa, rsa.private_bytes(
            Encoding.PEM, PrivateFormat.TraditionalOpenSSL, PLAIN)),
        "RSA, PKCS 8": (rsa, rsa.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, PLAIN)),
        "Ed25519": (ed25519, ed25519.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, PLAIN)),
    }  # fmt: skip


def public(key: Key) -> bytes:
    """What the domain's DNS says."""
    if isinstance(key, Ed25519PrivateKey):
        raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return b"v=DKIM1; k=ed25519; p=" + base64.b64encode(raw)
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return b"v=DKIM1; k=rsa; p=" + base64.b64encode(der)


def verified(message: bytes, key: Key, asked: list[bytes] | None = None) -> bool:
    def answer(name: bytes, timeout: int = 5) -> bytes:
        if asked is not None:
            asked.append(name)
        return public(key)

    return bool(dkim.verify(message, dnsfunc=answer))


def settings(tmp_path: Path, content: bytes) -> dict[str, str]:
    file = tmp_path / "dkim.pem"
    file.write_bytes(content)
    return {
        "DKIM_KEY_FILE": str(file),
        "DKIM_SELECTOR": "alerts",
        "DEFAULT_FROM_EMAIL": "Alerts <alerts@Mail.Platform.example>",
    }


MESSAGE = (
    b"From: Alerts <alerts@platform.example>\r\nTo: ada@acme.example\r\nSubject: Broken\r\n"
    b"Date: Mon, 02 Mar 2026 09:00:00 +0000\r\nMessage-ID: <m1@platform.example>\r\n"
    b"List-Unsubscribe: <https://alerts.example/u/1>\r\n"
    b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n\r\nWords.\r\n"
)


@pytest.mark.parametrize("kind", ["RSA, PKCS 1", "RSA, PKCS 8", "Ed25519"])
def test_a_receiver_finds_the_signature_right(
    tmp_path: Path, keys: dict[str, tuple[Key, bytes]], kind: str
) -> None:
    key, content = keys[kind]
    sign = stationery_for(load(settings(tmp_path, content))).sign
    assert sign is not None
    asked: list[bytes] = []
    signed = sign(MESSAGE)
    assert verified(signed, key, asked)
    assert asked == [b"alerts._domainkey.mail.platform.example."]
    assert signed.endswith(MESSAGE)
    assert b"c=relaxed/relaxed" in signed


@pytest.mark.parametrize(
    ("said", "changed_to"),
    [
        (b"Words.", b"Other words."),
        (b"Subject: Broken", b"Subject: Mended"),
        (b"<https://alerts.example/u/1>", b"<https://evil.example/u/1>"),
        (b"List-Unsubscribe=One-Click", b"List-Unsubscribe=Nothing"),
        (b"<m1@", b"<m2@"),
        (b"From: Alerts", b"From: Somebody"),
        (b"To: ada", b"Subject: Another\r\nTo: ada"),
        (b"To: ada", b"Reply-To: evil@evil.example\r\nTo: ada"),
    ],
)
def test_whatever_is_changed_or_added_shows(
    tmp_path: Path, keys: dict[str, tuple[Key, bytes]], said: bytes, changed_to: bytes
) -> None:
    key, content = keys["RSA, PKCS 8"]
    sign = stationery_for(load(settings(tmp_path, content))).sign
    assert sign is not None
    signature = sign(MESSAGE)[: -len(MESSAGE)]
    assert verified(signature + MESSAGE, key)
    assert not verified(signature + MESSAGE.replace(said, changed_to, 1), key)


def test_a_mail_is_signed_once_and_a_repeated_attempt_is_a_copy(
    world: World, tmp_path: Path, keys: dict[str, tuple[Key, bytes]]
) -> None:
    key, content = keys["Ed25519"]
    (tmp_path / "dkim.pem").write_bytes(content)
    read = read_key(tmp_path / "dkim.pem", "platform.example", "alerts")
    world.stationery = type(STATIONERY)(STATIONERY.sender, STATIONERY.public_url, "", signer(read))
    world.queue()
    world.mailer.answer = Answer(Phase.RECIPIENT, 450, "greylisted")
    world.deliver()
    time.sleep(1.1)  # a signature says the second it was made in
    world.pass_time(minutes=1)
    world.mailer.answer = Answer(Phase.ACCEPTANCE, 250, "ok")
    world.deliver()
    (_, first), (_, second) = world.mailer.sent
    assert first == second == bytes(Email.objects.get().message or b"")
    assert verified(first, key)
    assert first.count(b"DKIM-Signature:") == 1
    header_names = first.split(b" h=")[1].split(b";")[0].lower()
    assert b"list-unsubscribe-post" in header_names
    assert b"message-id" in header_names


def test_without_a_key_nothing_is_signed() -> None:
    assert stationery_for(load({})).sign is None


def test_the_domain_may_be_one_above_the_sender_s(tmp_path: Path, rsa: RSAPrivateKey) -> None:
    content = rsa.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, PLAIN)
    environment = settings(tmp_path, content) | {"DKIM_DOMAIN": "platform.example"}
    configuration = load(environment)
    assert configuration.dkim_domain == "platform.example"
    assert configuration.dkim_key_file is not None
    assert configuration.dkim_key_file.domain == "platform.example"
    assert "PRIVATE" not in repr(configuration)


def rejected(environment: dict[str, str]) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load(environment)
    message = str(caught.value)
    assert "\n" not in message
    assert "PRIVATE" not in message
    return message


def test_a_domain_that_is_not_the_sender_s_is_refused(tmp_path: Path, rsa: RSAPrivateKey) -> None:
    content = rsa.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, PLAIN)
    environment = settings(tmp_path, content) | {"DKIM_DOMAIN": "other.example"}
    assert rejected(environment).startswith("DKIM_DOMAIN: must be the domain of DEFAULT_FROM_EMAIL")


@pytest.mark.parametrize("selector", ["", "a b", "-x", "a..b"])
def test_a_selector_is_needed(tmp_path: Path, rsa: RSAPrivateKey, selector: str) -> None:
    content = rsa.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, PLAIN)
    environment = settings(tmp_path, content) | {"DKIM_SELECTOR": selector}
    assert rejected(environment).startswith("DKIM_SELECTOR: expected the name")


@pytest.mark.parametrize("name", ["DKIM_SELECTOR", "DKIM_DOMAIN"])
def test_half_a_setting_is_named(name: str) -> None:
    message = rejected({name: "platform.example"})
    assert message == f"{name}: has no meaning without DKIM_KEY_FILE"


@pytest.mark.parametrize(
    "content",
    [
        b"", b"hello", b"\xff\xfe", b"-----BEGIN PRIVATE KEY-----\n",
        b"-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----\n",
        b"-----BEGIN PRIVATE KEY-----\naGVsbG8=\n-----END PRIVATE KEY-----\n",
    ],
)  # fmt: skip
def test_a_file_without_a_key_is_named(tmp_path: Path, content: bytes) -> None:
    message = rejected(settings(tmp_path, content))
    assert message.startswith(f"DKIM_KEY_FILE: {tmp_path}/dkim.pem holds no private key in PEM")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    environment = settings(tmp_path, b"") | {"DKIM_KEY_FILE": "/nowhere/dkim.pem"}
    assert rejected(environment) == (
        "DKIM_KEY_FILE: cannot read /nowhere/dkim.pem (No such file or directory)"
    )


def test_a_key_with_a_passphrase_is_refused(tmp_path: Path, rsa: RSAPrivateKey) -> None:
    for form in (PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL):
        content = rsa.private_bytes(Encoding.PEM, form, BestAvailableEncryption(b"secret"))
        assert "without a passphrase" in rejected(settings(tmp_path, content))


def test_a_key_that_receivers_find_too_short_is_refused(tmp_path: Path) -> None:
    key = read_pem_512()
    assert "is too short; take 2048 bits" in rejected(settings(tmp_path, key))


def test_a_broken_key_is_refused(tmp_path: Path, rsa: RSAPrivateKey) -> None:
    content = rsa.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, PLAIN)
    lines = content.splitlines()
    broken = b"\n".join([lines[0], *lines[1:3], b"A" * 64, *lines[4:-3], *lines[-1:]])
    file = tmp_path / "dkim.pem"
    file.write_bytes(broken)
    with pytest.raises(DkimError, match=r"cannot sign|no private key|too short"):
        signer(read_key(file, "platform.example", "alerts"))


def read_pem_512() -> bytes:
    """A public test key of 512 bits; libraries make none so short any more."""
    return (
        b"-----BEGIN RSA PRIVATE KEY-----\n" + base64.b64encode(b"\x30\x82\x01\x3b" + bytes(315))
        + b"\n-----END RSA PRIVATE KEY-----\n"
    )  # fmt: skip


def test_a_missing_extra_is_named(
    tmp_path: Path, rsa: RSAPrivateKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = rsa.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, PLAIN)
    monkeypatch.setitem(sys.modules, "dkim", None)
    assert rejected(settings(tmp_path, content)).endswith("pip install 'integration-alerts[dkim]'")
