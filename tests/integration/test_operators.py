"""`operator create`: who may sign in to the inbox."""

from tests.installation import Installation


def test_an_operator_is_made_once(installation: Installation) -> None:
    create = ("operator", "create", "op@platform.example", "--password", "a long password")
    assert installation.command(*create).stdout == "op@platform.example can sign in now\n"
    again = installation.command(*create)
    assert (again.returncode, again.stderr) == (
        2, "integration-alerts: EMAIL: op@platform.example can sign in already\n",
    )  # fmt: skip


def test_what_is_no_address_is_refused(installation: Installation) -> None:
    done = installation.command("operator", "create", "nobody", "--password", "a long password")
    assert done.returncode == 2
    assert done.stderr == ("integration-alerts: EMAIL: expected an e-mail address, got 'nobody'\n")
