"""The four classes of customers by lifetime and by referral value.

Affluents buy much and bring few, champions do both, advocates bring many and buy little, misers do neither (Kumar,
Petersen and Leone 2007). Nothing is published on where high begins; `helpers.models.quadrants` has the rules.
"""

from helpers.models import quadrants

CLASSES = ("affluents", "champions", "advocates", "misers")
HIGH = dict(zip(CLASSES, quadrants.HIGH, strict=True))  # lifetime value, referral value
