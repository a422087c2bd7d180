"""The numerics of lifetime value: purchases, spend, money over time, and scores against a holdout."""
