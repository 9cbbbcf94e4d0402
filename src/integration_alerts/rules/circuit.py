"""When a mailer is no use at all for now, and when to look again (SPEC R25, issue 4).

A wrong password or a certificate that is not trusted fails every email alike. The circuit opens:
mails wait, no attempt is counted, and one worker looks from time to time whether it is mended.
"""

from datetime import datetime, timedelta

from integration_alerts.rules.retry import Answer, Phase

FIRST_PROBE = timedelta(seconds=10)
LONGEST_PAUSE = timedelta(minutes=5)
_DOUBLINGS_TO_LONGEST = 5  # 10 s * 2**5 is more than 5 min

# Sign-in asked for, too weak, refused, or only over TLS (RFC 4954 section 6, RFC 3207 section 4):
# servers say so in later phases, too.
_ABOUT_THE_SIGN_IN = frozenset({530, 534, 535, 538})


def opens(answer: Answer) -> bool:
    """Whether this answer to an attempt means that no other email would fare better.

    That is so when signing in or encrypting did not succeed, for whatever reason: neither depends
    on the email. A server that cannot be reached is not meant: it is tried again email by email.
    """
    return answer.phase in (Phase.AUTH, Phase.TLS) or answer.code in _ABOUT_THE_SIGN_IN


def closes(answer: Answer) -> bool:
    """Whether this answer to a look at the server (`Mailer.check`) means that all is well."""
    return answer.code is not None and answer.code // 100 == 2


def closes_after_attempt(answer: Answer) -> bool:
    """Whether this answer to an email that was sent as a probe means that the sign-in is well.

    The server then got as far as to speak about the email, whatever it said.
    """
    return answer.code is not None and not opens(answer)


def next_probe_at(probes: int, now: datetime) -> datetime:
    """When to look again after `probes` looks in vain: after 10 s, doubling up to 5 min."""
    doublings = min(max(probes, 0), _DOUBLINGS_TO_LONGEST)
    pause: timedelta = min(FIRST_PROBE * 2**doublings, LONGEST_PAUSE)
    return now + pause
