"""Members at their browsers."""

from django.test import Client
from tests.world import World

from integration_alerts.directory.models import Member, User


def client_of(world: World, external_id: str, *, account: str = "acme") -> Client:
    """A browser in which this member is signed in."""
    return signed_in(Member.objects.get(account__external_id=account, external_id=external_id))


def signed_in(member: Member) -> Client:
    """A browser in which this member is signed in."""
    if member.user is None:
        member.user, _ = User.objects.get_or_create(email=member.email)
        member.save(update_fields=["user"])
    client = Client()
    client.force_login(member.user)
    return client


def page(client: Client, world: World, path: str = "") -> str:
    """The body of a page of Acme; it must be there."""
    response = client.get(f"/accounts/{world.account().pk}/{path}")
    assert response.status_code == 200, response.status_code
    return response.content.decode()
