"""The customer-value workspace: models, data, analyses and the report machinery."""

import os

# BLAS threads that fight for the cores make the fits several times slower. NumPy reads this as it is imported; whoever
# has imported it before, or set another number, has settled it.
for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
