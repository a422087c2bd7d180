"""Every figure of the report on retention economics, from the frames of its tables."""


def gallery(result, tables):
    return []
