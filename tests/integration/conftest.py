"""Fixtures of the tests that need a database but no processes."""

import pytest
from tests.world import World


@pytest.fixture
def world(db: None) -> World:
    """A small account with a clock."""
    return World()
