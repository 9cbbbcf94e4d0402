"""Django's settings, made from the product's own (`configuration`). Nothing is decided here."""

import os
from collections.abc import Mapping
from email.utils import parseaddr
from http import HTTPStatus
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from integration_alerts.configuration import load, secret_key
from integration_alerts.database_configuration import LIVELINESS, LIVELINESS_OF_A_REPLICA
from integration_alerts.engine.postgres import socket_directory
from integration_alerts.mail.esp_url import Esp

CONFIGURATION = load(os.environ)

DEBUG = False
SECRET_KEY = secret_key(CONFIGURATION, os.environ)
# Links are made from PUBLIC_URL and never from the Host header, and API clients and health checks
# reach a process under many names: there is nothing that a list of hosts would protect.
ALLOWED_HOSTS = ["*"]

# Where Ninja keeps what the page of the API needs. It is no app here: its code takes a fifth of a
# command's start, and only `web` needs it.
_NINJA = Path(str(find_spec("ninja").origin)).parent  # type: ignore[union-attr]  # it is installed

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "procrastinate.contrib.django",
    "integration_alerts.directory",
    "integration_alerts.integrations",
    "integration_alerts.alerts",
    "integration_alerts.mail",
    "integration_alerts.engine",
    "integration_alerts.web",
    "django.contrib.admin.apps.SimpleAdminConfig",  # after web, whose templates come first
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "integration_alerts.web.middleware.ContentSecurityPolicy",
    "integration_alerts.api.problems.MethodNotAllowed",
    "integration_alerts.web.replica.NoteWrites",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "integration_alerts.web.sign_in.sessions.SlidingSessions",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "integration_alerts.urls"
WSGI_APPLICATION = "integration_alerts.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [_NINJA / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "integration_alerts.web.viewer.shell",
            ]
        },
    }
]


def _database(
    parameters: Mapping[str, str], liveliness: Mapping[str, str], patience: float, size: int
) -> dict[str, object]:
    options = {**liveliness, **parameters}  # what the URL says holds
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": options.pop("dbname"),
        "USER": options.pop("user", ""),
        "PASSWORD": options.pop("password", ""),
        "HOST": options.pop("host", ""),
        "PORT": options.pop("port", ""),
        "CONN_HEALTH_CHECKS": True,  # a pooled connection may be from before a restart
        # A pooler in transaction mode lends a session for no longer than a transaction.
        "DISABLE_SERVER_SIDE_CURSORS": True,
        "OPTIONS": {
            **options,
            "pool": {
                "min_size": 1,
                "max_size": size,
                "timeout": patience,  # seconds to wait for a connection while the database is away
                # Seconds: attempts come ever later, so a pool begins anew rather than find out
                # minutes late that the database is back.
                "reconnect_timeout": 5,
            },
        },
    }


_embedded = {
    "dbname": "integration_alerts",
    "user": "integration_alerts",
    "host": str(socket_directory(CONFIGURATION.data_dir)),
    "port": "5432",  # the name of the socket; an exported PGPORT must not change it
}
_pool_size = int(os.environ.get("INTEGRATION_ALERTS_POOL", "16"))
DATABASES = {"default": _database(CONFIGURATION.database or _embedded, LIVELINESS, 10, _pool_size)}
if CONFIGURATION.embedded:
    # No pooler stands before the embedded database, so statements can be planned once a connection
    # (directory.statements); planning takes as long as carrying out.
    DATABASES["default"]["OPTIONS"]["prepare_threshold"] = 3  # type: ignore[index]
if CONFIGURATION.database_direct is not None:  # for what needs a session: engine.database
    DATABASES["direct"] = _database(CONFIGURATION.database_direct, LIVELINESS, 10, 2)
if CONFIGURATION.database_replica is not None:  # for pages that are only read: web.replica
    DATABASES["replica"] = _database(
        CONFIGURATION.database_replica, LIVELINESS_OF_A_REPLICA, 2, _pool_size
    )
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "directory.User"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
_validation = "django.contrib.auth.password_validation"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"{_validation}.UserAttributeSimilarityValidator"},
    {"NAME": f"{_validation}.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": f"{_validation}.CommonPasswordValidator"},
    {"NAME": f"{_validation}.NumericPasswordValidator"},
]
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]

USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = False

# For the webhooks of the email service that EMAIL_URL names (api.webhooks).
ANYMAIL = {
    **(
        CONFIGURATION.mail_server.anymail_settings()
        if isinstance(CONFIGURATION.mail_server, Esp)
        else {}
    ),
    "WEBHOOK_SECRET": CONFIGURATION.webhook_secret,
}

# The mails of the pages; notices go their own way (mail.delivering).
EMAIL_BACKEND = "integration_alerts.engine.posting.EmailBackend"
DEFAULT_FROM_EMAIL = CONFIGURATION.default_from_email
SERVER_EMAIL = parseaddr(DEFAULT_FROM_EMAIL)[1]

STATIC_URL = "/static/"
STATICFILES_DIRS = [_NINJA / "static"]
WHITENOISE_USE_FINDERS = True  # straight from the packages: there is no step that collects them

# A request larger than this is refused with 413 before it is read.
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024

LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
CSRF_FAILURE_VIEW = "integration_alerts.web.csrf.failure"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = CONFIGURATION.public_url.startswith("https://")
_origin = urlsplit(CONFIGURATION.public_url)
CSRF_TRUSTED_ORIGINS = [f"{_origin.scheme}://{_origin.netloc}"]

# Sign-in (django-allauth): with address and password, only for people who were invited.
ACCOUNT_ADAPTER = "integration_alerts.web.sign_in.adapter.Adapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"  # an invitation verifies; operators are trusted as they are
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False  # strangers get no mail from us
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_FORMS = {"reset_password": "integration_alerts.web.sign_in.forms.ForgottenPasswordForm"}
ALLAUTH_TRUSTED_PROXY_COUNT = CONFIGURATION.trusted_proxy_count
MFA_ADAPTER = "integration_alerts.web.sign_in.two_step.Adapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Integration Alerts"
MFA_TOTP_TOLERANCE = 1  # a phone whose clock is half a minute off

# Tasks belong to the worker alone (engine.tasks); whoever wakes it names them.
PROCRASTINATE_AUTODISCOVER_MODULE_NAME = ""

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "text": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"},
        "json": {
            "()": "pythonjsonlogger.json.JsonFormatter",
            "format": "{asctime}{levelname}{name}{message}",
            "style": "{",
            "rename_fields": {"asctime": "time", "levelname": "level", "name": "logger"},
        },
    },
    "filters": {
        # 503 is what /readyz answers until all is up, and what the API says with a line of its own.
        "expected": {
            "()": "django.utils.log.CallbackFilter",
            "callback": lambda record: (
                getattr(record, "status_code", None) != HTTPStatus.SERVICE_UNAVAILABLE
            ),
        },
    },
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": CONFIGURATION.log_format},
    },
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        # Each job would otherwise write three lines; what jobs do is logged by the layers.
        "procrastinate": {"level": "WARNING"},
        "django.request": {"level": "ERROR", "filters": ["expected"]},
    },
}
