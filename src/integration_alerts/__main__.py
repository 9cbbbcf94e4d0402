"""`python -m integration_alerts` is the same as `integration-alerts`."""

from integration_alerts.cli.main import main

if __name__ == "__main__":
    main()
