"""Published figures for the cumulative incidence of competing risks, with their source and date.

J. M. Satagopan, L. Ben-Porat, M. Berwick, M. Robson, D. Kutler, A. D. Auerbach: "A note on competing risks in survival
data analysis" (2004), British Journal of Cancer 91, 1229-1235, table 2: 305 breast cancer patients, of whom the nine
with the shortest follow-up are listed; percentages are printed with one digit.
"""

PATIENTS = 305
MONTHS = (7, 10, 14, 16, 18, 23, 24, 26, 27)
STATUS = ("alive", "cancer", "alive", "cancer", "other", "cancer", "alive", "other", "cancer")

# month: percentage
OVERALL_SURVIVAL = {10: 99.7, 16: 99.3, 18: 99.0, 23: 98.7, 26: 98.3, 27: 98.0}
CANCER_INCIDENCE = {10: 0.3, 16: 0.6, 23: 0.9, 27: 1.2}
