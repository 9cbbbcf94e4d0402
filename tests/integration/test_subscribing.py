"""Subscriptions: making, changing, ending them, and who may (SPEC R16 to R21)."""

from collections.abc import Callable

import pytest
from tests.world import World

from integration_alerts.alerts import subscribing
from integration_alerts.alerts.models import Subscription
from integration_alerts.alerts.subscribing import AlreadySubscribed, NotAllowed
from integration_alerts.directory.models import Member
from integration_alerts.rules.permissions import ALL_COMPANIES, Denial, Scope

pytestmark = pytest.mark.django_db

IVY = {
    "type": "user", "account": "acme", "id": "ivy", "email": "ivy@acme.example",
    "name": "Ivy", "role": "manager", "companies": ["north", "south"],
}  # fmt: skip


@pytest.fixture
def team(world: World) -> World:
    """Acme with one more manager, Ivy, who shares North with Max and has South too."""
    world.directory(IVY)
    return world


def scope(world: World, *names: str) -> Scope:
    return Scope(frozenset(world.company(name).pk for name in names))


def test_a_member_has_one_subscription(team: World) -> None:
    with pytest.raises(AlreadySubscribed, match="Max already has an integration alert"):
        subscribing.create(team.member("max"), ALL_COMPANIES, team.now)
    assert Subscription.objects.filter(member=team.member("max")).count() == 1


def test_a_manager_gives_another_manager_shared_companies_only(team: World) -> None:
    ivy, manager = team.member("ivy"), team.member("max")
    for wanted, denial in (
        (ALL_COMPANIES, Denial.ALL_COMPANIES),
        (scope(team, "north", "south"), Denial.COMPANY_NOT_SHARED),
    ):
        with pytest.raises(NotAllowed) as caught:
            subscribing.create(ivy, wanted, team.now, actor=manager)
        assert caught.value.denial is denial
    made = subscribing.create(ivy, scope(team, "north"), team.now, actor=manager)
    assert (made.created_by, made.origin) == (manager, "member")


def test_an_edit_by_a_manager_keeps_what_they_cannot_see(team: World) -> None:
    hers = subscribing.create(team.member("ivy"), scope(team, "north", "south"), team.now)
    subscribing.change_scope(hers, scope(team), actor=team.member("max"))
    assert subscribing.scope_of(hers) == scope(team, "south")
    subscribing.change_scope(hers, scope(team, "north"), actor=team.member("max"))
    assert subscribing.scope_of(hers) == scope(team, "north", "south")


def test_a_manager_deletes_only_what_lies_within_their_companies(team: World) -> None:
    hers = subscribing.create(team.member("ivy"), scope(team, "north", "south"), team.now)
    with pytest.raises(NotAllowed) as caught:
        subscribing.delete(hers, actor=team.member("max"))
    assert caught.value.denial is Denial.COVERS_MORE
    subscribing.change_scope(hers, scope(team, "north"))
    subscribing.delete(hers, actor=team.member("max"))
    assert not Subscription.objects.filter(pk=hers.pk).exists()


ACTIONS: dict[str, Callable[[World, Subscription, str], object]] = {
    "scope": lambda world, it, actor: subscribing.change_scope(
        it, scope(world, "north"), actor=world.member(actor)
    ),
    "pause": lambda world, it, actor: subscribing.pause(it, world.now, actor=world.member(actor)),
    "resume": lambda world, it, actor: subscribing.resume(it, actor=world.member(actor)),
    "recovery": lambda world, it, actor: subscribing.set_recovery(
        it, tells_recovery=True, actor=world.member(actor)
    ),
    "delete": lambda world, it, actor: subscribing.delete(it, actor=world.member(actor)),
}


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize(
    ("actor", "denial"),
    [("rita", Denial.REPORTING_ACTOR), ("max", Denial.ADMINISTRATORS_ALERT)],
)
def test_nobody_touches_the_alert_of_someone_above(
    team: World, action: str, actor: str, denial: Denial
) -> None:
    hers = team.subscription("ada")
    with pytest.raises(NotAllowed) as caught:
        ACTIONS[action](team, hers, actor)
    assert caught.value.denial is denial
    hers.refresh_from_db()
    assert (hers.covers_all, hers.paused_at, hers.tells_recovery) == (True, None, False)


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("actor", ["max", "ada"])
def test_oneself_and_an_administrator_may_do_everything(
    team: World, action: str, actor: str
) -> None:
    his = team.subscription("max")
    ACTIONS[action](team, his, actor)
    assert Subscription.objects.filter(pk=his.pk).exists() is (action != "delete")


