"""What classes, tiers, stages and causes are called, in the sources' words and in English.

Here gold is high in both values and platinum high in current value alone, as in the Chinese textbooks that the sources
follow. In the customer pyramid of Zeithaml, Rust and Lemon (2001, California Management Review 43(4), 118-142) platinum
is on top: the names clash, so the source stands beside the labels.
"""

CLASSES = ("platinum", "gold", "iron", "lead")  # in the order of helpers.models.quadrants.HIGH: current, then future
CLASS_NAMES = {"platinum": "platinum", "gold": "gold", "iron": "iron", "lead": "lead", "ended": "left"}
CLASS_CHINESE = {"platinum": "白金客户", "gold": "黄金客户", "iron": "铁质客户", "lead": "铅质客户", "ended": "已流失"}
CLASS_MEANING = {
    "gold": "high current, high future value",
    "platinum": "high current, low future value",
    "iron": "low current, high future value",
    "lead": "low current, low future value",
}
SHOWN = ("gold", "platinum", "iron", "lead")  # from the most valuable, in the sources' order
TIER_NAMES = {
    "most_valuable": "most valuable",
    "second_tier": "second tier: more to come",
    "other": "other",
    "below_zero": "below zero",
}
TIER_CHINESE = {
    "most_valuable": "最有价值客户 MVC",
    "second_tier": "二级客户 STC",
    "other": "其他客户",
    "below_zero": "负值客户 BZ",
}
STAGE_NAMES = {
    "exploration": "exploration",
    "formation": "formation",
    "stable": "stable",
    "decline": "decline",
    "ended": "ended",
}
STAGE_CHINESE = {
    "exploration": "考察期",
    "formation": "形成期",
    "stable": "稳定期",
    "decline": "退化期",
    "ended": "关系终止",
}
CAUSE_NAMES = {
    "given_up": "given up by the firm",
    "left": "left of their own will",
    "poached": "won over by a competitor",
    "forced": "had to leave",
    "unknown": "cause not known",
}
CAUSE_CHINESE = {
    "given_up": "主动放弃的客户",
    "left": "主动离开的客户",
    "poached": "被挖走的客户",
    "forced": "被迫离开的客户",
    "unknown": "原因不明",
}
LEVEL_NAMES = {
    "basic": "basic",
    "reactive": "reactive",
    "accountable": "accountable",
    "proactive": "proactive",
    "partnership": "partnership",
}
LEVEL_CHINESE = {
    "basic": "基本型",
    "reactive": "被动型",
    "accountable": "负责型",
    "proactive": "能动型",
    "partnership": "伙伴型",
}
PYRAMID = ("vip", "major", "ordinary", "small")
PYRAMID_NAMES = {"vip": "VIP", "major": "major", "ordinary": "ordinary", "small": "small"}
PYRAMID_CHINESE = {"vip": "VIP客户", "major": "主要客户", "ordinary": "普通客户", "small": "小客户"}
ABC = ("main", "general", "sporadic")
ABC_CHINESE = {"main": "主力客户", "general": "一般客户", "sporadic": "零散客户"}
STANDING_NAMES = {
    "gained": "share held or gained",
    "lost": "share lost",
    "first": "bought nothing before",
    "idle": "bought nothing in either",
}
SEQUENCE = ("new", "active", "dormant")
SEQUENCE_NAMES = {"new": "new", "active": "old, active", "dormant": "old, dormant or gone"}
