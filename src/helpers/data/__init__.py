"""Tables in: contracts, built-in sources, cleaning with its account, summaries inside the engine."""
