"""CloudFormation's functions and conditions, resolved as far as the template settles them.

AWS: CloudFormation template reference, "Intrinsic function reference", "Condition functions", "Pseudo parameters". What
only a deployment settles (a parameter without default, another stack's export, a secret) is `Unresolved`, with why.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from clew.snapshot.offline.declared import Unresolved, open_part

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from clew.snapshot.offline.declared import Place

NO_VALUE = Unresolved("AWS::NoValue")
"""What `AWS::NoValue` gives: the property is left out."""

_VARIABLE = re.compile(r"\$\{([^}!][^}]*)\}")
_LITERAL = re.compile(r"\$\{!([^}]*)\}")


@dataclass(slots=True)
class Scope:
    """What names mean in one template.

    `reference` and `attribute` give what `Ref` and `Fn::GetAtt` mean for its resources.
    """

    place: Place
    stack_name: str
    parameters: Mapping[str, object]
    mappings: Mapping[str, object]
    conditions: Mapping[str, object]
    reference: Callable[[str], object]
    attribute: Callable[[str, str], object]
    _asked: set[str] = field(default_factory=set)

    def resolve(self, value: object) -> object:
        """The value with every function in it resolved."""
        if isinstance(value, list):
            return [each for each in map(self.resolve, value) if each is not NO_VALUE]
        if not isinstance(value, dict):
            return _without_secret(value)
        if len(value) == 1:
            name, argument = next(iter(value.items()))
            if name in _FUNCTIONS:
                return _FUNCTIONS[name](self, argument)
            if name.startswith("Fn::"):
                return Unresolved(f"`{name}` is not evaluated")
        resolved = {name: self.resolve(part) for name, part in value.items()}
        return {name: part for name, part in resolved.items() if part is not NO_VALUE}

    def text(self, value: object) -> str | Unresolved:
        """The resolved value as text."""
        found = self.resolve(value)
        if isinstance(found, Unresolved):
            return found
        if isinstance(found, bool):
            return "true" if found else "false"
        return open_part(found) or str(found)

    def named(self, name: str) -> object:
        """What `Ref` of a parameter, pseudo parameter or resource gives."""
        if name in self.parameters:
            return self.parameters[name]
        if name == "AWS::NoValue":
            return NO_VALUE
        known = {
            "AWS::AccountId": self.place.account,
            "AWS::Region": self.place.region,
            "AWS::Partition": self.place.partition,
            "AWS::StackName": self.stack_name,
            "AWS::URLSuffix": "amazonaws.com.cn" if self.place.partition == "aws-cn" else "amazonaws.com",
        }
        return known[name] if name in known else self.reference(name)

    def holds(self, condition: object) -> bool | Unresolved:
        """Whether a condition holds, by name or as a function."""
        if isinstance(condition, str):
            return self._named_condition(condition)
        found = self.resolve(condition)
        return (
            found if isinstance(found, bool | Unresolved) else Unresolved("a condition that is no condition")
        )

    def _named_condition(self, name: str) -> bool | Unresolved:
        if name in self._asked or name not in self.conditions:
            return Unresolved(f"condition `{name}` is not defined")
        self._asked.add(name)
        try:
            found = self.holds(self.conditions[name])
        finally:
            self._asked.discard(name)
        return Unresolved(f"condition `{name}`: {found}") if isinstance(found, Unresolved) else found


def _without_secret(value: object) -> object:
    if isinstance(value, str) and "{{resolve:" in value:
        return Unresolved("a dynamic reference")
    return value


def _ref(scope: Scope, argument: object) -> object:
    return scope.named(str(argument))


def _get_att(scope: Scope, argument: object) -> object:
    parts = argument.split(".", 1) if isinstance(argument, str) else argument
    if not isinstance(parts, list) or len(parts) != 2:  # noqa: PLR2004  # a resource and its attribute
        return Unresolved("a `Fn::GetAtt` without resource and attribute")
    name = scope.text(parts[1])
    return name if isinstance(name, Unresolved) else scope.attribute(str(parts[0]), name)


def _sub(scope: Scope, argument: object) -> object:
    template, given = (
        (argument[0], argument[1]) if isinstance(argument, list) and argument else (argument, {})
    )
    own = {name: scope.text(value) for name, value in given.items()} if isinstance(given, dict) else {}
    left: list[Unresolved] = []

    def value(match: re.Match[str]) -> str:
        name = match[1].strip()
        if name in own:
            found: object = own[name]
        elif "." in name:
            found = _get_att(scope, name)
        else:
            found = scope.named(name)
        found = found if isinstance(found, Unresolved) else scope.text(found)
        if isinstance(found, Unresolved):
            left.append(found)
        return str(found)

    text = _without_secret(_LITERAL.sub(r"${\1}", _VARIABLE.sub(value, str(template))))
    return left[0] if left else text


def _join(scope: Scope, argument: object) -> object:
    if not isinstance(argument, list) or len(argument) != 2:  # noqa: PLR2004  # a delimiter and a list
        return Unresolved("a `Fn::Join` without delimiter and list")
    values = scope.resolve(argument[1])
    if isinstance(values, Unresolved) or not isinstance(values, list):
        return values if isinstance(values, Unresolved) else Unresolved("a `Fn::Join` of no list")
    return open_part(values) or str(argument[0]).join(str(scope.text(each)) for each in values)


def _split(scope: Scope, argument: object) -> object:
    text = scope.text(argument[1]) if isinstance(argument, list) and len(argument) == 2 else None  # noqa: PLR2004
    if isinstance(text, str) and isinstance(argument, list):
        return text.split(str(argument[0]))
    return text or Unresolved("a `Fn::Split` without delimiter and text")


def _select(scope: Scope, argument: object) -> object:
    if not isinstance(argument, list) or len(argument) != 2:  # noqa: PLR2004  # an index and a list
        return Unresolved("a `Fn::Select` without index and list")
    index, values = scope.text(argument[0]), scope.resolve(argument[1])
    if isinstance(index, Unresolved) or isinstance(values, Unresolved):
        return index if isinstance(index, Unresolved) else values
    if isinstance(values, list) and index.isdecimal() and int(index) < len(values):
        return values[int(index)]
    return Unresolved("a `Fn::Select` beyond its list")


def _find_in_map(scope: Scope, argument: object) -> object:
    keys = [scope.text(each) for each in argument[:3]] if isinstance(argument, list) else []
    value: object = scope.mappings
    for key in keys:
        if isinstance(key, Unresolved):
            return key
        value = value.get(key) if isinstance(value, dict) else None
    if value is None or not keys:
        return Unresolved(f"the mapping has no `{'.'.join(map(str, keys))}`")
    return scope.resolve(value)


def _if(scope: Scope, argument: object) -> object:
    if not isinstance(argument, list) or len(argument) != 3:  # noqa: PLR2004  # a condition and two values
        return Unresolved("a `Fn::If` without condition and two values")
    holds = scope.holds(argument[0])
    if isinstance(holds, Unresolved):
        first, second = scope.resolve(argument[1]), scope.resolve(argument[2])
        return first if first == second else holds
    return scope.resolve(argument[1] if holds else argument[2])


def _equals(scope: Scope, argument: object) -> object:
    values = [scope.text(each) for each in argument] if isinstance(argument, list) else []
    if len(values) != 2:  # noqa: PLR2004  # two values
        return Unresolved("a `Fn::Equals` without two values")
    left = open_part(values)
    return left or values[0] == values[1]


def _some(scope: Scope, argument: object) -> object:
    return _all_or_some(scope, argument, settling=True)


def _every(scope: Scope, argument: object) -> object:
    return _all_or_some(scope, argument, settling=False)


def _all_or_some(scope: Scope, argument: object, *, settling: bool) -> object:
    """Kleene's three values: one that settles it is enough, however open the others are."""
    found = [scope.holds(each) for each in argument] if isinstance(argument, list) else []
    if any(each is settling for each in found):
        return settling
    return open_part(list(found)) or not settling


