"""Settings: read, checked, and each wrong one named in one line (SPEC section 4)."""

import stat
from pathlib import Path

import pytest

from integration_alerts.configuration import ConfigurationError, load, secret_key
from integration_alerts.mail.email_url import MailServer, Security


def test_nothing_needs_to_be_set() -> None:
    settings = load({})
    assert settings.embedded
    assert settings.data_dir == Path.cwd() / "var"
    assert settings.mail_server is None
    assert (settings.mail_rate, settings.mail_rate_per_domain) == (None, {})
    assert (settings.dkim_domain, settings.dkim_selector, settings.dkim_key_file) == ("", "", None)
    assert settings.public_url == "http://localhost:8000"
    assert (settings.group_wait, settings.group_interval) == (30, 300)
    assert (settings.keep_history, settings.keep_emails) == (400, 400)
    assert (settings.keep_messages, settings.keep_receipts) == (90, 30)
    assert (settings.log_format, settings.demo, settings.postgres_bin) == ("text", False, None)


def test_everything_can_be_set() -> None:
    settings = load(
        {
            "DATA_DIR": "/srv/alerts",
            "DATABASE_URL": "postgresql://me:p%40ss@db.example:6432/alerts?sslmode=require",
            "POSTGRES_BIN": "/opt/pg/bin",
            "EMAIL_URL": "smtps://u:p@mail.example",
            "DEFAULT_FROM_EMAIL": "Alerts <alerts@platform.example>",
            "BOUNCE_ADDRESS": "bounces@alerts.example",
            "WEBHOOK_SECRET": "postmark:open-sesame",
            "PUBLIC_URL": "https://alerts.example/base/",
            "MAIL_RATE": "12.5",
            "MAIL_RATE_PER_DOMAIN": " Big.example = 20, bücher.example=0.5 ,*=50,",
            "GROUP_WAIT": "0",
            "GROUP_INTERVAL": "60",
            "KEEP_HISTORY": "90",
            "KEEP_EMAILS": "30",
            "KEEP_MESSAGES": "1",
            "KEEP_RECEIPTS": "36500",
            "TRUSTED_PROXY_COUNT": "2",
            "LOG_FORMAT": "json",
            "INTEGRATION_ALERTS_DEMO": "1",
        }
    )
    assert settings.database == {
        "user": "me", "password": "p@ss", "host": "db.example", "port": "6432",
        "dbname": "alerts", "sslmode": "require",
    }  # fmt: skip
    assert settings.mail_rate == 12.5
    assert settings.mail_rate_per_domain == {"big.example": 20, "bücher.example": 0.5, "*": 50}
    assert isinstance(settings.mail_server, MailServer)
    assert settings.mail_server.security is Security.TLS
    assert settings.bounce_address == "bounces@alerts.example"
    assert settings.webhook_secret == "postmark:open-sesame"
    assert settings.public_url == "https://alerts.example/base"
    assert (settings.group_wait, settings.group_interval) == (0, 60)
    assert (settings.keep_history, settings.keep_emails) == (90, 30)
    assert (settings.keep_messages, settings.keep_receipts) == (1, 36500)
    assert settings.trusted_proxy_count == 2
    assert (settings.log_format, settings.demo, settings.embedded) == ("json", True, False)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://localhost/x"),
        ("DATABASE_DIRECT_URL", "mysql://localhost/x"),
        ("DATABASE_DIRECT_URL", "postgresql://localhost/x"),  # without DATABASE_URL
        ("DATABASE_REPLICA_URL", "postgresql://localhost"),
        ("DATABASE_REPLICA_URL", "postgresql://localhost/x"),
        ("DATABASE_URL", "alerts"),
        ("DATABASE_URL", "postgresql://localhost:no/x"),
        ("DATABASE_URL", "postgresql://localhost"),
        ("DATABASE_URL", "postgresql://localhost/x?nonsense=1"),
        ("DATABASE_URL", "postgresql://[::1/x"),
        ("DATA_DIR", "~there-is-no-such-user/x"),
        ("DEFAULT_FROM_EMAIL", "alerts@" + "ü" * 64 + ".example"),
        ("EMAIL_URL", "http://mail.example"),
        ("DEFAULT_FROM_EMAIL", "nobody"),
        ("DEFAULT_FROM_EMAIL", "Alerts <alerts@>"),
        ("DEFAULT_FROM_EMAIL", "a@b.example\nBcc: c@d.example"),
        ("BOUNCE_ADDRESS", "bounces"),
        ("BOUNCE_ADDRESS", "Bounces <bounces@alerts.example>"),
        ("BOUNCE_ADDRESS", "bounces+x@alerts.example"),
        ("BOUNCE_ADDRESS", "b@unces@alerts.example"),
        ("BOUNCE_ADDRESS", "bounces@alerts.example\nBcc: c@d.example"),
        ("BOUNCE_ADDRESS", "@alerts.example"),
        ("BOUNCE_ADDRESS", "b" * 24 + "@alerts.example"),
        ("PUBLIC_URL", "alerts.example"),
        ("PUBLIC_URL", "https://alerts.example:port"),
        ("PUBLIC_URL", "https://[::1"),
        ("PUBLIC_URL", "https://alerts.example/a b"),
        ("PUBLIC_URL", "https://alerts.example/\n"),
        ("PUBLIC_URL", "https://alerts.example/#here"),
        ("PUBLIC_URL", "ftp://alerts.example"),
        ("PUBLIC_URL", "https://alerts.example/?a=1"),
        ("GROUP_WAIT", "-1"),
        ("GROUP_WAIT", "99999999999999999999"),
        ("GROUP_WAIT", "soon"),
        ("KEEP_HISTORY", "89"),
        ("KEEP_HISTORY", "36501"),
        ("KEEP_EMAILS", "29"),
        ("KEEP_MESSAGES", "0"),
        ("KEEP_RECEIPTS", "29"),
        ("KEEP_RECEIPTS", "90d"),
        ("TRUSTED_PROXY_COUNT", "-1"),
        ("TRUSTED_PROXY_COUNT", "11"),
        ("TRUSTED_PROXY_COUNT", "yes"),
        ("GROUP_INTERVAL", "1.5"),
        ("EMAIL_URL", "postmark://"),
        ("MAIL_RATE", "0"),
        ("MAIL_RATE", "-1"),
        ("MAIL_RATE", "nan"),
        ("MAIL_RATE", "inf"),
        ("MAIL_RATE", "10001"),
        ("MAIL_RATE", "fast"),
        ("MAIL_RATE_PER_DOMAIN", "big.example"),
        ("MAIL_RATE_PER_DOMAIN", "big.example=0"),
        ("MAIL_RATE_PER_DOMAIN", "big.example="),
        ("MAIL_RATE_PER_DOMAIN", "=20"),
        ("MAIL_RATE_PER_DOMAIN", "a@big.example=20"),
        ("MAIL_RATE_PER_DOMAIN", "big.example=20,Big.example=30"),
        ("LOG_FORMAT", "xml"),
        ("WEBHOOK_SECRET", "postmark"),
        ("WEBHOOK_SECRET", ":secret"),
        ("WEBHOOK_SECRET", "postmark:gehäim"),
    ],
)
def test_a_wrong_setting_is_named_in_one_line(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load({name: value})
    assert str(caught.value).startswith(name)
    assert "\n" not in str(caught.value)


def test_a_time_that_would_be_too_short_is_told_the_least() -> None:
    with pytest.raises(ConfigurationError) as caught:
        load({"KEEP_RECEIPTS": "7"})
    assert str(caught.value) == "KEEP_RECEIPTS: expected a number of days from 30 to 36500, got '7'"


@pytest.mark.parametrize(
    "url", ["postgresql://u:sec%zzret@h/db", "postgresql://u:sec/ret@h/db", "mysql://u:secret@h/d"]
)
def test_a_password_in_a_wrong_database_url_is_never_repeated(url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load({"DATABASE_URL": url})
    assert "sec" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_the_secret_key_is_made_once_and_kept_for_its_owner(tmp_path: Path) -> None:
    settings = load({"DATA_DIR": str(tmp_path / "var")})
    key = secret_key(settings, {})
    assert len(key) >= 50
    assert secret_key(settings, {}) == key
    assert stat.S_IMODE((tmp_path / "var" / "secret-key").stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "var").iterdir()] == ["secret-key"]


def test_a_given_secret_key_is_used_and_nothing_is_written(tmp_path: Path) -> None:
    settings = load({"DATA_DIR": str(tmp_path / "var")})
    assert secret_key(settings, {"SECRET_KEY": "mine"}) == "mine"
    assert not (tmp_path / "var").exists()


def test_a_folder_that_cannot_hold_the_key_is_named(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("a file")
    with pytest.raises(ConfigurationError, match=r"^DATA_DIR: cannot keep the secret key"):
        secret_key(load({"DATA_DIR": str(tmp_path / "var")}), {})
