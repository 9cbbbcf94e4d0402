"""A day-7 wave: 100,000 reminders fall due at once, for 10,000 recipients.

Directory: 100 accounts with 100 companies each, a company has one manager and 10 integrations, all
of which failed a week ago and were told of. GROUP_WAIT and GROUP_INTERVAL are 5 s, so that the
mails of a recipient become one or few. From the commit that makes them due, with a worker that
waits; the sweep that finds them comes within 5 s.
"""

import time

from benchmarks.filling import Layout, fail, fill
from benchmarks.samples import Samples, add
from benchmarks.sites import Bench

_WAVE_SECONDS = 300
_STEPS = 3
_WAIT = 5


def wave(bench: Bench) -> Samples:
    """Seconds until the last mail was accepted: reminders of day 7, 14 and 21, one run each."""
    samples: Samples = {}
    layout = Layout(
        accounts=bench.size(100), companies=100 if bench.scale == 1 else 10, integrations=10,
        group_wait=_WAIT, group_interval=_WAIT,
    )  # fmt: skip
    with bench.mail_server(bench.place) as sink, bench.site(EMAIL_URL=sink.url) as site:
        fill(site.database, layout)
        fail(site.database, "true", 6, silent=True)
        site.start_worker()
        for run in bench.repeat("wave", _WAVE_SECONDS, runs=min(_STEPS, bench.runs)):
            for statement in _AGE:
                site.database.execute(statement, {"days": 7 * (run + 1)})
            mails, cpu = sink.accepted(), site.cpu_seconds()
            began = time.time()
            site.database.execute("UPDATE incident SET next_notice_at = now()")
            # Telling looks at all tables; rarely, to take no processor from what is measured.
            site.wait(site.settled, _WAVE_SECONDS, "all reminders delivered", poll=0.25)
            add(samples, "wave", sink.last_at() - began)
            add(samples, "wave.mails", sink.accepted() - mails)
            add(samples, "wave.cpu", (site.cpu_seconds() - cpu) / layout.all_integrations * 1000)
    return samples


# Time goes on for all of them: the latest failure is so many days old, the others a little more.
_AGE = (
    """
    UPDATE notice SET state_since = notice.state_since - age.missing
    FROM (SELECT max(state_since) - (now() - %(days)s * interval '1 day') AS missing
          FROM incident) AS age
    """,
    """
    UPDATE incident SET state_since = state_since - age.missing
    FROM (SELECT max(state_since) - (now() - %(days)s * interval '1 day') AS missing
          FROM incident) AS age
    """,
    "VACUUM ANALYZE",
)
