"""Codes in plain words."""

import pytest

from integration_alerts.mail import reasons


@pytest.mark.parametrize(
    ("sentence", "codes"),
    [
        (reasons.EXPIRED_SIGN_IN, "expired_login token_expired invalid_grant 401 unauthorized"),
        (reasons.REVOKED_KEY, "revoked_key api_key_revoked key_revoked invalid_api_key"),
        (reasons.NO_PERMISSION, "missing_permission forbidden 403 insufficient_scope"),
        (reasons.RATE_LIMIT, "rate_limit rate_limited 429 too_many_requests"),
        (reasons.NOT_FOUND, "not_found 404 gone 410"),
        (reasons.PROVIDER_DOWN, "server_error 500 502 503"),
        (reasons.NO_ANSWER, "timeout 504 ETIMEDOUT"),
    ],
)
def test_common_codes_have_a_sentence(sentence: str, codes: str) -> None:
    assert {reasons.plain(code) for code in codes.split()} == {sentence}


@pytest.mark.parametrize(
    "code",
    ["TOKEN_EXPIRED", "token-expired", "TokenExpired", "token expired", "error.token_expired",
     "tokenExpiredError", " token_expired "],
)  # fmt: skip
def test_a_code_may_be_spelled_in_many_ways(code: str) -> None:
    assert reasons.plain(code) == reasons.EXPIRED_SIGN_IN


@pytest.mark.parametrize("code", ["HTTP 401", "http_401", "status:401", "HTTP-Error-401"])
def test_a_status_of_http_may_say_that_it_is_one(code: str) -> None:
    assert reasons.plain(code) == reasons.EXPIRED_SIGN_IN


@pytest.mark.parametrize("code", ["", "E-17", "expire", "4010", "🔥", "_", "error"])
def test_other_codes_have_none(code: str) -> None:
    assert reasons.plain(code) == ""


@pytest.mark.parametrize(
    ("code", "message", "words"),
    [
        ("401", "", "Its sign-in has expired."),
        ("401", "Token gone", "Its sign-in has expired. Token gone"),
        ("401", "its sign-in has expired", "Its sign-in has expired."),
        ("E-17", "Token gone", "Token gone (E-17)"),
        ("E-17", "e-17.", "e-17."),
        ("E-17", "", "E-17"),
        ("", "Token gone", "Token gone"),
        ("", "", ""),
        ("E\r\n17", "\u202eno\x00", "no (E 17)"),
    ],
)
def test_the_reason_is_plain_words_and_what_was_reported(
    code: str, message: str, words: str
) -> None:
    assert reasons.reason(code, message) == words
