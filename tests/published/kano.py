"""Kano counts and what others computed from them, each with its source; counts are in the order A, O, M, I, R, Q."""

# fmt: off
# Six requirements of data transfers, 358 respondents: how often each pair of answers was given, by functional, then
# dysfunctional answer (like, must-be, neutral, live with, dislike). Counted from the answers published with REPPL,
# Doing-research-online-the-kano-model.
TRANSFER_PAIRS = {
    "anonymous": [[13, 21, 32, 38, 19], [11, 10, 20, 9, 3], [9, 31, 70, 10, 4], [10, 11, 9, 7, 2], [10, 7, 1, 1, 0]],
    "convenient": [[12, 10, 13, 47, 121], [3, 6, 9, 32, 57], [2, 5, 19, 7, 2], [2, 3, 2, 4, 0], [0, 1, 1, 0, 0]],
    "reliable": [[14, 15, 24, 39, 122], [1, 7, 10, 23, 63], [1, 4, 15, 3, 1], [2, 4, 3, 2, 2], [0, 2, 1, 0, 0]],
    "responsive": [[11, 12, 27, 106, 76], [3, 6, 13, 28, 20], [4, 5, 19, 3, 4], [1, 4, 6, 1, 1], [0, 1, 1, 2, 4]],
    "secure": [[12, 8, 5, 5, 174], [3, 8, 4, 5, 79], [2, 9, 19, 1, 10], [1, 1, 3, 2, 1], [0, 0, 1, 0, 5]],
    "transparent": [[16, 5, 21, 62, 90], [8, 7, 19, 29, 27], [1, 4, 32, 14, 5], [0, 3, 4, 2, 0], [2, 1, 2, 1, 3]],
}
# As printed there: counts by the revised table, Better, Worse, class (of the mode; "transparent" by Blauth's rule)
TRANSFERS = {
    "anonymous": ((91, 19, 9, 160, 49, 30), 0.3942652, -0.1003584, "I"),
    "convenient": ((70, 121, 59, 77, 9, 22), 0.5840979, -0.5504587, "O"),
    "reliable": ((78, 122, 66, 62, 7, 23), 0.6097561, -0.5731707, "O"),
    "responsive": ((145, 76, 25, 78, 12, 22), 0.6820988, -0.3117284, "A"),
    "secure": ((18, 174, 90, 42, 7, 27), 0.5925926, -0.8148148, "O"),
    "transparent": ((88, 90, 32, 105, 15, 28), 0.5650794, -0.3873016, "O"),
}
# The same answers by the standard table, own computation with a second program
TRANSFERS_STANDARD = {
    "anonymous": ((91, 19, 9, 177, 49, 13), 0.371622, -0.094595),
    "convenient": ((70, 121, 59, 87, 9, 12), 0.566766, -0.534125),
    "reliable": ((78, 122, 66, 71, 7, 14), 0.593472, -0.557864),
    "responsive": ((145, 76, 25, 85, 12, 15), 0.667674, -0.305136),
    "secure": ((18, 174, 90, 52, 7, 17), 0.574850, -0.790419),
    "transparent": ((88, 90, 32, 114, 15, 19), 0.549383, -0.376543),
}
# Second program: Wilson's intervals of "convenient" by the standard table, of Better and of |Worse|
CONVENIENT_BETTER, CONVENIENT_WORSE = (0.5134, 0.6186), (0.4808, 0.5867)
# Second program, respondents resampled, standard table: how often each class is the most frequent
TRANSPARENT_WINS = {"I": 0.92, "O": 0.045, "A": 0.03}
CONVENIENT_WINS = {"O": 0.995}
# Second program: functional mean and standard error, dysfunctional mean and standard error (DuMouchel)
TRANSFER_SCORES = {
    "anonymous": (1.4553, 0.1097, 0.1564, 0.0881),
    "convenient": (2.8240, 0.0811, 2.3380, 0.1041),
    "reliable": (2.9190, 0.0798, 2.2849, 0.1087),
    "responsive": (2.9022, 0.0894, 1.7709, 0.0978),
    "secure": (2.7765, 0.0854, 2.9050, 0.1059),
    "transparent": (2.5950, 0.0927, 1.7933, 0.1050),
}
# Second program: length, angle in degrees (None: not given), class of analytical Kano with equal importance
TRANSFER_VECTORS = {
    "anonymous": (0.366, None, "I"),
    "convenient": (0.917, 50.4, "O"),
    "reliable": (0.927, 52.0, "O"),
    "responsive": (0.850, 58.6, "O"),
    "secure": (1.005, 43.7, "O"),
    "transparent": (0.789, 55.4, "O"),
}
# Second program, standard table, drawn with replacement, ties broken by M > O > A > I: share of samples with the same
# most frequent class as all 358, by sample size; mean of the six, and of "transparent", which is the hardest
TRANSFER_SAMPLE_SIZES = {12: 0.62, 20: 0.71, 30: 0.77, 50: 0.84, 100: 0.92, 200: 0.96}
TRANSPARENT_SAMPLE_SIZES = {12: 0.37, 20: 0.48, 30: 0.52, 50: 0.57, 100: 0.71, 200: 0.83}

