"""Published figures for Pareto/NBD, each with its source and date.

BTYD: the R package BTYD 2.4.3 (2021) and its walkthrough. CLVTools: the R package CLVTools 0.12.1, its tests and its
walkthroughs. lifetimes: the Python package lifetimes 0.11.3 (2020) and its tests. FHL: Fader, Hardie and Lee (2005),
Journal of Marketing Research 42(4), 415-430.
"""

# CDNOW 1/10 sample, 2,357 customers of January-March 1997: to four digits by BTYD and CLVTools (FHL: 0.553, 10.578,
# 0.606, 11.669); standard errors: CLVTools' tests, of a Hessian by differences
SAMPLE = {"r": 0.5533, "alpha": 10.5776, "s": 0.6062, "beta": 11.6687}
SAMPLE_LOG_LIKELIHOOD = -9594.976
SAMPLE_STANDARD_ERRORS = {"r": 0.0476264, "alpha": 0.8427222, "s": 0.1872594, "beta": 6.2105448}

# Where BTYD's optimiser stopped: not printed to these digits, but recovered from the walkthrough's conditional
# expectations, P(alive), tracking and holdout tables below, all 20 of which it reproduces as printed. Its
# log-likelihood is 3.6e-6 below the maximum, so figures at the maximum differ from the walkthrough's by up to 1e-3.
BTYD = {"r": 0.55337113, "alpha": 10.5795204, "s": 0.60590728, "beta": 11.65810889}

PURCHASES_OF_A_YEAR = 1.4734  # E[X(52)] (BTYD walkthrough)
CUSTOMER_0001 = {"history": (2, 30.43, 38.86), "horizon": 39, "expected": 1.45511, "alive": 0.86912}  # own computation
CUSTOMER_1516 = {  # BTYD walkthrough
    "history": (26, 30.857142857, 31.0), "horizon": 52, "expected": 25.45647, "alive": 0.997874,
}  # fmt: skip
# t_x = 20, T = 39, horizon 52 by frequency (BTYD walkthrough)
EXPECTED_BY_FREQUENCY = {10: 0.7062289, 15: 0.1442396, 20: 0.02250658, 25: 0.00309267}

# Mean holdout purchases by calibration frequency 0..7+ (BTYD walkthrough)
HOLDOUT_BY_FREQUENCY = (0.138, 0.600, 1.196, 1.714, 2.399, 2.907, 3.819, 6.403)
# Cumulative repeat purchases expected at the end of weeks 20..25 of 1997 (BTYD walkthrough), and of week 78 (own
# computation; actual 4,339)
CUMULATIVE_WEEKS = (20, 21, 22, 23, 24, 25)
CUMULATIVE_EXPECTED = (1308.856, 1385.275, 1459.923, 1532.906, 1604.320, 1674.253)
CUMULATIVE_WEEK_78 = 4275.4

# Holdout scores on the sample (own computation with a second implementation)
HOLDOUT_SCORES = {"total": 1665, "mae": 0.7545, "rmse": 1.603, "correlation": 0.6302, "alive_accuracy": 0.774}

# CDNOW full file: 23,570 customers (own computation with a second implementation)
FULL = {"r": 0.5974, "alpha": 11.5857, "s": 0.5222, "beta": 8.8278}
FULL_LOG_LIKELIHOOD = -95415.119
FULL_STANDARD_ERRORS = {"r": 0.0174, "alpha": 0.2968, "s": 0.0463, "beta": 1.4742}
FULL_HOLDOUT_SCORES = {"total": 17153.2, "mae": 0.7938, "rmse": 1.7262}

# lifetimes' test of a pair of neighbours, t_x = T = 200, horizon 10: (x, expected purchases)
NEIGHBOURS_PARAMETERS = {"r": 0.55, "alpha": 10.58, "s": 0.61, "beta": 11.67}
NEIGHBOURS = {132: 6.2060517889632418, 133: 6.2528722475748113}

# Busy customers for whom P(alive) was once NaN (CLVTools' tests): x, t_x, T
BUSY_PARAMETERS = {"r": 0.5143, "alpha": 2.8845, "s": 0.2856, "beta": 14.1087}
BUSY_CUSTOMERS = (
    (221, 103.42857, 103.57143), (254, 97.14286, 97.28571), (161, 94.71429, 98), (204, 98.57143, 99.42857),
)  # fmt: skip

# Discounted expected residual purchases at 0.0027 a week (own computations): customer 0001, at parameters known to four
# digits, which leaves 5e-4 open; parameters and customer of BTYD's manual page; the same with x = 1..10 at t_x = 30
WEEKLY_RATE = 0.0027
DISCOUNTED_CUSTOMER_0001 = 6.48225
BTYD_MANUAL = {"r": 0.5629966, "alpha": 12.5590370, "s": 0.4081095, "beta": 10.5148048}
BTYD_MANUAL_HISTORY = (7, 35, 77.86)
BTYD_MANUAL_DISCOUNTED = 1.86418
DISCOUNTED_BY_FREQUENCY = (2.1992, 2.8435, 2.8671, 2.4454, 1.8405, 1.2624, 0.8096, 0.4948, 0.2920, 0.1679)

# CLVTools' walkthrough (2020) of its clothing data, T = 52 weeks, 301 weeks ahead, 0.1 a week: (x, t_x) -> P(alive),
# expected purchases, discounted expected residual purchases
CLOTHING = {"r": 0.7051437, "alpha": 14.4026736, "s": 0.1824524, "beta": 2.9016049}
CLOTHING_PREDICTIONS = {
    (1, 8): (0.4715353, 2.934885, 0.11770104),
    (0, 0): (0.4007203, 1.031419, 0.04136415),
}
# At parameters that CLVTools is remembered to print for these data later (not confirmed; both figures fit them to every
# digit), customer (0, 0, 40): rate (0.1 a week and 0.1 a year), discounted
# purchases (the second an own computation), half a digit
LATER_CLOTHING = {"r": 0.7866, "alpha": 5.3349, "s": 0.3570, "beta": 11.6152}
LATER_CLOTHING_DISCOUNTED = ((0.1, 0.0584959, 5e-8), (0.1 / 52, 1.6530, 5e-5))
