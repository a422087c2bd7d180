"""Reliability, discriminant validity, drivers and ratings on the mobile phone survey, each with its source."""

# fmt: off
# R package semTools (lavaan 0.6.14), standardised alpha; complaints has one item
ALPHA = {
    "image": 0.72283459543, "expectations": 0.45190255598, "perceived_quality": 0.87701024524,
    "perceived_value": 0.82363197935, "satisfaction": 0.77919502192, "loyalty": 0.4723989629,
}
# R package semTools (lavaan 0.6.14), htmt() of 2015 with absolute correlations
HTMT = {
    ("image", "expectations"): 0.88803042751, ("image", "perceived_quality"): 0.92870638946,
    ("image", "perceived_value"): 0.65165939249, ("image", "satisfaction"): 0.91010092378,
    ("image", "loyalty"): 0.86699659803, ("expectations", "perceived_quality"): 0.8783368742,
    ("expectations", "perceived_value"): 0.58862898232, ("expectations", "satisfaction"): 0.86510819355,
    ("expectations", "loyalty"): 0.7704142605, ("perceived_quality", "perceived_value"): 0.67325198937,
    ("perceived_quality", "satisfaction"): 0.95363601193, ("perceived_quality", "loyalty"): 0.75932018769,
    ("perceived_value", "satisfaction"): 0.74080892776, ("perceived_value", "loyalty"): 0.79731658926,
    ("satisfaction", "loyalty"): 0.95664567459,
}
# R package seminr, its test fixture, a model of four constructs (image, expectations, perceived_value, satisfaction):
# alpha, rho_A, rho_C, AVE
SEMINR_RELIABILITY = {
    "image": (0.722835, 0.745292, 0.818326, 0.477980),
    "satisfaction": (0.779195, 0.784024, 0.871458, 0.693364),
}

# own computation with a second implementation, rounded as here
DRIVERS = ("PERQ2", "PERQ3", "PERQ4", "PERQ5", "PERQ6", "PERQ7", "PERV1", "PERV2")  # of CUSA1
DRIVERS_R_SQUARED = 0.39687
SHARES_OF_EXPLAINED = (0.1524, 0.1181, 0.2085, 0.0905, 0.1222, 0.1606, 0.0487, 0.0991)
CONTRAST_R_SQUARED = 0.43844  # high: 9 and 10, low: 1 to 6
PENALTY = {"PERQ7": (-0.478, -2.32)}  # coefficient, t
REWARD = {"PERQ2": (0.549, 3.17)}
TOP_BOXES_OF_CUSA1 = {2: 0.2680, 3: 0.7040}
NET_PROMOTER_OF_CUSL3 = {
    "promoters": 38.0, "detractors": 24.0, "value": 14.00, "standard_error": 4.90, "low": 4.39, "high": 23.61,
}
GAP_OF_QUALITY = {"mean": 0.364, "standard_deviation": 1.735, "correlation": 0.184}  # PERQ1 less CUEX1, with CUSA2
