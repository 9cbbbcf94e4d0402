"""An account with everything in it that the demo does not show, for `prepare`.

Wanda is its Administrator, and that of three more: one that works, one without integrations, and
one where nobody would be told. Mark is a Manager of one of its two companies.
"""

from datetime import timedelta
from typing import Any

from tests.world import World

from integration_alerts.alerts import subscribing
from integration_alerts.alerts.models import Subscription
from integration_alerts.directory import invitations, suppressions
from integration_alerts.directory.models import Member, User
from integration_alerts.directory.sign_in_addresses import prove
from integration_alerts.rules.retry import Answer, Phase
from integration_alerts.rules.suppression import BounceKind, Fault

GALLERY = "gallery"
BOTH, SHOP = ["shop", "cafe"], ["shop"]
_NAMES = {
    "wanda": "Wanda Kowalska", "mark": "Mark Visser", "mona": "Mona Haddad", "pia": "Pia Lund",
    "uma": "Uma Rao", "otto": "Otto Brandt", "theo": "Theo Martin", "nina": "Nina Costa",
}  # fmt: skip
WITH_SIGN_IN = [name for name in _NAMES if name != "nina"]
# In the order in which they happen.
_STORY = [
    ("shop", "active", "active"), ("shop", "disabled", "disabled"),
    ("cafe", "refused", "failed"), ("cafe", "failed", "failed"), ("shop", "pending", "pending"),
]  # fmt: skip


def directory() -> list[dict[str, Any]]:
    """What the platform would import."""
    return [
        *(_account(name) for name in (GALLERY, "calm", "blank", "lonely")),
        *(_line("company", id=name, name=f"The {name}") for name in BOTH),
        _line("company", id="gone", name="The kiosk", active=False),
        *(_user(name) for name in _NAMES),
        *(
            _line("integration", company=company, id=name, name=f"Feed {name}", provider="feed")
            for company, name in [("shop", "never"), ("gone", "switched-off")]
        ),
        *(
            _line("subscription", user=name, companies=companies)
            for name, companies in [
                ("mona", BOTH),
                ("mark", SHOP),
                ("pia", SHOP),
                ("uma", SHOP),
                ("otto", SHOP),
            ]
        ),
        *(
            line
            for account in ("calm", "blank", "lonely")
            for line in (
                _user("wanda", account=account),
                _line("company", id="one", name="The only one", account=account),
            )
        ),
    ]


def happen(world: World) -> None:
    """Let things fail, be mailed, be refused, and wait."""
    world.directory(*directory())
    for name in WITH_SIGN_IN:
        _sign_up(name)
    world.report("active", "works", account="calm", company="one")
    world.report("failed", "broken", account="lonely", company="one")
    for company, integration, state in _STORY:
        occurred = (world.now - timedelta(hours=30)).isoformat()
        world.report(
            state, integration, account=GALLERY, company=company, occurred_at=occurred,
            name=f"Feed {integration}", reason={"code": "", "message": "It says no."},
        )  # fmt: skip
        if integration == "refused":
            world.mailer.answer = Answer(Phase.RECIPIENT, 550, "5.1.1 no such mailbox here")
            world.work()
            world.mailer.answer = Answer(Phase.ACCEPTANCE, 250, "ok")
    world.plan()  # delivers nothing: these mails wait
    subscribing.pause(_subscription("pia"), world.now)
    subscribing.unsubscribe(_subscription("uma"), world.now)
    otto, gone = member("otto"), Fault.NO_MAILBOX.value
    suppressions.suppress(otto, otto.email, BounceKind.HARD, gone, world.now)


def member(name: str) -> Member:
    """A member of the gallery."""
    return Member.objects.get(account__external_id=GALLERY, external_id=name)


def user(name: str) -> User:
    """The sign-in of one of them."""
    found = member(name).user
    assert found is not None
    return found


def _subscription(name: str) -> Subscription:
    return Subscription.objects.get(member=member(name))


def _sign_up(name: str) -> None:
    made = User(email=f"{name}@gallery.example")
    made.set_unusable_password()
    made.save()
    prove(made, made.email)
    invitations.link(made, [made.email])


def _account(name: str) -> dict[str, Any]:
    return {
        "type": "account", "id": name, "name": f"{name.title()} Group", "time_zone": "UTC",
        "group_wait": 0, "group_interval": 0,
    }  # fmt: skip


def _user(name: str, account: str = GALLERY) -> dict[str, Any]:
    role = "administrator" if name == "wanda" else "manager"
    more = {} if name == "wanda" else {"companies": BOTH if name == "mona" else SHOP}
    email = f"{name}@gallery.example"
    return _line(
        "user", account=account, id=name, email=email, name=_NAMES[name], role=role, **more
    )


def _line(kind: str, account: str = GALLERY, **values: Any) -> dict[str, Any]:
    return {"type": kind, "account": account, **values}
