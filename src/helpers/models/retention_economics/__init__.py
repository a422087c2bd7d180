"""What keeping customers is worth and costs: the numerics of the retention report."""
