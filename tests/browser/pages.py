"""Every page in every shape, with somebody who may open it.

A path or a value that is posted may hold `{names}`; `places` has what they stand for.
"""

from dataclasses import dataclass
from typing import Any

from tests.browser.prepare import PASSWORD
from tests.browser.site import Site

Form = dict[str, str]


@dataclass(frozen=True)
class Case:
    """A page as it is once `forms` were posted, one after the other, to the page one is on."""

    person: str | None
    path: str
    forms: tuple[Form, ...] = ()


def _page(person: str | None, path: str, *forms: Form) -> Case:
    return Case(person, path, forms)


_WRONG = {"new_password1": "short", "new_password2": "another"}
_WRONG_CODE = {"code": "000000"}
_SIGN_IN = {"login": "theo@gallery.example", "password": PASSWORD}
_STEP = "/sign-in/two-step"

ARRIVING = {
    "start": _page(None, "/"),
    "start of who has no account": _page("operator", "/"),
    "unknown address": _page(None, "/nowhere"),
    "unknown account": _page("ines", "/accounts/999999/"),
    "sign-in": _page(None, "/sign-in/login/"),
    "sign-in, refused": _page(
        None, "/sign-in/login/", {"login": "nobody@there.example", "password": "wrong"}
    ),
    "sign-in, empty": _page(None, "/sign-in/login/", {}),
    "sign-in, second step": _page(None, "/sign-in/login/", _SIGN_IN),
    "sign-in, wrong second step": _page(None, "/sign-in/login/", _SIGN_IN, _WRONG_CODE),
    "sign out": _page("wanda", "/sign-in/logout/"),
    "sign up": _page(None, "/sign-in/signup/"),
    "password forgotten": _page(None, "/sign-in/password/reset/"),
    "password forgotten, no address": _page(None, "/sign-in/password/reset/", {"email": "nobody"}),
    "password forgotten, sent": _page(
        None, "/sign-in/password/reset/", {"email": "nobody@there.example"}
    ),
    "password by a link": _page(None, "{reset}"),
    "password by a link, refused": _page(
        None, "{reset}", {"password1": "short", "password2": "another"}
    ),
    "password by a link that is void": _page(None, "/sign-in/password/reset/key/1-x/"),
    "invitation": _page(None, "{invitation}"),
    "invitation, refused": _page(None, "{invitation}", _WRONG),
    "invitation of who is signed in": _page("wanda", "{invitation}"),
    "invitation that is too old": _page(None, "{old_invitation}"),
    "invitation that was accepted": _page(None, "{used_invitation}"),
    "invitation that is none": _page(None, "/invitation/none"),
    "new address, to confirm": _page(None, "{new_address}"),
    "new address, void": _page(None, "/address/none"),
    "unsubscribe": _page(None, "{unsubscribe}"),
    "unsubscribe, signed in": _page("mark", "{unsubscribe}"),
    "unsubscribed": _page(None, "{unsubscribed}"),
    "unsubscribe without an alert": _page(None, "{unsubscribe_nothing}"),
    "unsubscribe, void": _page(None, "/unsubscribe/none"),
}

OWN_SIGN_IN = {
    "your address": _page("ines", "{account}address"),
    "your address, refused": _page("ines", "{account}address", {"email": "not one"}),
    "security": _page("ines", "/sign-in/security"),
    "security, address about to change": _page("otto", "/sign-in/security"),
    "security, with a second step": _page("theo", "/sign-in/security"),
    "sessions": _page("wanda", "/sign-in/sessions/"),
    "password": _page("mei", "/sign-in/password/change/"),
    "password, refused": _page(
        "mei",
        "/sign-in/password/change/",
        {"oldpassword": "wrong", "password1": "short", "password2": "another"},
    ),
    "first password": _page("wanda", "/sign-in/password/set/"),
    "is it you": _page("mei", "/sign-in/reauthenticate/"),
    "is it you, refused": _page("mei", "/sign-in/reauthenticate/", {"password": "wrong"}),
    "sign-in address": _page("wanda", "/sign-in/email/"),
    "sign-in address, refused": _page(
        "wanda", "/sign-in/email/", {"email": "not one", "action_add": "1"}
    ),
    "sign-in address, about to change": _page("otto", "/sign-in/email/"),
    "sign-in address, to confirm": _page("otto", "{new_sign_in_address}"),
    "sign-in address, of somebody else": _page("wanda", "{new_sign_in_address}"),
    "sign-in address, void": _page("otto", "/sign-in/confirm-email/none/"),
    "second step, off": _page("wanda", f"{_STEP}/"),
    "second step, on": _page("theo", f"{_STEP}/"),
    "second step, to switch on": _page("wanda", f"{_STEP}/totp/activate/"),
    "second step, refused": _page("wanda", f"{_STEP}/totp/activate/", _WRONG_CODE),
    "second step, to switch off": _page("theo", f"{_STEP}/totp/deactivate/"),
    "recovery codes": _page("theo", f"{_STEP}/recovery-codes/"),
    "new recovery codes": _page("theo", f"{_STEP}/recovery-codes/generate/"),
    "second step, is it you": _page("theo", f"{_STEP}/reauthenticate/"),
}

