"""Every address: the pages, the API, and what machines ask for."""

from django.contrib.auth.views import LoginView
from django.urls import path

from integration_alerts.api.app import api
from integration_alerts.api.health import healthz, readyz
from integration_alerts.web import views

urlpatterns = [
    path("", views.start, name="start"),
    path("alerts", views.alerts, name="alerts"),
    path("inbox", views.inbox_list, name="inbox"),
    path("inbox/<int:mail_id>", views.inbox_mail, name="inbox_mail"),
    path("inbox/<int:mail_id>/html", views.inbox_html, name="inbox_html"),
    path("inbox/<int:mail_id>/raw", views.inbox_raw, name="inbox_raw"),
    path("sign-in", LoginView.as_view(template_name="web/sign_in.html"), name="sign_in"),
    path("healthz", healthz),
    path("readyz", readyz),
    path("api/v1/", api.urls),
]

handler404 = "integration_alerts.api.problems.not_found"
handler500 = "integration_alerts.api.problems.server_error"
