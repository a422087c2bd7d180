"""Published figures on retention, each with its source and date."""

# Fader & Hardie (2007), "How to Project Customer Retention", J. of Interactive Marketing 21(1), 76-90: percent of a
# cohort that survives each of 12 years (table 1), and the parameters fitted to the first seven
HIGH_END = (100, 86.9, 74.3, 65.3, 59.3, 55.1, 51.7, 49.1, 46.8, 44.5, 42.7, 40.9, 39.4)
REGULAR = (100, 63.1, 46.8, 38.2, 32.6, 28.9, 26.2, 24.1, 22.3, 20.7, 19.4, 18.3, 17.3)
FITTED_YEARS = 7
HIGH_END_PARAMETERS = {"alpha": 0.668, "beta": 3.806}
REGULAR_PARAMETERS = {"alpha": 0.704, "beta": 1.182}

# The log-likelihood of High End per customer at alpha = beta = 1 and its discounted residual lifetime after 7 renewals
# at 10 % a year (Fader & Hardie 2010, Marketing Science 29(1), 85-93), as in a second implementation:
# the test of the Python module shifted_beta_geometric (J. D. Maturen, Apache 2.0), which quotes the papers
HIGH_END_LOG_LIKELIHOOD_AT_ONE = -2.115
HIGH_END_RESIDUAL_AFTER_7 = 7.530

# P. S. Fader, B. G. S. Hardie: "Fitting the sBG Model to Multi-Cohort Data" (note on brucehardie.com), as quoted in the
# test of the same module: customers of four cohorts, each of 10,000, seen for ever fewer years, and the estimates
COHORTS = ((10000, 8000, 6480, 5307, 4391), (10000, 8000, 6480, 5307), (10000, 8000, 6480), (10000, 8000))
COHORT_PARAMETERS = {"alpha": 3.80, "beta": 15.19}

# Retention elasticity of a customer's value lies between 3 and 7 for the firms of Gupta, Lehmann & Stuart (2004, J. of
# Marketing Research 41(1), 7-18, abstract of the working paper of 2003); 1 % better retention, margin and acquisition
# cost add about 5 %, 1 % and 0.1 %
RETENTION_ELASTICITY = (3, 7)
MARGIN_ELASTICITY = 1
