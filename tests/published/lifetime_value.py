"""Published figures for BG/NBD and Gamma-Gamma, each with its source and date.

FHL: Fader, Hardie and Lee (2005), Marketing Science 24(2), 275-284. BTYD: the R package BTYD 2.4.3 (2021) and
its walkthrough.
CLVTools: the R package CLVTools 0.12.1. lifetimes: the Python package lifetimes 0.11.3 (2020) and its tests.
Note 025: Fader and Hardie (2013), "The Gamma-Gamma Model of Monetary Value", brucehardie.com/notes/025.
"""

# CDNOW 1/10 sample: 2,357 customers of January-March 1997 (FHL section 5)
CALIBRATION_END = "1997-09-30"
OBSERVATION_END = "1998-06-30"
SAMPLE_CUSTOMERS = 2357
SAMPLE_REPEAT_PURCHASES = 2457
SAMPLE_HOLDOUT_PURCHASES = 1882

# FHL table 2 (2005), to four digits by BTYD and CLVTools; standard errors: lifetimes' summary (2020)
SAMPLE_BG_NBD = {"r": 0.2426, "alpha": 4.4136, "a": 0.7930, "b": 2.4259}
SAMPLE_BG_NBD_LOG_LIKELIHOOD = -9582.429
SAMPLE_BG_NBD_STANDARD_ERRORS = {"r": 0.01256, "alpha": 0.37822, "a": 0.18572, "b": 0.70534}

# Where BTYD's optimiser stopped: not printed to these digits, but recovered from the walkthrough's conditional
# expectations, P(alive) and holdout table below, all 14 of which it reproduces as printed. Its log-likelihood is 1.3e-7
# below the maximum at a = 0.79292, b = 2.42591, so figures at the maximum differ from the walkthrough's by up to 1e-4.
BTYD_BG_NBD = {"r": 0.24259856, "alpha": 4.41366, "a": 0.79298655, "b": 2.42616511}

# The paper's rounded parameters (FHL 2005), with which its figures below were made
PAPER_BG_NBD = {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}

# alpha in other units of time: days, months of 30.4375 days (own computation; no published figure)
ALPHA_BY_UNIT = {"D": 30.895, "W": 4.4136, "M": 1.0150}

# E[X(t)] by t in weeks (Hardie's spreadsheet for FHL, brucehardie.com/notes/004, 2004). Its last figure, 1.8576, comes
# from estimates rounded on the way; at the maximum it is 1.8580.
NEW_CUSTOMER_PURCHASES = {
    0.142857143: 0.0078, 1.0: 0.0532, 3.0: 0.1506, 31.8571429: 1.0405, 32.0: 1.0437, 78.0: 1.8580,
}  # fmt: skip

# Frequency, recency, T, horizon in weeks -> expected purchases, P(alive)
CUSTOMER_0001 = {
    "history": (2, 30.43, 38.86),
    "horizon": 39,
    "expected": 1.2260,
    "alive": 0.72661,
}  # notes/004
CUSTOMER_1516 = {  # BTYD walkthrough
    "history": (26, 30.857142857, 31.0), "horizon": 52, "expected": 25.75659, "alive": 0.968852,
}  # fmt: skip
# t_x = 20, T = 39, horizon 52 by frequency (BTYD walkthrough)
EXPECTED_BY_FREQUENCY = {10: 0.3474606, 15: 0.04283391, 20: 0.004158973, 25: 0.0003583685}

# P(X(t) = count) with the paper's parameters: BTYD, as quoted in lifetimes' tests (2020)
COUNT_PROBABILITIES = {(0, 39): 0.5737864, (10, 2): 1.07869e-07}
COUNT_PROBABILITIES_30_WEEKS = {
    11: 0.0019995214, 12: 0.0015170236, 13: 0.0011633150, 14: 0.0009003148, 15: 0.0007023638,
    16: 0.0005517902, 17: 0.0004361913, 18: 0.0003467171, 19: 0.0002769613, 20: 0.0002222260,
}  # fmt: skip

# r, alpha, a, b, T = 40: log-likelihood by (x, t_x) (pymc-marketing's test after Hardie's note 027, 2023)
STABILITY_PARAMETERS = {"r": 0.25, "alpha": 4.0, "a": 0.8, "b": 2.5}
STABILITY_LOG_LIKELIHOOD = {(0, 0): -0.59947382, (200, 38): 100.7957}

# Mean holdout purchases by calibration frequency 0..7+ (BTYD walkthrough)
HOLDOUT_BY_FREQUENCY = (0.2251, 0.5231, 1.0441, 1.5203, 2.1638, 2.6538, 3.5040, 6.1570)
HOLDOUT_ACTUAL_BY_FREQUENCY = (0.2367, 0.6970, 1.3925, 1.5600, 2.5323, 2.9474, 3.8621, 6.3594)
CUSTOMERS_BY_FREQUENCY = (1411, 439, 214, 100, 62, 38, 29, 64)
# Customers expected at frequency 0..7+ in the calibration period (own computation; chi-square as in FHL 2005)
EXPECTED_CUSTOMERS_BY_FREQUENCY = (1407.7, 460.3, 192.5, 101.2, 59.8, 38.1, 25.5, 71.9)
FREQUENCY_CHI_SQUARE = 4.82

# Cumulative repeat purchases expected at the end of weeks 20..25 of 1997 (BTYD walkthrough)
CUMULATIVE_WEEKS = (20, 21, 22, 23, 24, 25)
CUMULATIVE_EXPECTED = (1312.458, 1387.346, 1460.392, 1531.713, 1601.418, 1669.600)

# Gamma-Gamma of the 946 repeat customers (note 025, 2013)
SAMPLE_REPEAT_CUSTOMERS = 946
SAMPLE_GAMMA_GAMMA = {"p": 6.2495, "q": 3.7442, "v": 15.4439}
SAMPLE_GAMMA_GAMMA_LOG_LIKELIHOOD = -4055.9177
SAMPLE_GAMMA_GAMMA_STANDARD_ERRORS = {"p": 1.190, "q": 0.290, "v": 4.160}  # own computation
FIRST_TEN_EXPECTED_SPEND = (24.65, 18.91, 35.17, 35.17, 35.17, 71.46, 18.91, 35.17, 27.28, 35.17)  # lifetimes
POPULATION_MEAN_SPEND = 35.17
SPEND_CORRELATION = 0.114

# Holdout scores of BG/NBD on the sample (own computation; correlation 0.626 as in FHL 2005)
HOLDOUT_SCORES = {"total": 1653, "mae": 0.7855, "rmse": 1.608, "correlation": 0.626}

# CDNOW full file: 23,570 customers (own computation with a second implementation)
FULL_CUSTOMERS = 23570
FULL_BG_NBD = {"r": 0.2516, "alpha": 4.7889, "a": 0.7234, "b": 2.1611}
FULL_BG_NBD_LOG_LIKELIHOOD = -95368.444
FULL_BG_NBD_STANDARD_ERRORS = {"r": 0.0042, "alpha": 0.1313, "a": 0.0539, "b": 0.1986}
FULL_GAMMA_GAMMA = {"p": 6.2754, "q": 3.6244, "v": 14.9834}
FULL_GAMMA_GAMMA_LOG_LIKELIHOOD = -40763.476
FULL_REPEAT_CUSTOMERS = 9450
FULL_SPEND_CORRELATION = 0.080
FULL_HOLDOUT_SCORES = {"total": 16873.7, "total_error": -0.143, "mae": 0.8187, "rmse": 1.7329}
