"""Referral value in numbers: who is credited with whom, what referrals are worth, four classes, claims, a campaign."""
