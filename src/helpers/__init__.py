"""The customer-value workspace: models, data, analyses and the report machinery."""
