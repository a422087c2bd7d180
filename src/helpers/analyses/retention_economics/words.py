def headlines(result):
    return ()
