"""The machinery that runs, renders and publishes a report; it knows no topic."""
