"""Waiting for the next turn while mails wait for the pace, so that they go in time, not in bursts.

One thread of a worker does; the others are free for other work, and no wake-up per mail is needed.
"""

from datetime import timedelta
from threading import Event

from integration_alerts.mail import pacing
from integration_alerts.mail.courier import Courier

# A little more than from one sweep to the next, which finds what is due later.
_SOON = timedelta(seconds=6)
_SHORTEST, _LONGEST = timedelta(seconds=0.25), timedelta(seconds=0.5)


def await_turn(courier: Courier, called: Event) -> bool:
    """Whether to look for due mails again; waits for a turn that is near, or until `called`.

    No longer than half a second at a time: the turn may come nearer meanwhile.
    """
    if not courier.pace.limited or courier.stopping():
        return False
    if not courier.pace.watch.acquire(blocking=False):
        return False
    try:
        now = courier.clock()
        turn = pacing.next_turn(now)
        if turn is None or turn > now + _SOON:
            return False
        called.wait(min(max(turn - now, _SHORTEST), _LONGEST).total_seconds())
        return True
    finally:
        courier.pace.watch.release()
