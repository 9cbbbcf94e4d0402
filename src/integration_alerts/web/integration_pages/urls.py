"""The addresses of these pages."""

from django.urls import path

from integration_alerts.web.integration_pages import acting, home, mail, telling

urlpatterns = [
    path("", home.integrations, name="integrations"),
    path("integrations/<int:integration_id>", telling.integration, name="integration"),
    path("integrations/<int:integration_id>/state", acting.change_state, name="integration_state"),
    path("emails/<int:email_id>", mail.email, name="email"),
    path("emails/<int:email_id>/html", mail.email_html, name="email_html"),
]
