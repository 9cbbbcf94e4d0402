"""EMAIL_URL: what it may say, and errors that help without giving the password away."""

import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration_alerts.mail.email_url import (
    EmailUrlError,
    MailServer,
    Security,
    parse_email_url,
)


def server(
    host: str,
    port: int,
    security: Security,
    username: str | None = None,
    password: str | None = None,
) -> MailServer:
    return MailServer(host, port, security, username, password)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://mail.test", server("mail.test", 25, Security.STARTTLS_IF_OFFERED)),
        ("smtp://mail.test/", server("mail.test", 25, Security.STARTTLS_IF_OFFERED)),
        ("smtp://mail.test?", server("mail.test", 25, Security.STARTTLS_IF_OFFERED)),
        ("  smtp://mail.test\n", server("mail.test", 25, Security.STARTTLS_IF_OFFERED)),
        ("SMTP://Mail.Test:2525", server("mail.test", 2525, Security.STARTTLS_IF_OFFERED)),
        ("smtp://mail.test?tls=required", server("mail.test", 25, Security.STARTTLS)),
        (
            "smtp://ann:pw@mail.test",
            server("mail.test", 587, Security.STARTTLS_IF_OFFERED, "ann", "pw"),
        ),
        (
            "smtp://ann:pw@mail.test:25/?tls=required",
            server("mail.test", 25, Security.STARTTLS, "ann", "pw"),
        ),
        ("smtps://ann:pw@mail.test", server("mail.test", 465, Security.TLS, "ann", "pw")),
        ("smtps://mail.test?tls=required", server("mail.test", 465, Security.TLS)),
        (
            "smtps://ann%40ex.test:p%40s%3A%2F%3F%23%25%C3%A9+1:2@mail.test:4650",
            server("mail.test", 4650, Security.TLS, "ann@ex.test", "p@s:/?#%é+1:2"),
        ),
        (
            "smtps://ann@ex.test:pw@mail.test",
            server("mail.test", 465, Security.TLS, "ann@ex.test", "pw"),
        ),
        ("smtp://192.0.2.7", server("192.0.2.7", 25, Security.STARTTLS_IF_OFFERED)),
        ("smtp://[2001:DB8::7]", server("2001:db8::7", 25, Security.STARTTLS_IF_OFFERED)),
        ("smtp://[::1]:2525", server("::1", 2525, Security.STARTTLS_IF_OFFERED)),
        ("smtp://mail_relay", server("mail_relay", 25, Security.STARTTLS_IF_OFFERED)),
        ("smtp://bücher.test", server("xn--bcher-kva.test", 25, Security.STARTTLS_IF_OFFERED)),
    ],
)
def test_a_url_names_the_server(url: str, expected: MailServer) -> None:
    assert parse_email_url(url) == expected


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("", "must begin with smtp:// or smtps://"),
        ("mail.test:25", "must begin with smtp:// or smtps://"),
        ("http://mail.test", "must begin with smtp:// or smtps://"),
        ("smtp:mail.test", "must begin with smtp:// or smtps://"),
        ("smtp://", "the host is missing"),
        ("smtp://:25", "the host is missing"),
        ("smtp://ann:pw@", "the host is missing"),
        ("smtp://mail.test:0", "from 1 to 65535"),
        ("smtp://mail.test:65536", "from 1 to 65535"),
        ("smtp://mail.test:smtp", "from 1 to 65535"),
        ("smtp://mail.test:-1", "from 1 to 65535"),
        ("smtp://[::1", "not a URL"),
        ("smtp://[mail.test]", "URL|host name nor an IP address"),
        ("smtp://::1", "the host is missing"),
        ("smtp://mail..test", "neither a host name nor an IP address"),
        ("smtp://-mail.test", "neither a host name nor an IP address"),
        ("smtp://ma$il.test", "neither a host name nor an IP address"),
        ("smtp://mail.test?tls=no", "unknown parameter"),
        ("smtp://mail.test?ssl=required", "unknown parameter"),
        ("smtp://mail.test?tls=required&tls=required", "unknown parameter"),
        ("smtp://mail.test/inbox", "nothing but"),
        ("smtp://mail.test#top", "nothing but"),
        ("smtp://ann@mail.test", "both be given, or neither"),
        ("smtp://ann:@mail.test", "both be given, or neither"),
        ("smtp://:pw@mail.test", "both be given, or neither"),
        ("smtp://@mail.test", "both be given, or neither"),
        ("smtp://ann:p/w@mail.test", "percent-encoded"),
        ("smtp://ann:p?w@mail.test", "percent-encoded"),
        ("smtp://ann:p#w@mail.test", "percent-encoded"),
        ("smtp://ann:p w@mail.test", "percent-encoded"),
        ("smtp://ann:p\tw@mail.test", "percent-encoded"),
        ("smtp://ann:%ff@mail.test", "percent-encoded UTF-8"),
        ("smtp://ann:p%00w@mail.test", "NUL"),
    ],
)
def test_a_wrong_url_is_explained_in_one_line(url: str, problem: str) -> None:
    with pytest.raises(EmailUrlError, match=problem) as caught:
        parse_email_url(url)
    message = str(caught.value)
    assert message.startswith("EMAIL_URL: ")
    assert "expected smtp://user:password@host:587 or smtps://user:password@host:465" in message
    assert len(message.splitlines()) == 1


@given(st.text(), st.sampled_from(["smtp", "smtps", "smtpx"]), st.text(max_size=5))
def test_no_error_gives_the_password_away(password: str, scheme: str, junk: str) -> None:
    secret = f"QX7-{password}-7XQ"
    told = outcome(f"{scheme}://ann:{secret}@mail.test{junk}")
    assert "QX7" not in told
    assert "7XQ" not in told


def outcome(url: str) -> str:
    """All that a log would show of it, with the errors behind the error."""
    try:
        return repr(parse_email_url(url))
    except EmailUrlError:
        return traceback.format_exc(limit=0)
