"""The addresses of the pages."""

from django.urls import include, path

from integration_alerts.web import inbox, start, unsubscribing
from integration_alerts.web.mail_pages import urls as mail_pages

urlpatterns = [
    path("", start.start, name="start"),
    path("alerts", start.my_alerts, name="my_alerts"),
    path("unsubscribe/<str:token>", unsubscribing.unsubscribe, name="unsubscribe"),
    path("inbox", inbox.inbox_list, name="inbox"),
    path("inbox/<int:mail_id>", inbox.inbox_mail, name="inbox_mail"),
    path("inbox/<int:mail_id>/html", inbox.inbox_html, name="inbox_html"),
    path("inbox/<int:mail_id>/raw", inbox.inbox_raw, name="inbox_raw"),
    path("mails", include(mail_pages.of_operators)),
    path("mails/of/<int:of>", include(mail_pages.of_operators)),
    path("", include("integration_alerts.web.back_office.urls")),
    path("", include("integration_alerts.web.sign_in.urls")),
    path("accounts/<int:account_id>/", include("integration_alerts.web.integration_pages.urls")),
    path("accounts/<int:account_id>/", include("integration_alerts.web.alert_pages.urls")),
    path("accounts/<int:account_id>/mails", include(mail_pages.of_administrators)),
]
