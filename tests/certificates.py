"""Certificates for servers on loopback, by an authority that only the tests know."""

import ssl
from functools import cache
from typing import NamedTuple

import trustme


class Certificates(NamedTuple):
    """TLS contexts for both sides."""

    right: ssl.SSLContext
    """For a server, with a certificate for 127.0.0.1."""
    wrong_name: ssl.SSLContext
    """For a server, with a certificate for another host."""
    client: ssl.SSLContext
    """Trusts the authority, and checks the host's name."""


@cache
def certificates() -> Certificates:
    authority = trustme.CA()

    def server_context(name: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(name).configure_cert(context)
        return context

    client = ssl.create_default_context()
    authority.configure_trust(client)
    return Certificates(server_context("127.0.0.1"), server_context("mail.test"), client)
