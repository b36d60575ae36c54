"""How a call ended, as conditions on columns: the same answer as `clew.events.outcome` gives on the decoded record."""

from __future__ import annotations

from clew.events.outcome import DENIED_CODES, DENIED_FAMILY
from clew.lake.history.conditions import Condition, all_of, any_of, is_in

# An Insights event is no call, so it did not fail.
_IS_CALL = Condition(
    "eventcategory IS DISTINCT FROM 'Insight' AND eventtype IS DISTINCT FROM 'AwsCloudTrailInsight'"
)
# A refused sign-in carries no error code, only its answer. AWS: "AWS Management Console sign-in events".
_IS_REFUSED_SIGN_IN = Condition(
    "eventsource = 'signin.amazonaws.com' AND contains(responseelements, '\"Failure\"')"
    " AND json_extract_string(responseelements, '$.' || eventname) = 'Failure'"
)
_DENIED_MESSAGE = Condition(
    "regexp_matches(errormessage, '(?i)is not authorized to perform|not authorized to perform this operation')"
)


def is_failed() -> Condition:
    """The call was denied or failed otherwise."""
    said = [Condition("errorcode <> ''"), Condition("errormessage <> ''"), _IS_REFUSED_SIGN_IN]
    return all_of([_IS_CALL, any_of(said)])


def is_denied() -> Condition:
    """The call was refused for lack of permission."""
    family = Condition("regexp_matches(errorcode, ?)", (DENIED_FAMILY,))
    return all_of([_IS_CALL, any_of([is_in("errorcode", sorted(DENIED_CODES)), family, _DENIED_MESSAGE])])
