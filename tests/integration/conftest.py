"""Fixtures of the tests that need a database but no processes."""

from collections.abc import Iterator

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.core.cache import cache
from tests import pages
from tests.world import World


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """The hasher of the product with the least work: at full cost it is most of a sign-in."""
    with pytest.MonkeyPatch.context() as patch:
        for cost, least in {"time_cost": 1, "memory_cost": 8, "parallelism": 1}.items():
            patch.setattr(Argon2PasswordHasher, cost, least)
        yield


@pytest.fixture
def world(db: None) -> World:
    """A small account with a clock."""
    return World()


@pytest.fixture(autouse=True)
def no_tries_of_other_tests() -> None:
    """The limits of tries begin anew."""
    cache.clear()


@pytest.fixture
def acme(db: None) -> World:
    """Everybody the permission table speaks of, and a foreign account."""
    return World(pages.DIRECTORY)
