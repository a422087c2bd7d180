"""What the command says when it cannot go on."""


class WrongUsage(Exception):
    """The command, the plan or a parameter is wrong: nothing was run (exit code 2)."""
