"""Published figures for MBG/NBD, NBD and the (M)BG/CNBD-k models, each with its source and date.

BTYDplus: the R package BTYDplus 1.2.0 (2021). lifetimes: the Python package lifetimes 0.11.3 (2020) and its tests,
which quote BTYDplus. "Second implementation": own computation, equal in two independent implementations;
nobody publishes it.
"""

# CDNOW 1/10 sample, calibration to 1997-09-30, in weeks
# Parameters: lifetimes' test after BTYDplus (0.525, 6.183, 0.891, 1.614), the fourth digit, log-likelihood and standard
# errors by a second implementation
SAMPLE_MBG_NBD = {"r": 0.5248, "alpha": 6.1831, "a": 0.8914, "b": 1.6140}
SAMPLE_MBG_NBD_LOG_LIKELIHOOD = -9582.136
SAMPLE_MBG_NBD_STANDARD_ERRORS = {"r": 0.0833, "alpha": 0.6956, "a": 0.1548, "b": 0.5375}

# NBD without T^x / x!, as in BTYDplus (second implementation)
SAMPLE_NBD = {"r": 0.3848, "alpha": 12.0720}
SAMPLE_NBD_LOG_LIKELIHOOD = -9763.658
SAMPLE_NBD_STANDARD_ERRORS = {"r": 0.0210, "alpha": 0.8087}

# Mean of purchases expected in the holdout of 39 weeks by calibration frequency 0..7+ (second implementation)
MBG_NBD_HOLDOUT_BY_FREQUENCY = (0.1852, 0.5514, 1.0490, 1.4929, 2.1043, 2.5636, 3.3608, 5.8485)

# Scores of the 39 weeks' holdout on the sample (second implementation)
MBG_NBD_HOLDOUT_SCORES = {"total": 1577, "total_error": -0.162, "mae": 0.7648, "rmse": 1.607, "correlation": 0.627}
NBD_HOLDOUT_SCORES = {"total": 2930, "total_error": 0.557, "mae": 1.0410, "rmse": 1.860, "correlation": 0.583}

# CDNOW full file, 23,570 customers (second implementation)
FULL_MBG_NBD = {"r": 0.6371, "alpha": 7.3103, "a": 0.8075, "b": 1.2284}
FULL_MBG_NBD_LOG_LIKELIHOOD = -95336.958
FULL_MBG_NBD_HOLDOUT_SCORES = {"total": 15933.6, "mae": 0.7945, "rmse": 1.7396}
FULL_NBD = {"r": 0.3872, "alpha": 12.2712}
FULL_NBD_LOG_LIKELIHOOD = -96845.344

# Self-test of BTYDplus' C++ code: x, log-likelihood at t_x = 12, T = 14, sum of log gaps 3; P(X(10) = 2). The
# log-likelihoods with leaving at the start are of a second implementation.
REGULAR_PARAMETERS = {"k": 3, "r": 0.5, "alpha": 2.0, "a": 0.3, "b": 0.6}
REGULAR_HISTORIES = {"frequency": (3, 4), "recency": 12, "T": 14, "log_intervals": 3}
REGULAR_LOG_LIKELIHOOD = {False: (-10.42500, -12.22396), True: (-10.53937, -12.30963)}  # by leaves_at_start
REGULAR_COUNT_PROBABILITY = {False: 0.05669, True: 0.04548}

# The customers that BTYDplus simulates in its tests and demonstration (2016)
SIMULATED_PARAMETERS = {"k": 3, "r": 0.85, "alpha": 1.45, "a": 0.79, "b": 2.42}
