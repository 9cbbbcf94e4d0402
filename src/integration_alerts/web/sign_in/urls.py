"""The addresses of sign-in, of invitations, and of a member's mail address."""

from django.urls import include, path
from django.views.generic import RedirectView

from integration_alerts.web.sign_in import address, demo, invitation, login, security

_sign_in = RedirectView.as_view(pattern_name="account_login", query_string=True)
urlpatterns = [
    path("sign-in", _sign_in),
    path("sign-in/", _sign_in),
    path("sign-in/security", security.security, name="security"),
    path("sign-in/login/", login.SignIn.as_view(), name="account_login"),
    path(
        "sign-in/confirm-email/<str:key>/",
        login.ConfirmAddress.as_view(),
        name="account_confirm_email",
    ),
    path("sign-in/", include("allauth.account.urls")),
    path("sign-in/two-step/", include("allauth.mfa.urls")),
    path("sign-in/sessions/", include("allauth.usersessions.urls")),
    path("demo/sign-in", demo.demo_sign_in, name="demo_sign_in"),
    path("invitation/<str:token>", invitation.invitation, name="invitation"),
    path("invitation/<str:token>/again", invitation.invitation_again, name="invitation_again"),
    path("accounts/<int:account_id>/address", address.address, name="address"),
    path("address/<str:token>", address.confirm_address, name="confirm_address"),
]
