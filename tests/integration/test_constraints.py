"""What must never be in the database, the database itself refuses."""

from collections.abc import Callable

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, models, transaction
from tests.world import World

from integration_alerts.alerts.models import CoveredCompany, Notice, Subscription
from integration_alerts.directory.models import Account, Assignment, Company, Member
from integration_alerts.directory.tenancy import SameAccount
from integration_alerts.integrations.models import Incident, Integration, StateChange
from integration_alerts.mail.models import DeliveryAttempt, Email, EmailNotice

pytestmark = pytest.mark.django_db

OF_AN_ACCOUNT: list[type[models.Model]] = [
    Assignment, Integration, StateChange, Incident, Subscription, CoveredCompany, Notice, Email,
    EmailNotice, DeliveryAttempt,
]  # fmt: skip


@pytest.fixture
def told(world: World) -> World:
    """A failure that was told, so that every table has a row; and another account."""
    world.directory(
        {"type": "subscription", "account": "acme", "user": "max", "companies": ["north"]},
        {"type": "account", "id": "other", "name": "Other"},
    )
    world.report("failed")
    world.work()
    return world


@pytest.mark.parametrize("model", OF_AN_ACCOUNT, ids=lambda model: model.__name__)
def test_no_row_crosses_into_another_account(told: World, model: type[models.Model]) -> None:
    row = model._default_manager.order_by("pk").first()
    assert row is not None
    other = Account.objects.get(external_id="other")

    def cross() -> None:
        model._default_manager.filter(pk=row.pk).update(account=other)
        connection.check_constraints()

    with pytest.raises(IntegrityError, match="same_account"), transaction.atomic():
        cross()


@pytest.mark.parametrize("model", OF_AN_ACCOUNT, ids=lambda model: model.__name__)
def test_every_key_to_a_row_of_an_account_includes_the_account(model: type[models.Model]) -> None:
    held = {item.field for item in model._meta.constraints if isinstance(item, SameAccount)}
    keys = {
        field.name
        for field in model._meta.get_fields()
        if isinstance(field, models.ForeignKey) and field.related_model is not Account
    }
    assert held == keys


def twice(row: models.Model) -> None:
    row.pk = None
    row.save(force_insert=True)


BREAKING: dict[str, tuple[Callable[[], object], str]] = {
    "two subscriptions of one member": (
        lambda: twice(Subscription.objects.all()[0]), "subscription_one_per_member",
    ),
    "a notice twice": (lambda: twice(Notice.objects.get()), "notice_once"),
    "two open incidents": (lambda: twice(Incident.objects.get()), "incident_one_open"),
    "a member told twice": (
        lambda: twice(EmailNotice.objects.all()[0]), "email_notice_once",
    ),
    "an unknown state": (
        lambda: Integration.objects.update(state="broken"), "integration_state_known",
    ),
    "a healthy incident": (
        lambda: Incident.objects.update(state="active"), "incident_state_unhealthy",
    ),
    "an unknown role": (lambda: Member.objects.update(role="owner"), "member_role_known"),
    "an unknown step": (lambda: Notice.objects.update(step="never"), "notice_step_known"),
    "an unknown notice status": (
        lambda: Notice.objects.update(status="lost"), "notice_status_known",
    ),
    "an unknown email status": (lambda: Email.objects.update(status="lost"), "email_"),
    "a claim without a worker": (
        lambda: Email.objects.update(status="sending"), "email_claimed_while_sending",
    ),
    "a queued email that is never due": (
        lambda: Email.objects.update(status="queued"), "email_next_attempt_while_queued",
    ),
    "unsubscribed but not paused": (
        lambda: Subscription.objects.update(unsubscribed_by_link=True),
        "subscription_unsubscribed_is_paused",
    ),
    "a company twice": (lambda: twice(Company.objects.all()[0]), "company_external_id"),
}  # fmt: skip


@pytest.mark.parametrize("name", BREAKING)
def test_the_database_refuses(told: World, name: str) -> None:
    break_it, constraint = BREAKING[name]
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        break_it()


def test_the_constraints_can_be_taken_back_and_made_again() -> None:
    constraint = next(item for item in Incident._meta.constraints if isinstance(item, SameAccount))
    with connection.schema_editor() as editor:
        editor.remove_constraint(Incident, constraint)
        editor.add_constraint(Incident, constraint)
    again = SameAccount(field=constraint.field, name=constraint.name)
    assert (constraint, hash(constraint)) == (again, hash(again))
    assert constraint != object()


def test_the_migrations_make_what_the_models_say() -> None:
    call_command("makemigrations", check_changes=True, dry_run=True, verbosity=0)
    call_command("check")
