"""Runs the product: intake, wake-ups, workers, the embedded database, backtests."""
