"""Fixtures of the tests that need a database but no processes."""

import pytest
from django.core.cache import cache
from tests import pages
from tests.world import World


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
