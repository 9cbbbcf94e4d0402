"""The email services (ESPs) that EMAIL_URL can name, and what is peculiar about each.

A table and nothing else: `esp_url` reads URLs by it, `esp` sends. All go through django-anymail.
"""

from dataclasses import dataclass

API_URL = "api_url"


@dataclass(frozen=True, slots=True)
class EspKind:
    """One email service; the names of settings are django-anymail's."""

    title: str
    backend: str
    """The module of `anymail.backends`; its name in capitals begins anymail's own settings."""
    user: str = ""
    """The setting that stands before the @ of the URL; empty: none."""
    password: str = ""
    """The setting that stands after a colon there; empty: none."""
    host: str = ""
    """The setting that stands as the host; empty: none."""
    required: frozenset[str] = frozenset()
    """Settings that must be given, wherever they stand."""
    settings: frozenset[str] = frozenset()
    """What may stand behind the `?`."""
    webhook_settings: frozenset[str] = frozenset()
    """The same, for the service's webhooks alone."""
    takes_reference: bool = True
    """Whether what we call the email can go along, for webhooks to say."""
    tracks_by_message: bool = False
    """Whether tracking is switched off message by message, and not only in its own settings."""
    about_the_account: frozenset[str] = frozenset()
    """Its own codes for errors that no other email would escape, whatever the HTTP status."""
    headers: tuple[tuple[str, str], ...] = ()
    """Headers that it wants beside ours."""
    own_headers: frozenset[str] = frozenset()
    """Headers, in small letters, that it lets nobody set."""


ESPS = {
    "brevo": EspKind(
        "Brevo", "brevo", "api_key", required=frozenset({"api_key"}), settings=frozenset({API_URL}),
        about_the_account=frozenset(
            {"account_under_validation", "not_enough_credits", "unauthorized"}
        ),
    ),
    "mailersend": EspKind(
        "MailerSend", "mailersend", "api_token", required=frozenset({"api_token"}),
        settings=frozenset({API_URL}),
        webhook_settings=frozenset({"signing_secret"}),
        takes_reference=False, tracks_by_message=True,
    ),
    "mailgun": EspKind(
        "Mailgun", "mailgun", "api_key", host="sender_domain",
        required=frozenset({"api_key", "sender_domain"}), settings=frozenset({API_URL}),
        webhook_settings=frozenset({"webhook_signing_key"}), tracks_by_message=True,
    ),
    "mailjet": EspKind(
        "Mailjet", "mailjet", "api_key", "secret_key",
        required=frozenset({"api_key", "secret_key"}), settings=frozenset({API_URL}),
        tracks_by_message=True, own_headers=frozenset({"message-id"}),
    ),
    "mailtrap": EspKind(
        "Mailtrap", "mailtrap", "api_token", required=frozenset({"api_token"}),
        settings=frozenset({API_URL, "sandbox_id"}),
        webhook_settings=frozenset({"tracking_secret"}),
    ),
    "mandrill": EspKind(
        "Mandrill", "mandrill", "api_key", required=frozenset({"api_key"}),
        settings=frozenset({API_URL}), tracks_by_message=True,
        webhook_settings=frozenset({"webhook_key", "webhook_url"}),
        about_the_account=frozenset({"Invalid_Key", "PaymentRequired", "Unknown_Subaccount"}),
    ),
    "postal": EspKind(
        "Postal", "postal", "api_key", host=API_URL, required=frozenset({"api_key", API_URL}),
        settings=frozenset({API_URL}), webhook_settings=frozenset({"webhook_key"}),
        takes_reference=False,
        about_the_account=frozenset(
            {"AccessDenied", "InvalidServerAPIKey", "ServerSuspended", "UnauthenticatedFromAddress"}
        ),
    ),
    "postmark": EspKind(
        "Postmark", "postmark", "server_token", required=frozenset({"server_token"}),
        settings=frozenset({API_URL, "message_stream"}), tracks_by_message=True,
        # A wrong token, senders that are not confirmed, no credit, an account in review.
        about_the_account=frozenset({"10", "400", "401", "405", "412", "413"}),
        headers=(("X-PM-KeepID", "true"),),  # else it writes a Message-ID of its own
    ),
    "resend": EspKind(
        "Resend", "resend", "api_key", required=frozenset({"api_key"}),
        settings=frozenset({API_URL}), webhook_settings=frozenset({"signing_secret"}),
    ),
    "scaleway": EspKind(
        "Scaleway", "scaleway", "secret_key",
        required=frozenset({"secret_key", "project_id"}),
        settings=frozenset({API_URL, "project_id", "region"}),
    ),
    "sendgrid": EspKind(
        "SendGrid", "sendgrid", "api_key", required=frozenset({"api_key"}),
        settings=frozenset({API_URL}), tracks_by_message=True,
        webhook_settings=frozenset({"tracking_webhook_verification_key"}),
    ),
    "ses": EspKind(
        "Amazon SES", "amazon_ses", "access_key_id", "secret_access_key", "region_name",
        settings=frozenset({API_URL, "configuration_set_name"}),
        about_the_account=frozenset(
            {"AccountSuspendedException", "MailFromDomainNotVerifiedException",
             "SendingPausedException", "UnrecognizedClientException"}
        ),
    ),
    "sparkpost": EspKind(
        "SparkPost", "sparkpost", "api_key", required=frozenset({"api_key"}),
        settings=frozenset({API_URL, "subaccount"}), tracks_by_message=True,
    ),
    "unisender-go": EspKind(
        "Unisender Go", "unisender_go", "api_key", required=frozenset({"api_key", API_URL}),
        settings=frozenset({API_URL}), tracks_by_message=True,
    ),
}  # fmt: skip
"""By the scheme of the URL."""
