"""Whether one member may be told about one company's integrations now (SPEC R11, R14, R19, R20).

The same answer is used to compose a mail, to check it again right before it is sent, and to show
who would be told. Says nothing about who may *manage* a subscription: that is `permissions`.
"""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """A member's role in an account."""

    ADMINISTRATOR = "administrator"
    MANAGER = "manager"
    REPORTING = "reporting"


class Obstacle(StrEnum):
    """Why a member is not told; the text is what support and the member read."""

    NOT_ACTIVE = "the user is deactivated"
    REPORTING = "reporting users get no integration alerts"
    NOT_VERIFIED = "the e-mail address is not verified"
    NO_ACCESS = "the user has no access to this company"
    NOT_SUBSCRIBED = "the user has no integration alert"
    PAUSED = "the integration alert is paused"
    NOT_COVERED = "the integration alert does not cover this company"
    BOUNCED = "mail to this address came back"


@dataclass(frozen=True, slots=True)
class Candidate:
    """The facts about one member and one company that R11 asks for."""

    role: Role
    active: bool
    email_verified: bool
    assigned: bool
    subscribed: bool
    paused: bool
    covered: bool
    suppressed: bool
    """Mail to the current address is held back (`suppression`)."""


def may_access(role: Role, *, assigned: bool) -> bool:
    """Whether a role may see a company: an Administrator all, others the assigned ones (R11)."""
    return role is Role.ADMINISTRATOR or assigned


def obstacle(candidate: Candidate) -> Obstacle | None:
    """The first reason why this member is not told about this company; None: they are told."""
    checks = (
        (candidate.active, Obstacle.NOT_ACTIVE),
        (candidate.role is not Role.REPORTING, Obstacle.REPORTING),
        (candidate.email_verified, Obstacle.NOT_VERIFIED),
        (may_access(candidate.role, assigned=candidate.assigned), Obstacle.NO_ACCESS),
        (candidate.subscribed, Obstacle.NOT_SUBSCRIBED),
        (not candidate.paused, Obstacle.PAUSED),
        (candidate.covered, Obstacle.NOT_COVERED),
        (not candidate.suppressed, Obstacle.BOUNCED),
    )
    return next((found for fulfilled, found in checks if not fulfilled), None)
