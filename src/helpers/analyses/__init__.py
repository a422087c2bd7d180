"""What each notebook answers: checked tables and parameters in, one result object out."""