INTEGRATIONS = {
    "integrations": _page("ines", "{account}"),
    "integrations, found nothing": _page("ines", "{account}?q=nothing-has-this-name"),
    "integrations of a Manager": _page("tomas", "{account}"),
    "integrations of a Reporting user": _page("ruth", "{account}"),
    "integrations that all work": _page("wanda", "{calm}"),
    "integrations, none": _page("wanda", "{blank}"),
    "integrations that nobody hears of": _page("wanda", "{lonely}"),
    "integration that failed": _page("ines", "{failed}"),
    "integration that works": _page("mei", "{active}"),
    "integration that is pending": _page("wanda", "{pending}"),
    "integration that is disabled": _page("wanda", "{disabled}"),
    "integration never reported": _page("wanda", "{never}"),
    "integration of a company switched off": _page("wanda", "{switched_off}"),
    "integration that nobody hears of": _page("wanda", "{broken}"),
    "integration of a Reporting user": _page("ruth", "{failed}"),
    "activate": _page("joost", "{failed}/state?to=active"),
    "disable": _page("ines", "{failed}/state?to=disabled"),
    "activate what is active": _page("wanda", "{works}/state?to=active"),
    "state, forbidden": _page("ruth", "{failed}/state?to=active"),
    "mail": _page("ines", "{email}"),
    "mail before its first attempt": _page("wanda", "{waiting_email}"),
    "mail that was refused": _page("wanda", "{refused_email}"),
    "inbox": _page("operator", "/inbox"),
    "inbox, a mail": _page("operator", "/inbox/1"),
}

_NOBODY = {"recipient": "", "scope": "chosen"}
_NO_COMPANY = {"recipient": "{joost}", "scope": "chosen", "tells_recovery": "on"}
ALERTS = {
    "notifications": _page("ines", "{account}notifications"),
    "notifications without an alert": _page("joost", "{account}notifications"),
    "notifications, paused": _page("pia", "{gallery}notifications"),
    "notifications, unsubscribed": _page("uma", "{gallery}notifications"),
    "notifications, mail came back": _page("otto", "{gallery}notifications"),
    "alerts": _page("ines", "{account}alerts"),
    "alerts of a Manager": _page("tomas", "{account}alerts"),
    "alerts in every state": _page("mark", "{gallery}alerts?new={pia_number}"),
    "alerts, none": _page("wanda", "{calm}alerts"),
    "alerts, found nothing": _page("ines", "{account}alerts?q=nobody-has-this-name"),
    "alerts, forbidden": _page("ruth", "{account}alerts"),
    "create alert": _page("joost", "{account}alerts/new"),
    "create alert as an Administrator": _page("ines", "{account}alerts/new"),
    "create alert for nobody": _page("ines", "{account}alerts/new", _NOBODY),
    "create alert about nothing": _page("tomas", "{account}alerts/new", _NO_COMPANY),
    "create alert, found nothing": _page(
        "ines", "{account}alerts/new", {**_NO_COMPANY, "q": "nothing", "look": "1"}
    ),
    "alert": _page("ines", "{alert}"),
    "alert, own": _page("mark", "{own_alert}"),
    "alert of another Manager": _page("tomas", "{other_alert}"),
    "alert with hidden companies": _page("mark", "{mona_alert}"),
    "alert, paused": _page("mark", "{pia_alert}"),
    "alert, unsubscribed": _page("wanda", "{uma_alert}"),
    "alert, unsubscribed by oneself": _page("uma", "{uma_alert}"),
    "alert, mail came back": _page("wanda", "{otto_alert}"),
    "alert, mail came back to oneself": _page("otto", "{otto_alert}"),
    "alert about nothing": _page("ines", "{alert}", {"scope": "chosen"}),
    "mails": _page("ines", "{account}mails"),
    "mails, forbidden": _page("tomas", "{account}mails"),
    "a sample mail": _page("ines", "{account}mails/one-cause"),
    "a sample mail, text": _page("ines", "{account}mails/several?part=text"),
    "a sample mail, source": _page("wanda", "{gallery}mails/more-than-50?part=source"),
    "a sample mail on a phone in the dark": _page(
        "wanda", "{gallery}mails/more-than-50?width=360&scheme=dark"
    ),
    "delete alert": _page("ines", "{alert}/delete"),
    "delete alert, not possible": _page("mark", "{mona_alert}/delete"),
}

BACK_OFFICE = {
    "back office": _page("operator", "/back-office/"),
    "back office, members": _page("operator", "/back-office/directory/member/"),
    "back office, mailer": _page("operator", "/back-office/mailer/"),
    "mails of no account": _page("operator", "/mails"),
    "a sample mail of no account": _page("operator", "/mails/test"),
    "back office, an email": _page("operator", "/back-office/mail/email/1/change/"),
}

PAGES = {**ARRIVING, **OWN_SIGN_IN, **INTEGRATIONS, **ALERTS, **BACK_OFFICE}


def places(site: Site) -> dict[str, Any]:
    """What the names in the paths stand for on this site."""
    return {
        **site.paths,
        **{name: site.account(name) for name in ("calm", "blank", "lonely", "gallery")},
        "account": site.account(),
        "failed": site.integration("pine-meta-ads"),
        "active": site.integration("harbour-google-ads"),
        "switched_off": site.integration("switched-off"),
        **{n: site.integration(n) for n in ("pending", "disabled", "never", "broken", "works")},
        "email": site.email("ines"),
        "waiting_email": site.email("mona", "queued"),
        "refused_email": site.email("mona", "failed"),
        "alert": site.alert("tomas"),
        "other_alert": site.alert("mei"),
        "own_alert": site.alert("mark"),
        **{f"{name}_alert": site.alert(name) for name in ("mona", "pia", "uma", "otto")},
        "pia_number": site.alert("pia").rpartition("/")[2],
        "joost": site.member("joost"),
    }
