"""The covariance model (SEM) of a survey beside its PLS model: estimate, gate, exhibits and words."""