def _not(scope: Scope, argument: object) -> object:
    found = scope.holds(argument[0] if isinstance(argument, list) and argument else argument)
    return found if isinstance(found, Unresolved) else not found


def _condition(scope: Scope, argument: object) -> object:
    # A statement of a policy has a member of this name, too: an object, not the name of a condition.
    if isinstance(argument, str):
        return scope.holds(argument)
    return {"Condition": scope.resolve(argument)}


def _base64(scope: Scope, argument: object) -> object:
    text = scope.text(argument)
    return text if isinstance(text, Unresolved) else base64.b64encode(text.encode()).decode()


def _import(scope: Scope, argument: object) -> object:
    return Unresolved(f"the export `{scope.text(argument)}` of another stack")


_FUNCTIONS: Mapping[str, Callable[[Scope, object], object]] = {
    "Ref": _ref,
    "Condition": _condition,
    "Fn::GetAtt": _get_att,
    "Fn::Sub": _sub,
    "Fn::Join": _join,
    "Fn::Split": _split,
    "Fn::Select": _select,
    "Fn::FindInMap": _find_in_map,
    "Fn::If": _if,
    "Fn::Equals": _equals,
    "Fn::And": _every,
    "Fn::Or": _some,
    "Fn::Not": _not,
    "Fn::Base64": _base64,
    "Fn::ImportValue": _import,
}
