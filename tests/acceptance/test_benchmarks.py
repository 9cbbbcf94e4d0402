"""The benchmarks measure real processes: tiny runs, with a mail server that is always there."""

import smtplib
import socket
import time
from pathlib import Path

import pytest
from benchmarks import storms
from benchmarks.mail_servers import LateServer, TimingServer
from benchmarks.sites import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, runs=1, scale=0.02, mail_server=TimingServer, durable=False)


@pytest.mark.long
def test_a_storm_is_measured(bench: Bench) -> None:
    samples = storms.storm(bench)
    assert set(samples) == {"storm", "storm.cpu", "storm.one", "storm.one.cpu"}
    assert all(values[0] > 0 for values in samples.values())


def test_the_late_server_answers_late_and_refuses_too_many(tmp_path: Path) -> None:
    with TimingServer(tmp_path) as behind:
        late = LateServer(tmp_path, behind, seconds=0.1, connections=2)
        with late, _client(late.port) as first, _client(late.port) as second:
            assert _seconds_of(first) >= 0.1
            assert _seconds_of(second) < 1
            with socket.create_connection(("127.0.0.1", late.port)) as third:
                assert third.recv(100).startswith(b"421 ")
            first.sendmail("a@mail.example", "b@mail.example", b"Subject: x\r\n\r\nx\r\n")
            assert late.seen() == {"peak": 2, "refused": 1}
        assert behind.accepted() == 1
        assert set(behind.instants()) == {"b@mail.example"}


def _client(port: int) -> smtplib.SMTP:
    return smtplib.SMTP("127.0.0.1", port, local_hostname="bench.example", timeout=10)


def _seconds_of(client: smtplib.SMTP) -> float:
    began = time.monotonic()
    client.noop()
    return time.monotonic() - began
