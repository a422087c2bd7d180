def claims(result):
    return ()
