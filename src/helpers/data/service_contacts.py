"""What answering each customer's requests has cost, and how often the customer complained."""

import datetime
import math
from collections.abc import Mapping, Sequence
from numbers import Real

import ibis

from helpers.data.cleaning import CheckedRows, check, plain
from helpers.data.contracts import TABLES
from helpers.data.customer_costs import CustomerCosts, Window, add_up, earlier_day, engine_of, last_day, no_costs
from helpers.data.refusal import InputRefused, Problem

ServiceCosts = CustomerCosts

_NAMED_KINDS = 6  # of a file without feedback: more of them are free text


def load(
    source: str = "",
    *,
    columns: Mapping[str, str] | None = None,
    bad_rows: str = "refuse",
    date_format: str = "",
    decimal: str = ".",
    observation_end: datetime.date | str | None = None,
    earlier: datetime.date | str | None = None,
    months: int = 12,
    past_rate: float = 0.0,
    feedback_kinds: Sequence[str] = ("complaint",),
    cost_per_contact: float = 0.0,
    today: datetime.date | str | None = None,
    customers: ibis.Table | None = None,
    connection: ibis.BaseBackend | None = None,
) -> ServiceCosts:
    """Load service contacts and add up what answering each customer has cost.

    Parameters
    ----------
    source : str
        "synthetic_firm", or a file or folder with the columns customer_id, date; "" where none is given: nobody has a
        cost.
    columns, bad_rows, date_format, decimal, today
        As in `helpers.data.cleaning.check`.
    observation_end, earlier, months, past_rate, customers, connection
        As in `helpers.data.marketing_touches.load`.
    feedback_kinds : sequence of str
        Kinds of contacts, in any case, that tell the firm something about itself.
    cost_per_contact : float
        What a contact costs that does not state it, from 0 up.

    Returns
    -------
    ServiceCosts
        Its table has customer_id, service_cost (all time), current_service_cost (the recent window), contacts and
        feedback (how many, all time; feedback is null where the file has no kinds) and, where `earlier` is given,
        earlier_service_cost and earlier_current_service_cost; no row where no contact is known.

    Raises
    ------
    InputRefused
        With all problems of the file, or what is wrong with a parameter.
    """
    earlier = earlier_day(earlier, observation_end)
    kinds = _plain_kinds(feedback_kinds)
    _check_cost(cost_per_contact)
    connection = engine_of(customers, connection)
    if not source:
        counts = {"contacts": "int64", "feedback": "int64"}
        return no_costs(counts, "service_cost", earlier, connection)
    checked = check(
        source,
        TABLES["service_contacts"],
        "cost",
        columns=columns,
        bad_rows=bad_rows,
        date_format=date_format,
        decimal=decimal,
        today=today,
        wanted=("cost", "kind"),
        connection=connection,
    )
    contacts = _contacts(checked.native, kinds, cost_per_contact)
    steps, notes = _gaps(checked, contacts, cost_per_contact)
    return add_up(
        checked,
        contacts,
        "service_cost",
        "contacts",
        Window(last_day(contacts, observation_end), months, past_rate, earlier),
        customers=customers,
        counts={"contacts": contacts.date.notnull(), "feedback": contacts.is_feedback},
        steps=steps,
        notes=[*notes, *_kind_notes(checked, contacts, feedback_kinds)],
    )


def _plain_kinds(feedback_kinds: object) -> list[str]:
    is_list = isinstance(feedback_kinds, Sequence) and not isinstance(feedback_kinds, str)
    if not is_list or not all(isinstance(kind, str) for kind in feedback_kinds):
        problem = Problem("it must be a list of texts", way_out='For one kind it is ["complaint"].')
        raise InputRefused(f"feedback_kinds={feedback_kinds!r}", [problem])
    return [plain(kind) for kind in feedback_kinds]


def _check_cost(cost_per_contact: object) -> None:
    is_number = isinstance(cost_per_contact, Real) and not isinstance(cost_per_contact, bool)
    if not is_number or not 0 <= cost_per_contact < math.inf:
        raise InputRefused(f"cost_per_contact={cost_per_contact!r}", [Problem("it must be a number from 0 up")])


def _contacts(rows: ibis.Table, kinds: Sequence[str], cost_per_contact: float) -> ibis.Table:
    """Give each contact a cost, and say whether it is feedback; null where the file has no kinds."""
    stated = rows.cost if "cost" in rows.columns else ibis.null("float64")
    contacts = rows.mutate(cost=stated.coalesce(float(cost_per_contact)), is_stated=stated.notnull())
    if "kind" not in rows.columns:
        contacts = contacts.mutate(is_feedback=ibis.null("boolean"), has_kind=False)
    else:
        # There are few kinds, and reading each of them once is far faster than reading that of each row.
        written = [kind for kind in rows.kind.as_table().distinct().to_pandas().kind.dropna() if plain(kind) in kinds]
        contacts = contacts.mutate(is_feedback=rows.kind.isin(written).fill_null(False), has_kind=rows.kind.notnull())
    return contacts.select("customer_id", "date", "cost", "is_feedback", "is_stated", "has_kind")


def _gaps(
    checked: CheckedRows, contacts: ibis.Table, cost_per_contact: float
) -> tuple[list[tuple[str, int, float, str]], list[str]]:
    """Account for what was put in the place of costs that are not stated, and say what else is not."""
    gaps = contacts.aggregate(
        rows=contacts.count(), unpriced=(~contacts.is_stated).sum(), unnamed=(~contacts.has_kind).sum()
    )
    gaps = gaps.to_pandas().iloc[0]
    steps, notes = [], []
    if gaps.unpriced:
        each = f"each counts as {cost_per_contact:,g}"
        amount = float(gaps.unpriced * cost_per_contact)
        steps.append(("imputed", 0, amount, f"cost of {gaps.unpriced:,} contacts is not stated: {each}"))
        notes.append(
            f"Contacts of {checked.name} that do not state their cost: {gaps.unpriced:,} of {gaps.rows:,}; {each} "
            "(cost_per_contact)."
        )
    if 0 < gaps.unnamed < gaps.rows:
        notes.append(
            f"Contacts of {checked.name} that do not say what they were about: {gaps.unnamed:,} of {gaps.rows:,}. They "
            "count as no feedback."
        )
    return steps, notes


def _kind_notes(checked: CheckedRows, contacts: ibis.Table, feedback_kinds: Sequence[str]) -> list[str]:
    """Say so where no contact is feedback, which may be a matter of words."""
    if "kind" not in checked.table.columns:
        return [f"{checked.name} has no column kind: who gave feedback is not known."]
    if not feedback_kinds or contacts.is_feedback.any().to_pandas():
        return []
    found = checked.table.filter(checked.table.kind.notnull()).select("kind").distinct().order_by("kind")
    found = found.limit(_NAMED_KINDS + 1).to_pandas().kind.tolist()
    named = f" Its kinds are: {', '.join(found)}." if 0 < len(found) <= _NAMED_KINDS else ""
    wanted = " or ".join(repr(kind) for kind in feedback_kinds)
    return [f"No contact of {checked.name} is of the kind {wanted} (feedback_kinds).{named}"]
