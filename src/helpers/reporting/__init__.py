"""The machinery that runs, renders and publishes a report; it knows no topic.

What is asked for: `commands` and `further_commands` (the command line, with `terminal`), `scheduler` (JupyterLab's
jobs), `workspace`, `plan`, `parameters`, `allowed` and `errors` (what may be asked), `scaffold` (a new report).

A run: `batch` (several, in order), `runner` (one, from its lock to its outcome), `staging` and `lock` (where, and
alone), `execution` and `kernel` (the notebook, in processes of its own), `watchdog` (its limits), `secret` (what it may
not leave), `publication` (into place).

In the notebook: `report` (what it shows and leaves), `theme`, `lettering` (how figures look), `csv_files`.

What is kept and read: `manifest` (what made it), `journal` (each run, and who is told of a failure), `pages`, with
`rendering` (of a notebook), `index`, `history` and `trend`, `runs` (finds them), `changes` and `verification` (beside
another), `crate`.
"""
