"""The people and companies of one account that the tests of the permission rules speak of."""

from integration_alerts.rules.eligibility import Role
from integration_alerts.rules.permissions import Person, Scope

ADMINISTRATOR, MANAGER, REPORTING = Role

# The companies of one account, named after what ACTOR and COLLEAGUE have to do with them.
MINE, SHARED, SHARED_TOO, HIDDEN, ELSEWHERE = range(1, 6)

ADMIN = Person(1, ADMINISTRATOR)
OTHER_ADMIN = Person(2, ADMINISTRATOR)
ACTOR = Person(3, MANAGER, {MINE, SHARED, SHARED_TOO})
COLLEAGUE = Person(4, MANAGER, {SHARED, SHARED_TOO, HIDDEN})
JUNIOR = Person(5, MANAGER, {SHARED, SHARED_TOO})  # assigned to nothing that ACTOR is not
PEER = Person(10, MANAGER, ACTOR.companies)  # assigned to exactly what ACTOR is
STRANGER = Person(6, MANAGER, {ELSEWHERE})
UNASSIGNED = Person(7, MANAGER)
REPORTER = Person(8, REPORTING, {MINE, SHARED})
DEMOTED = Person(9, REPORTING, {SHARED, HIDDEN})
PLATFORM = None


def only(*companies: int) -> Scope:
    return Scope(frozenset(companies))
