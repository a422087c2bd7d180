"""Model files: the built-in ones, a user's own, and everything that can be wrong with one."""

import re
import subprocess
import sys

import numpy as np
import pytest

from helpers.data import sources
from helpers.data.refusal import InputRefused
from helpers.data.satisfaction_models import Path, SatisfactionModel, read_model

BUILT_IN = ("ecsi", "acsi", "ccsi", "sparse")

# The paths of the published structures, written down a second time: columns act on rows' targets as listed.
ECSI = """
image expectations, image satisfaction, image loyalty, expectations perceived_quality, expectations perceived_value,
expectations satisfaction, perceived_quality perceived_value, perceived_quality satisfaction,
perceived_value satisfaction, satisfaction complaints, satisfaction loyalty, complaints loyalty
"""
ACSI = """
expectations perceived_quality, expectations perceived_value, expectations satisfaction,
perceived_quality perceived_value, perceived_quality satisfaction, perceived_value satisfaction,
satisfaction complaints, satisfaction loyalty, complaints loyalty
"""
CCSI = """
image expectations, image perceived_quality, image perceived_value, image satisfaction,
expectations perceived_quality, expectations perceived_value, expectations satisfaction,
perceived_quality perceived_value, perceived_quality satisfaction, perceived_value satisfaction, satisfaction loyalty
"""
SPARSE = "perceived_quality satisfaction, perceived_value satisfaction, satisfaction loyalty"

MODEL = """
name = "Shop"
scale = { lowest = 1, highest = 5 }
overall_item = "S1"
drivers = ["Q1", "Q2"]
gaps = { Q1 = "Q2" }

[constructs.quality]
items = ["Q1", "Q2"]
leads_to = ["satisfaction"]

[constructs.satisfaction]
label = "Satisfaction"
items = ["S1", "S2"]
leads_to = ["loyalty"]

[constructs.loyalty]
items = ["L1"]

[items]
S1 = "Overall"
"""


@pytest.fixture
def write(tmp_path):
    def write(content, name="shop.toml"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    return write


@pytest.fixture
def refusal(write):
    def refusal(content):
        with pytest.raises(InputRefused) as refused:
            read_model(write(content))
        return str(refused.value)

    return refusal


def changed(*replacements):
    text = MODEL
    for old, new in replacements:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


# --- the built-in models --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name, paths, constructs, items",
    [("ecsi", ECSI, 7, 24), ("acsi", ACSI, 6, 19), ("ccsi", CCSI, 6, 23), ("sparse", SPARSE, 4, 15)],
)
def test_built_in_models_have_the_published_structure(name, paths, constructs, items):
    model = read_model(name)
    wanted = {Path(*pair.split()) for pair in paths.split(",")}
    assert set(model.paths) == wanted and len(model.paths) == len(wanted)
    assert (len(model.constructs), len(model.items)) == (constructs, items)
    assert (model.lowest, model.highest) == (1, 10)
    assert (model.satisfaction, model.loyalty) == ("satisfaction", "loyalty")
    assert (model.overall_item, model.recommend_item) == ("CUSA1", "CUSL3")
    assert model.drivers == ("PERQ2", "PERQ3", "PERQ4", "PERQ5", "PERQ6", "PERQ7", "PERV1", "PERV2")
    assert model.origin and set(model.labels) == set(model.english) == {*model.constructs, *model.items}


def test_blocks_are_those_of_the_survey():
    sizes = {"image": 5, "expectations": 3, "perceived_quality": 7, "perceived_value": 2, "satisfaction": 3}
    sizes |= {"complaints": 1, "loyalty": 3}
    blocks = read_model("ecsi").constructs
    assert {key: len(items) for key, items in blocks.items()} == sizes
    for name in BUILT_IN:
        model = read_model(name)
        assert all(blocks[key] == items for key, items in model.constructs.items())
        assert model.gaps == ((("CUEX1", "PERQ1"),) if "expectations" in blocks and name != "sparse" else ())


def test_mobi_has_every_item():
    header = sources.BUILT_IN["satisfaction_survey"]["mobi"].path().read_text(encoding="utf-8").splitlines()[0]
    assert set(re.findall(r"\w+", header)) == set(read_model("ecsi").items)


