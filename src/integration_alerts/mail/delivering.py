"""Delivering what is due: claim, check again, send, record; the order that R10, R12 and R24 need.

Any number of workers may do this at once, each over any number of lanes: threads that take emails
from what the worker has claimed. Speaks to no server itself: `lanes` and a mailer do.
"""

import threading
import time
from collections.abc import Callable, Sequence
from datetime import timedelta

from integration_alerts.mail import circuits, outbox, pacing
from integration_alerts.mail.circuits import Permission
from integration_alerts.mail.courier import Clerks, Courier
from integration_alerts.mail.outbox import Claimed
from integration_alerts.mail.persisting import let_go_of_connection, persist
from integration_alerts.mail.waiting_emails import WaitingEmails

# At most, so that a worker that ends has little in hand. It claims as many as it sends at once, and
# more when it gets through them: a slow server must not hold up mails that others could send.
BATCH = 250
_LEAST_LOOKED_AT, _MOST_LOOKED_AT = 20, 120
_CALL_SECONDS = 0.25
# By so much emails that were not begun go ahead of one that met a refusal of them all: should the
# server mean that one alone, they do not wait for it for ever.
_AHEAD = timedelta(seconds=5)


class Delivery:
    """What the lanes of a worker share: the emails that it has claimed."""

    def __init__(
        self,
        courier: Courier,
        on_more: Callable[[], None],
        on_waiting: Callable[[], None],
        clerks: Clerks | None,
    ) -> None:
        """Have nothing claimed yet.

        Args:
            courier: The worker.
            on_more: Called when a claim was full, so that other workers join in.
            on_waiting: Called when emails may wait for a lane.
            clerks: Who speaks to the database for all lanes; None: each lane does so itself.
        """
        self.courier = courier
        self.probing = False
        """Whether the one email in hand is to show if the mailer takes any."""
        self.claimed = 0
        """How many emails were claimed in all."""
        self._on_more = on_more
        self._on_waiting = on_waiting
        self._clerks = clerks
        self._changed = threading.Condition()
        self._waiting = WaitingEmails()
        self._more_due = True
        self._call_again_at = 0.0
        self._claiming = self._looking = False
        self._size = courier.slots  # of the latest claim
        self._done = 0  # emails taken since then
        self._taken_since_look = courier.slots
        self._fault: Exception | None = None

    def take(self) -> Claimed | None:
        """The next email, which may begin now; None: nothing is due, or may go."""
        while not self.courier.stopping():
            with self._changed:
                work = self._begin_what_is_needed()
                if work is None and self._waiting.fresh:
                    return self._pop()
                if work is None and (self._claiming or self._looking):
                    self._changed.wait()
                    # However late this lane comes to it: what was just looked at may begin.
                    if self._waiting.fresh and not self.courier.stopping():
                        return self._pop()
                    continue
                if work is None:
                    self._raise_fault()
                    return None
            work()
            with self._changed:
                self._raise_fault()
                # However slow the look was: whoever looked goes on with one of what was found.
                if work == self._look_again and self._waiting.fresh:
                    return self._pop()
        return None

    def at_hand(self) -> Claimed | None:
        """The next email, if nobody has to be waited for to know it."""
        if self._clerks is None:
            return None
        with self._changed:
            self._begin_what_is_needed()
            return self._pop() if self._waiting.fresh and not self.courier.stopping() else None

    def wanted(self, email: Claimed) -> Claimed | None:
        """The email as it may begin now, looked at again; None: it may not."""
        courier = self.courier
        found = outbox.check_again([email], courier.worker, courier.clock(), courier.stationery)
        let_go_of_connection()
        if not found:
            courier.in_hand.drop([email.id])
        return found[0] if found else None

    def expect_more(self) -> None:
        """Note that something may have become due."""
        with self._changed:
            self._more_due = True

    def expects_more(self) -> bool:
        """Whether something may be due that nobody has claimed."""
        return self._more_due and not self.courier.stopping()

    def waiting(self) -> int:
        """How many claimed emails wait for a lane."""
        return len(self._waiting)

    def give_back(self, ids: Sequence[int], *, ahead: bool = False) -> None:
        """Return emails that were not begun; `ahead` of others that are due."""
        if not ids:
            return
        courier = self.courier

        def write() -> None:
            when = courier.clock() - _AHEAD if ahead else courier.clock()
            outbox.give_back(ids, courier.worker, when)
            pacing.keep_places(courier.pace, ids, courier.clock())

        persist(write, courier.stopping)
        courier.in_hand.drop(ids)

    def give_back_waiting(self) -> None:
        """Return all that no lane has begun."""
        with self._changed:
            ids = [email.id for email in self._waiting.take_all()]
        self.give_back(ids, ahead=True)

    def _begin_what_is_needed(self) -> Callable[[], None] | None:
        """Have clerks claim and look ahead of the lanes; without them: what the lane must do."""
        if self._fault is not None:  # somebody has to hear of it first
            return None
        self._waiting.forget_old_looks()
        claims = self._more_due and self.waiting() <= self._size // 2 and not self._claiming
        waiting, most = self._waiting, self._look_size() // 2
        # A clerk begins in time, so that emails are at hand while it looks.
        enough = waiting.lasts(most) if self._clerks else waiting.fresh > 0
        looks = waiting.stale > 0 and not enough and not self._looking
        self._claiming |= claims
        if self._clerks is None:
            self._looking |= looks and not claims
            return self._claim if claims else self._look_again if looks else None
        self._looking |= looks
        if claims:
            self._clerks.claiming.submit(self._claim)
        if looks:
            self._clerks.looking.submit(self._look_again)
        return None

    def _raise_fault(self) -> None:
        fault, self._fault = self._fault, None
        if fault is not None:
            raise fault

    def _look_size(self) -> int:
        return min(_MOST_LOOKED_AT, max(_LEAST_LOOKED_AT, 4 * self._taken_since_look))

    def _pop(self) -> Claimed:
        self._done += 1
        self._taken_since_look += 1
        return self._waiting.pop()

    def _claim(self) -> None:
        self._fault = None  # of an earlier time
        try:
            self._claim_what_may_go()
        except Exception as error:
            self._fault = error
            let_go_of_connection()  # a clerk's own may be the one that is broken
        finally:
            with self._changed:
                self._claiming = False
                self._changed.notify_all()
            self._on_waiting()

    def _claim_what_may_go(self) -> None:
        courier = self.courier
        with self._changed:
            self._more_due = False  # unless somebody says so from here on
            self._size = min(BATCH, max(courier.slots, 4 * self._done))
            self._done = 0
        permission = circuits.may_send(
            courier.mailer, courier.clock(), lambda: outbox.count_due(courier.clock(), 1) > 0
        )
        if permission is Permission.WAIT:
            return
        self.probing = permission is Permission.PROBE
        size = 1 if self.probing else self._size
        began = time.monotonic()
        emails = outbox.claim(courier.worker, courier.clock(), size, courier.stationery)
        courier.in_hand.take(email.id for email in emails)
        self.claimed += len(emails)
        try:
            going = emails if self.probing else self._those_whose_turn_it_is(emails)
        except Exception:
            # Claimed, but in nobody's hands: so they are found and given back.
            courier.in_hand.drop(email.id for email in emails)
            raise
        with self._changed:
            self._waiting.add(going, began)
        if len(emails) == size and not self.probing:
            self.expect_more()
            self._call_others()

    def _call_others(self) -> None:
        # A wake-up costs as much as several mails, and one is enough for a worker to stay.
        if time.monotonic() >= self._call_again_at:
            self._call_again_at = time.monotonic() + _CALL_SECONDS
            self._on_more()

    def _those_whose_turn_it_is(self, emails: list[Claimed]) -> list[Claimed]:
        """Without those that the pace holds back; they are given back until their turn."""
        courier = self.courier
        going, waiting = pacing.hold_back(courier.pace, emails, courier.worker, courier.clock())
        courier.in_hand.drop(email.id for email in waiting)
        return going

    def _look_again(self) -> None:
        courier = self.courier
        with self._changed:
            emails = self._waiting.take_stale(self._look_size())
            self._taken_since_look = 0
        wanted: list[Claimed] = []
        unseen: list[Claimed] = emails
        try:
            wanted = outbox.check_again(emails, courier.worker, courier.clock(), courier.stationery)
            gone = {email.id for email in emails} - {email.id for email in wanted}
            courier.in_hand.drop(gone)
            unseen = []
        except Exception as error:
            self._fault = error
            let_go_of_connection()
        finally:
            with self._changed:
                self._waiting.add_just_looked_at(wanted)
                self._waiting.put_back(unseen)
                self._looking = False
                self._changed.notify_all()
            self._on_waiting()
