"""Who can be tried in the demo with one click. They have no password."""

from dataclasses import dataclass

from integration_alerts.directory import invitations
from integration_alerts.directory.models import Member, User
from integration_alerts.directory.sign_in_addresses import prove

ACCOUNT = "lantern"
_OPERATOR = "operator"
_OPERATOR_ADDRESS = "operator@demo.example"


@dataclass(frozen=True, slots=True)
class Person:
    """One of the people of the demo; `id` is what the form posts."""

    id: str
    label: str


def make_users() -> None:
    """Give everybody in the demo account a user, once, and the installation an operator."""
    for member in Member.objects.filter(account__external_id=ACCOUNT, user=None, active=True):
        user = _user(member.email)
        prove(user, member.email)
        invitations.link(user, [member.email])
    operator = _user(_OPERATOR_ADDRESS)
    User.objects.filter(pk=operator.pk).update(is_staff=True, is_superuser=True)
    for user in User.objects.filter(members__account__external_id=ACCOUNT).distinct():
        invitations.link(user, [user.email])  # accounts that a later version of the demo added


def people() -> list[Person]:
    """Everybody who can be tried, administrators first, and the operator."""
    tried = [Person(m.external_id, f"{m.name}, {m.role.title()}") for m in _members()]
    return [*tried, Person(_OPERATOR, "Operator: inbox and back office")] if tried else []


def find_user(person: str) -> User | None:
    """The user of one of the people."""
    if person == _OPERATOR:
        found: User | None = User.objects.filter(email=_OPERATOR_ADDRESS, is_active=True).first()
        return found
    member = next((m for m in _members() if m.external_id == person), None)
    return None if member is None else member.user


def _members() -> list[Member]:
    rows = Member.objects.filter(
        account__external_id=ACCOUNT, active=True, user__is_active=True, user__is_staff=False
    )
    return list(rows.select_related("user").order_by("role", "id"))


def _user(address: str) -> User:
    user: User | None = User.objects.filter(email=address.lower()).first()
    if user is None:
        user = User(email=address.lower())
        user.set_unusable_password()
        user.save()
    return user
