"""The covariance model (SEM by maximum likelihood): fit, its indices and errors, effects, invariance and the gate."""
