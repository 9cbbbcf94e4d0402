"""Django's handle on the pages."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    """Registers the pages' templates."""

    name = "integration_alerts.web"
    label = "web"

    def ready(self) -> None:
        """Have members linked at each sign-in."""
        from integration_alerts.web.sign_in import linking  # noqa: F401