def test_an_unsubscribe_link_pauses_and_only_the_recipient_resumes(team: World) -> None:
    his = subscribing.unsubscribe(team.subscription("max"), team.now)
    assert (his.paused_at, his.unsubscribed_by_link) == (team.now, True)
    for actor in (team.member("ada"), None):
        with pytest.raises(NotAllowed) as caught:
            subscribing.resume(his, actor=actor)
        assert caught.value.denial is Denial.RECIPIENT_UNSUBSCRIBED
    his = subscribing.resume(his, actor=team.member("max"))
    assert (his.paused_at, his.unsubscribed_by_link) == (None, False)


def test_pausing_again_keeps_the_first_time(team: World) -> None:
    began = team.now
    his = subscribing.pause(team.subscription("max"), team.now)
    team.pass_time(days=1)
    assert subscribing.pause(his, team.now).paused_at == began


def test_reporting_users_get_no_subscription(team: World) -> None:
    with pytest.raises(NotAllowed) as caught:
        subscribing.create(team.member("rita"), ALL_COMPANIES, team.now)
    assert caught.value.denial is Denial.REPORTING_RECIPIENT


@pytest.mark.parametrize(
    ("before", "state", "made"),
    [
        (None, "pending", True),
        (None, "active", True),
        ("disabled", "pending", True),
        ("disabled", "active", True),
        ("failed", "active", True),
        ("pending", "active", True),
        (None, "failed", False),
        (None, "disabled", False),
        ("active", "pending", False),
        ("active", "disabled", False),
        ("failed", "pending", False),
        ("disabled", "failed", False),
    ],
)
def test_activating_an_integration_subscribes_whoever_did_it(
    team: World, before: str | None, state: str, *, made: bool
) -> None:
    if before is not None:
        team.report(before)
    team.report(state, actor="ivy")
    found = Subscription.objects.filter(member=team.member("ivy")).first()
    assert (found is not None) is made
    if found is not None:
        assert (found.origin, found.covers_all, found.created_at) == ("automatic", True, team.now)


def test_activating_leaves_a_subscription_as_it_is_but_makes_a_deleted_one_again(
    team: World,
) -> None:
    hers = subscribing.create(team.member("ivy"), scope(team, "north"), team.now)
    subscribing.pause(hers, team.now)
    team.report("active", "one", actor="ivy")
    kept = team.subscription("ivy")
    assert (kept.pk, kept.covers_all, kept.paused_at) == (hers.pk, False, team.now)
    subscribing.delete(kept)
    team.report("active", "two", actor="ivy")
    assert team.subscription("ivy").origin == "automatic"


@pytest.mark.parametrize("actor", ["rita", "somebody-else"])
def test_activating_subscribes_neither_reporting_users_nor_strangers(
    team: World, actor: str
) -> None:
    before = Subscription.objects.count()
    assert team.report("active", actor=actor) == "applied"
    assert Subscription.objects.count() == before


def test_a_deactivated_user_is_not_subscribed(team: World) -> None:
    team.directory({**IVY, "active": False})
    team.report("active", actor="ivy")
    assert not Subscription.objects.filter(member=team.member("ivy")).exists()


def test_another_account_has_no_such_subscription(team: World) -> None:
    team.directory(
        {"type": "account", "id": "other", "name": "Other"},
        {
            "type": "user", "account": "other", "id": "eve", "email": "eve@other.example",
            "name": "Eve", "role": "administrator",
        },
    )  # fmt: skip
    eve = Member.objects.get(external_id="eve")
    for act in (
        lambda: subscribing.delete(team.subscription("max"), actor=eve),
        lambda: subscribing.pause(team.subscription("max"), team.now, actor=eve),
        lambda: subscribing.create(team.member("ivy"), ALL_COMPANIES, team.now, actor=eve),
    ):
        with pytest.raises(NotAllowed) as caught:
            act()
        assert caught.value.denial is Denial.UNKNOWN
