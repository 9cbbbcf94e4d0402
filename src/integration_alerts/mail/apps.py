"""Django's handle on the mail layer."""

from django.apps import AppConfig


class MailConfig(AppConfig):
    """Registers the models of the mail layer."""

    name = "integration_alerts.mail"
    label = "mail"
    default_auto_field = "django.db.models.BigAutoField"
