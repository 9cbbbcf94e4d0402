"""The addresses of these pages, below where they are included."""

from django.urls import path

from integration_alerts.web.mail_pages import administrators, operators

of_administrators = [
    path("", administrators.mails, name="mails"),
    path("/<slug:kind>", administrators.sample_mail, name="sample_mail"),
    path("/<slug:kind>/html", administrators.sample_mail_html, name="sample_mail_html"),
    path("/<slug:kind>/source", administrators.sample_mail_source, name="sample_mail_source"),
]
of_operators = [
    path("", operators.mails, name="operator_mails"),
    path("/<slug:kind>", operators.sample_mail, name="operator_sample_mail"),
    path("/<slug:kind>/html", operators.sample_mail_html, name="operator_sample_mail_html"),
    path("/<slug:kind>/source", operators.sample_mail_source, name="operator_sample_mail_source"),
]