# REPPL's storage survey: the same requirement asked in four wordings of four independent groups, standard table; with
# Pearson's test, R and Q taken together, by a second program: chi squared, p (12 degrees of freedom)
WORDINGS = {
    "anonymous": (
        [(13, 6, 5, 48, 15, 4), (15, 0, 1, 59, 16, 6), (14, 1, 2, 57, 12, 3), (17, 2, 2, 50, 12, 3)], 16.02, 0.19,
    ),
    "convenient": (
        [(8, 36, 19, 23, 4, 1), (34, 21, 11, 27, 2, 2), (25, 18, 7, 28, 6, 5), (11, 35, 15, 20, 2, 3)], 44.07, 1.5e-5,
    ),
    "transparent": (
        [(16, 30, 7, 27, 7, 4), (31, 11, 11, 35, 5, 4), (16, 15, 5, 44, 6, 3), (19, 18, 17, 22, 4, 6)], 35.02, 4.7e-4,
    ),
}
CONVENIENT_BY_WORDING = ("O", "A", "I", "O")

# Sauerwein, Bailom, Matzler and Hinterhuber (1996), skis: per cent A, O, M, I; class, Better, Worse to two decimals.
# Of "service" the paper prints 0.89 where its own per cents give 0.8822.
SKIS = {
    "edge grip": ((7.0, 32.3, 49.3, 9.5), "M", 0.40, -0.83),
    "ease of turn": ((10.4, 45.1, 30.5, 11.5), "O", 0.57, -0.78),
    "service": ((63.8, 21.6, 2.9, 8.5), "A", 0.8822, -0.25),
}
# Brand and Rese (2026, J. Retailing and Consumer Services 89, 104596), table 1, n = 607; the class by Blauth's rule
SHOPS = {
    "bonus program": ((216, 56, 13, 275, 23, 24), "I", 0.486, -0.123),
    "smart mirror": ((229, 42, 5, 276, 33, 22), "I", 0.491, -0.085),
    "free wifi": ((187, 71, 46, 258, 19, 26), "A", 0.459, -0.208),
}
# R package stp25kano, its README; answers simulated by its author: total strength, category strength, Better, Worse,
# Fong's difference and limit, significant, class by M > O > A > I within 6 per cent
SIMULATED_SERVICES = {
    "service app": ((45, 123, 95, 33, 0, 0), 0.8885, 0.0946, 0.568, -0.736, 28, 19.4, True, "O"),
    "excellent service": ((54, 54, 101, 81, 3, 3), 0.7061, 0.0676, 0.372, -0.534, 20, 18.5, True, "M"),
    "hotline": ((121, 24, 15, 124, 6, 6), 0.5405, 0.0101, 0.511, -0.137, 3, 19.8, False, "A"),
    "loan machine": ((93, 87, 65, 51, 0, 0), 0.8277, 0.0203, 0.608, -0.514, 6, 18.5, False, "O"),
    "return": ((83, 18, 9, 177, 6, 3), 0.3716, 0.3176, 0.352, -0.094, 94, 19.9, True, "I"),
}
# R package contingencytables, its tests: Cavo et al. (2012), 161 patients before and after a treatment, 6 of whom
# responded only before and 16 only after; Tango's score interval of the difference
TANGO = (6, 16, 161, -0.0621, -0.1240, -0.0054)

# Exact binomial p of the first two, by a second program
SIMULATED_BINOMIAL = {"service app": 0.067, "excellent service": 0.159}

# Second program: share of true ties that Fong's test calls different at its nominal 10 %, by the share of each class
FONG_FALSE_ALARMS = {0.2: 0.14, 0.3: 0.17, 0.4: 0.21, 0.45: 0.22}
FONG_FALSE_ALARMS_WITHOUT_OTHERS = (0.22, 0.27)  # where the two classes are all there is; depends on the sample size