def test_ccsi_is_bilingual_and_says_whose_list_it_is():
    model = read_model("ccsi")
    assert model.labels["perceived_quality"] == "感知质量 Perceived quality"
    assert model.english["perceived_quality"] == "Perceived quality"
    assert "give no list" in model.origin and "circulates" in model.origin


@pytest.mark.parametrize("name", BUILT_IN)
def test_paths_name_their_causes_first(name):
    """The constructs stand in causal order, so that figures and tables read from cause to effect."""
    model = read_model(name)
    order = list(model.constructs)
    assert all(order.index(path.source) < order.index(path.target) for path in model.paths)


def test_a_model_is_read_without_the_engine():
    code = (
        "import sys; from helpers.data.satisfaction_models import read_model; read_model('ecsi');"
        "sys.exit(any(name in sys.modules for name in ('pandas', 'numpy', 'ibis')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# --- a user's own ---------------------------------------------------------------------------------------


def test_what_is_left_out_has_its_default(write):
    model = read_model(write(MODEL))
    assert model == SatisfactionModel(
        name="Shop",
        origin="the model file shop.toml",
        constructs={"quality": ("Q1", "Q2"), "satisfaction": ("S1", "S2"), "loyalty": ("L1",)},
        paths=(Path("quality", "satisfaction"), Path("satisfaction", "loyalty")),
        lowest=1,
        highest=5,
        labels={"quality": "quality", "satisfaction": "Satisfaction", "loyalty": "loyalty"}
        | {"Q1": "Q1", "Q2": "Q2", "S1": "Overall", "S2": "S2", "L1": "L1"},
        english={"quality": "quality", "satisfaction": "Satisfaction", "loyalty": "loyalty"}
        | {"Q1": "Q1", "Q2": "Q2", "S1": "Overall", "S2": "S2", "L1": "L1"},
        satisfaction="satisfaction",
        loyalty="loyalty",
        overall_item="S1",
        drivers=("Q1", "Q2"),
        gaps=(("Q1", "Q2"),),
    )


CHINESE = """
name = "门店满意度"
origin = "本店"
scale = { lowest = 0, highest = 10 }
satisfaction = "满意"
loyalty = "忠诚"
overall_item = "总体满意"
reversed_items = ["投诉次数"]

[constructs."质量"]
items = ["质量1", "质量2"]
leads_to = ["满意"]

[constructs.complaints]
label = "投诉"
items = ["投诉次数"]

[constructs."满意"]
label = "顾客满意"
english = "Customer satisfaction"
items = ["总体满意", "S 2"]
leads_to = ["忠诚"]
lowers = ["complaints"]

[constructs."忠诚"]
items = ["再次购买"]

[items]
"质量1" = "商品质量"
"质量2" = { label = "服务质量", english = "Service quality" }
"""


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_chinese_model(write, mark):
    model = read_model(write(mark + CHINESE, "门店.toml"))
    assert (model.name, model.origin) == ("门店满意度", "本店")
    assert list(model.constructs) == ["质量", "complaints", "满意", "忠诚"]
    assert model.items == ("质量1", "质量2", "投诉次数", "总体满意", "S 2", "再次购买")
    assert Path("满意", "complaints", -1) in model.paths and Path("满意", "忠诚", 1) in model.paths
    assert (model.satisfaction, model.loyalty, model.reversed_items) == ("满意", "忠诚", {"投诉次数"})
    assert {key: model.labels[key] for key in model.constructs} == {
        "质量": "质量",
        "complaints": "投诉",
        "满意": "顾客满意",
        "忠诚": "忠诚",
    }
    # what has no Latin letters anywhere is called by its number
    assert {key: model.english[key] for key in (*model.constructs, *model.items)} == {
        "质量": "construct 1",
        "complaints": "complaints",
        "满意": "Customer satisfaction",
        "忠诚": "construct 4",
        "质量1": "item 1",
        "质量2": "Service quality",
        "投诉次数": "item 3",
        "总体满意": "item 4",
        "S 2": "S 2",
        "再次购买": "item 6",
    }


@pytest.mark.parametrize("label, latin", [("Qualité perçue – 1", True), ("（A）", False), ("Качество", False)])
def test_latin_letters(write, label, latin):
    model = read_model(write(changed(('label = "Satisfaction"', f'label = "{label}"'))))
    assert model.english["satisfaction"] == (label if latin else "satisfaction")


def test_a_model_without_loyalty(write):
    without = changed(('leads_to = ["loyalty"]\n', ""), ('[constructs.loyalty]\nitems = ["L1"]\n', ""))
    assert read_model(write(without)).loyalty == ""


# --- what can be wrong ----------------------------------------------------------------------------------

WRONG = {
    "leads to an unknown construct": (
        [('["satisfaction"]', '["satisfactoin"]')],
        "[constructs.quality] it leads to 'satisfactoin', which is no construct. Is it 'satisfaction'?",
    ),
    "lowers an unknown construct": ([('items = ["L1"]', 'items = ["L1"]\nlowers = ["x"]')], "leads to 'x', which"),
    "raises and lowers": (
        [('leads_to = ["loyalty"]', 'leads_to = ["loyalty"]\nlowers = ["loyalty"]')],
        "[constructs.satisfaction] it both raises and lowers 'loyalty'",
    ),
    "leads to it twice": ([('["loyalty"]', '["loyalty", "loyalty"]')], "leads_to lists 'loyalty' 2 times"),
    "cycle": (
        [('items = ["L1"]', 'items = ["L1"]\nleads_to = ["quality"]')],
        "the paths run in a circle: quality -> satisfaction -> loyalty -> quality",
    ),
    "acts on itself": (
        [('["loyalty"]', '["loyalty", "satisfaction"]')],
        "the paths run in a circle: satisfaction -> satisfaction",
    ),
    "empty construct": ([('["L1"]', "[]")], "[constructs.loyalty] items lists nothing"),
    "no items": ([('items = ["L1"]', "")], "[constructs.loyalty] items is missing"),
    "item in two constructs": ([('["L1"]', '["L1", "S2"]')], "item 'S2' measures satisfaction and loyalty"),
    "item twice in one": ([('["L1"]', '["L1", "L1"]')], "[constructs.loyalty] items lists 'L1' 2 times"),
    "construct without path": (
        [('leads_to = ["loyalty"]', "")],
        "[constructs.loyalty] it leads nowhere, and nothing leads to it",
    ),
    "no paths at all": (
        [('leads_to = ["loyalty"]', ""), ('leads_to = ["satisfaction"]', "leads_to = []")],
        "no construct leads to another",
    ),
    "two parts": (
        [('["L1"]', '["L1"]\n[constructs.a]\nitems=["A1"]\nleads_to=["b"]\n[constructs.b]\nitems=["B1"]')],
        "the model falls into 2 parts that no path joins: quality, satisfaction, loyalty; a, b",
    ),
    "nothing leads to satisfaction": (
        [('leads_to = ["satisfaction"]', 'leads_to = ["loyalty"]')],
        "nothing leads to 'satisfaction'",
    ),
    "satisfaction missing": (
        [('name = "Shop"', 'name = "Shop"\nsatisfaction = "quallity"')],
        "satisfaction: 'quallity' is no construct. Say which one measures it: satisfaction = \"...\". Is it 'quality'?",
    ),
    "loyalty missing": ([('name = "Shop"', 'name = "Shop"\nloyalty = "x"')], "loyalty: 'x' is no construct"),
    "loyalty is satisfaction": (
        [('name = "Shop"', 'name = "Shop"\nloyalty = "satisfaction"')],
        "loyalty and satisfaction are one construct",
    ),
    "overall_item": ([('overall_item = "S1"', 'overall_item = "s3"')], "overall_item: 's3' is an item of no construct"),
    "recommend_item": (
        [('name = "Shop"', 'name = "Shop"\nrecommend_item = "l1"')],
        "recommend_item: 'l1' is an item of no construct. Is it 'L1'?",
    ),
    "drivers": ([('["Q1", "Q2"]\ngaps', '["Q1", "Q3"]\ngaps')], "drivers: 'Q3' is an item of no construct"),
    "drives itself": ([('["Q1", "Q2"]\ngaps', '["Q1", "S1"]\ngaps')], "drivers: 'S1' is the overall_item itself"),
    "drives nothing": ([('overall_item = "S1"', "")], "drivers are named, but not what they drive"),
    "gaps, expected": ([("{ Q1 =", "{ Q9 =")], "gaps: 'Q9' is an item of no construct"),
    "gaps, perceived": ([('= "Q2" }', '= "Q8" }')], "gaps: 'Q8' is an item of no construct"),
    "gap with itself": ([('= "Q2" }', '= "Q1" }')], "gaps: 'Q1' is compared with itself"),
    "gap of numbers": ([('= "Q2" }', "= 2 }")], "[gaps] Q1 must be a text"),
    "reversed_items": (
        [('name = "Shop"', 'name = "Shop"\nreversed_items = ["Q7"]')],
        "reversed_items: 'Q7' is an item of no construct",
    ),
    "scale upside down": ([("lowest = 1, highest = 5", "lowest = 5, highest = 1")], "[scale] lowest (5) must be below"),
    "scale of no width": ([("lowest = 1", "lowest = 5")], "[scale] lowest (5) must be below highest (5)"),
    "scale without end": ([("highest = 5", "highest = inf")], "[scale] highest must be finite"),
    "scale missing": ([("scale = { lowest = 1, highest = 5 }", "")], "[scale] lowest is missing"),
    "scale of text": ([("lowest = 1", 'lowest = "1"')], "[scale] lowest must be a number"),
    "scale of truth": ([("lowest = 1", "lowest = true")], "[scale] lowest must be a number"),
    "scale is a number": ([("{ lowest = 1, highest = 5 }", "5")], "scale must be a table"),
    "name missing": ([('name = "Shop"', "")], "name is missing"),
    "name of number": ([('"Shop"', "5")], 'name must be a text: "..."'),
    "name blank": ([('"Shop"', '" "')], "name is blank or holds control characters"),
    "label with control characters": ([('"Overall"', '"Over\\u0000all"')], "[items.S1] label is blank or"),
    "item with control characters": ([('["L1"]', '["L\\n1"]')], "[constructs.loyalty] items must list texts"),
    "blank item": ([('["L1"]', '["L1", ""]')], "[constructs.loyalty] items must list texts that are not blank"),
    "numbers as items": ([('["L1"]', "[1, 2]")], "[constructs.loyalty] items must list texts"),
    "items as text": ([('["L1"]', '"L1"')], '[constructs.loyalty] items must be a list: ["...", "..."]'),
    "leads_to as text": ([('leads_to = ["loyalty"]', 'leads_to = "loyalty"')], "leads_to must be a list"),
    "construct is a list": (
        [("[constructs.loyalty]\n", "[constructs]\nloyalty = [1]\n[constructs.more]\n")],
        "[constructs.loyalty] it must be a table of keys and values",
    ),
    "key of a construct": ([("[constructs.quality]", '[constructs."quality 1"]')], "quality 1] the name must consist"),
    "unknown key": ([("drivers =", "drvers =")], "'drvers' is no key. Is it 'drivers'?"),
    "unknown key of a construct": ([('items = ["L1"]', 'itmes = ["L1"]')], "'itmes' is no key. Is it 'items'?"),
    "unknown key of the scale": ([("highest = 5", "highest = 5, step = 1")], "'step' is no key. There are: lowest"),
    "unknown key of an item": ([('"Overall"', '{ labell = "Overall" }')], "'labell' is no key. Is it 'label'?"),
    "key under the wrong heading": (
        [('items = ["L1"]', 'items = ["L1"]\nreversed_items = ["L1"]')],
        "[constructs.loyalty] 'reversed_items' is no key. It belongs above the first [heading].",
    ),
    "wording of an unknown item": ([('S1 = "Overall"', 's1 = "Overall"')], "names 's1', the constructs have 'S1'"),
    "wording is a number": ([('S1 = "Overall"', "S1 = 5")], "[items.S1] it must be a table of keys and values"),
    "english in other letters": ([('"Overall"', '{ english = "总体" }')], "english must be written in Latin letters"),
    "two constructs read alike": ([('label = "Satisfaction"', 'label = "loyalty"')], "2 constructs read 'loyalty'"),
    "two items read alike": ([('"Overall"', '"S2"')], "2 items read 'S2'"),
    "construct and item of one name": ([('["L1"]', '["loyalty"]')], "'loyalty' is both a construct and an item"),
    "construct named as a column": (
        [("[constructs.quality]", "[constructs.segment]")],
        "[constructs.segment] the name is taken",
    ),
    "construct named all": ([("[constructs.quality]", "[constructs.all]")], "[constructs.all] the name is taken"),
    "item named r_squared": ([('["L1"]', '["r_squared"]')], "item 'r_squared' bears the name of a column"),
    "misspelt leads_to": (
        [('leads_to = ["satisfaction"]', 'lead_to = ["satisfaction"]')],
        "[constructs.quality] 'lead_to' is no key. Is it 'leads_to'?",
    ),
    "misspelt leads_to of the last path": (
        [('leads_to = ["loyalty"]', 'lead_to = ["loyalty"]')],
        "[constructs.satisfaction] 'lead_to' is no key. Is it 'leads_to'?",
    ),
    "item misspelt in its construct": (
        [('["L1"]', '["L1x"]'), ('S1 = "Overall"', 'L1 = "Come back"')],
        "[items] names 'L1', the constructs have 'L1x': one of them is misspelt.",
    ),
    "item named as another column": ([('["L1"]', '["weight"]')], "item 'weight' bears the name of a column"),
}  # fmt: skip


@pytest.mark.parametrize("replacements, words", WRONG.values(), ids=WRONG)
def test_a_wrong_model_is_refused(refusal, replacements, words):
    message = refusal(changed(*replacements))
    assert message.startswith("shop.toml cannot be used:")
    assert words in message


def test_one_mistake_is_told_once(refusal):
    """No other message follows from it, save where a whole part of the file cannot be read."""
    told = {name: refusal(changed(*replacements)).count("\n") for name, (replacements, _) in WRONG.items()}
    several = {"scale missing", "scale is a number", "construct is a list", "leads_to as text", "gap of numbers"}
    assert {name for name, count in told.items() if count > 1} <= several | {"unknown key of a construct"}


def test_everything_wrong_is_told_at_once(refusal):
    names = ("drivers", "scale upside down", "two items read alike", "name missing", "cycle")
    message = refusal(changed(*(pair for name in names for pair in WRONG[name][0])))
    assert all(WRONG[name][1] in message for name in names)


@pytest.mark.parametrize(
    "content, words",
    [
        (
            MODEL.replace("[items]", "[items"),
            "it is no TOML: Expected ']' at the end of a table declaration (at line 20",
        ),
        ('name = "A"\nname = "B"\n', "it is no TOML: Cannot overwrite a value (at line 2"),
        ('[constructs.质量]\nitems = ["a"]', 'stand in quotation marks: [constructs."品牌形象"]'),
        ("", "there is no construct"),
        ('name = "质量"'.encode("gb18030"), "it is no UTF-8 text. Save it as UTF-8."),
        (b"\0\0", "it is no TOML"),
        ("respondent_id,Q1\n1,5\n", "it is no TOML"),
        (b"#" * 2_000_000, "too large for a model file"),
    ],
)
def test_files_that_are_no_model(refusal, content, words):
    assert words in refusal(content)


def test_wordings_of_items_that_are_not_asked_for_are_passed_over(write):
    # near to S1, which has a wording of its own; near to nothing; with an unknown key
    left = MODEL + 'S1b = "Overall, before"\nvalue_for_money = "Value"\nwaiting = { labell = "Waiting" }\n'
    assert read_model(write(left)) == read_model(write(MODEL))


def test_a_name_near_a_built_in_one_is_offered():
    with pytest.raises(InputRefused, match="Is it 'ecsi'"):
        read_model("ecsy")
    with pytest.raises(InputRefused) as refused:
        read_model("no/such.toml")
    assert "Is it" not in str(refused.value)


@pytest.mark.parametrize("source", ["", "esci", "no/such.toml"])
def test_a_name_that_is_nothing(source):
    with pytest.raises(InputRefused) as refused:
        read_model(source)
    assert all(repr(name) in str(refused.value) for name in BUILT_IN)


def test_several_files_are_no_model(write, tmp_path):
    write(MODEL), write(MODEL, "other.toml")
    with pytest.raises(InputRefused, match="it names 2 files"):
        read_model(str(tmp_path / "*.toml"))


@pytest.mark.parametrize("seed", range(20))
def test_a_random_order_of_the_sections_reads_the_same(write, seed):
    head, *sections = re.split(r"\n(?=\[)", MODEL)
    shuffled = np.random.default_rng(seed).permutation(sections)
    one, other = read_model(write(MODEL)), read_model(write("\n".join([head, *shuffled])))
    assert one.constructs == other.constructs and set(one.paths) == set(other.paths) and one.labels == other.labels
