"""EMAIL_URL with an email service: what is read, what is refused, and that no key is repeated."""

import pytest

from integration_alerts.configuration import ConfigurationError, load
from integration_alerts.mail.email_url import EmailUrlError, parse_email_url
from integration_alerts.mail.esp_url import Esp, form, missing_extra
from integration_alerts.mail.esps import ESPS


def read(url: str) -> Esp:
    esp = parse_email_url(url)
    assert isinstance(esp, Esp)
    return esp


@pytest.mark.parametrize(
    ("url", "settings"),
    [
        ("postmark://token@", {"server_token": "token"}),
        ("postmark://token@?message_stream=alerts",
         {"server_token": "token", "message_stream": "alerts"}),
        ("POSTMARK://token@/", {"server_token": "token"}),
        ("sendgrid://a%2Fb%40c@", {"api_key": "a/b@c"}),
        ("mailgun://key@mg.Example.com?api_url=https%3A%2F%2Fapi.eu.example%2Fv3",
         {"api_key": "key", "sender_domain": "mg.example.com",
          "api_url": "https://api.eu.example/v3"}),
        ("mailjet://public:private@", {"api_key": "public", "secret_key": "private"}),
        ("postal://key@postal.example.com", {"api_key": "key", "api_url": "https://postal.example.com"}),
        ("scaleway://secret@?project_id=p-1&region=nl-ams",
         {"secret_key": "secret", "project_id": "p-1", "region": "nl-ams"}),
        ("ses://", {}),
        ("ses://eu-north-1", {"region_name": "eu-north-1"}),
        ("ses://AKIA:se%2Fcret@eu-north-1?configuration_set_name=alerts",
         {"access_key_id": "AKIA", "secret_access_key": "se/cret", "region_name": "eu-north-1",
          "configuration_set_name": "alerts"}),
        ("resend://re_1@?signing_secret=whsec_1", {"api_key": "re_1", "signing_secret": "whsec_1"}),
    ],
)  # fmt: skip
def test_a_url_of_a_service_is_read(url: str, settings: dict[str, str]) -> None:
    assert read(url).settings == settings


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("postmark://", "server_token is missing"),
        ("postmark://@", "server_token is missing"),
        ("postmark://hunter2", "an @ must follow the key"),
        ("postmark://hunter2@example.com", "nothing may follow the @"),
        ("postmark://hunter2:more@", "a : in the key"),
        ("postmark://hunter2@?nonsense=1", "unknown setting; there are api_url, message_stream"),
        ("postmark://hunter2@?message_stream", "settings are written"),
        ("postmark://hunter2@?message_stream=", "message_stream is empty"),
        ("postmark://hunter2@?api_url=hunter2", "api_url must begin with https://"),
        ("postmark://hunter2/x@", "must be percent-encoded"),
        ("postmark://hunter2%ff@", "the key must be percent-encoded"),
        ("postmark://hunter2%0a@", "the key must be percent-encoded"),
        ("mailgun://hunter2@", "sender_domain is missing"),
        ("mailgun://hunter2@a_b!c", "what follows the @ is no domain"),
        ("mailjet://hunter2@", "api_key and secret_key belong together"),
        ("ses://hunter2@eu-north-1", "access_key_id and secret_access_key belong together"),
        ("scaleway://hunter2@", "project_id is missing"),
        ("unisender-go://hunter2@", "api_url is missing"),
    ],
)
def test_what_is_wrong_is_said_in_one_line_that_has_no_key(url: str, problem: str) -> None:
    with pytest.raises(EmailUrlError) as caught:
        parse_email_url(url)
    message = str(caught.value)
    assert message.startswith("EMAIL_URL: ")
    assert problem in message
    assert f"expected {form(url.partition(':')[0])}" in message
    assert "hunter2" not in message
    assert "\n" not in message
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("url", ["http://key@", "pigeon://hunter2@", "mail.example.com"])
def test_an_unknown_scheme_names_those_there_are(url: str) -> None:
    with pytest.raises(EmailUrlError) as caught:
        parse_email_url(url)
    assert all(scheme in str(caught.value) for scheme in ("smtp://", "smtps://", *ESPS))
    assert "hunter2" not in str(caught.value)


def test_a_key_is_in_no_repr() -> None:
    assert "hunter2" not in repr(read("postmark://hunter2@"))


def test_the_service_is_named_for_people() -> None:
    assert read("postmark://token@").place == "Postmark"
    assert read("postal://key@postal.example.com").place == "Postal at postal.example.com"


def test_webhooks_find_their_settings_by_django_anymail_s_names() -> None:
    esp = read("unisender-go://key@?api_url=https%3A//go1.example/api")
    assert esp.anymail_settings() == {
        "UNISENDER_GO_API_KEY": "key", "UNISENDER_GO_API_URL": "https://go1.example/api",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("url", "absent", "extra"),
    [
        ("postmark://token@", "anymail", "esp"),
        ("ses://", "anymail", "ses"),
        ("ses://", "boto3", "ses"),
        ("postmark://token@", "boto3", ""),
        ("ses://", "", ""),
    ],
)
def test_a_missing_extra_is_named(
    monkeypatch: pytest.MonkeyPatch, url: str, absent: str, extra: str
) -> None:
    monkeypatch.setattr(
        "integration_alerts.mail.esp_url.find_spec", lambda name: None if name == absent else name
    )
    assert missing_extra(read(url)) == extra
    if extra:
        with pytest.raises(ConfigurationError, match=rf"^EMAIL_URL: .*\[{extra}\]'$"):
            load({"EMAIL_URL": url})
    else:
        assert load({"EMAIL_URL": url}).mail_server is not None
