"""Accounts, companies, members and API keys. Knows nothing of integrations or mail."""
