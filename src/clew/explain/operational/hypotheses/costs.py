"""What costs more than it should: idle instances, volumes and addresses that nobody uses, no budget, no tags."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from clew.audit.resources import items, listing, text
from clew.explain.operational.scene import SEEN, Component, Hypothesis, number, refuted, true, unknown
from clew.explain.operational.series import CPU, figure, series

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.explain.links import Link
    from clew.explain.operational.scene import Found, Scene

# AWS Trusted Advisor user guide, cost optimization, "Low Utilization Amazon EC2 Instances": a daily average of the
# processor of 10 % or less (and little on the network) on at least 4 of 14 days.
_IDLE_PERCENT, _IDLE_DAYS = 10.0, 4
_INSTANCES = "ec2:DescribeInstances"
_COSTS = "ce:GetCostAndUsage"
_DRIVES = 1.2


def _newest(scene: Scene, call: str, path: str, member: str) -> tuple[Found, ...]:
    """Each thing by its id, as it was seen last."""
    found = {each.text(member): each for each in reversed(tuple(scene.listed(call, path)))}
    return tuple(found[name] for name in sorted(found))


def _running(scene: Scene) -> tuple[Found, ...]:
    found = _newest(scene, _INSTANCES, "Reservations.Instances", "InstanceId")
    return tuple(each for each in found if each.text("State.Name") == "running")


def _idle(scene: Scene) -> Link:
    settle = (
        "aws cloudwatch get-metric-statistics --namespace AWS/EC2 --metric-name CPUUtilization --period 86400 "
        "--statistics Average --dimensions Name=InstanceId,Value=ID, for each instance"
    )
    running = _running(scene)
    if not running and not scene.given(_INSTANCES):
        return scene.open(_INSTANCES, "aws ec2 describe-instances")
    idle: list[str] = []
    busy: list[str] = []
    open_: list[str] = []
    for each in running:
        name = each.text("InstanceId")
        days = tuple(_days(scene, name))
        low = sum(value <= _IDLE_PERCENT for value in days)
        (idle if low >= _IDLE_DAYS else busy if len(days) >= _IDLE_DAYS else open_).append(name)
    seen = running[0].seen if running else ()
    if idle:
        says = f"{len(idle)} of {len(running)} running instances are idle: {listing(idle)}"
        fix = "aws compute-optimizer get-ec2-instance-recommendations; then a smaller type, or stop it"
        return true(
            says,
            (("idle", f"10 % or less on {_IDLE_DAYS} days or more"), *_cpu_seen(scene, idle[0]), *seen),
            fix,
        )
    if open_:
        return unknown(f"the processor of {listing(open_)} was not looked at long enough", settle, seen)
    return refuted(f"{len(running)} running instances, none idle", seen)


def _days(scene: Scene, name: str) -> Iterator[float]:
    """The average of each day; values that do not say of which instance they are do not count here."""
    by_day: dict[str, list[float]] = defaultdict(list)
    for each in series(scene, CPU):
        if each.about == name and each.statistic in {"", "Average"}:
            for time, value in each.points:
                by_day[time.date().isoformat()].append(value)
    yield from (sum(values) / len(values) for values in by_day.values())


def _cpu_seen(scene: Scene, name: str) -> tuple[tuple[str, str], ...]:
    return next((each.facts for each in series(scene, CPU) if each.about == name), ())


def _volumes(scene: Scene) -> Link:
    found = _newest(scene, "ec2:DescribeVolumes", "Volumes", "VolumeId")
    if not found:
        if scene.given("ec2:DescribeVolumes"):
            return refuted("there are no volumes", (_where(scene, "ec2:DescribeVolumes"),))
        return scene.open("ec2:DescribeVolumes", "aws ec2 describe-volumes")
    free = [each for each in found if each.text("State") == "available"]
    if not free:
        return refuted(f"{len(found)} volumes, all attached", found[0].seen)
    size = sum(each.number("Size") for each in free)
    says = f"{len(free)} of {len(found)} volumes are attached to nothing, {figure(size)} GiB"
    names = listing([each.text("VolumeId") for each in free])
    return true(says, (("volumes", names), *free[0].seen), "aws ec2 create-snapshot, then delete-volume")


def _addresses(scene: Scene) -> Link:
    found = _newest(scene, "ec2:DescribeAddresses", "Addresses", "AllocationId")
    if not found:
        if scene.given("ec2:DescribeAddresses"):
            return refuted("there are no Elastic IP addresses", (_where(scene, "ec2:DescribeAddresses"),))
        return scene.open("ec2:DescribeAddresses", "aws ec2 describe-addresses")
    free = [each for each in found if not each.text("AssociationId")]
    if not free:
        return refuted(f"{len(found)} Elastic IP addresses, all in use", found[0].seen)
    says = f"{len(free)} of {len(found)} Elastic IP addresses belong to nothing"
    names = listing([each.text("PublicIp") for each in free])
    return true(says, (("addresses", names), *free[0].seen), "aws ec2 release-address --allocation-id ID")


def _budget(scene: Scene) -> Link:
    call = "budgets:DescribeBudgets"
    if not scene.given(call):
        return scene.open(call, "aws budgets describe-budgets --account-id ACCOUNT")
    held = _newest(scene, call, "Budgets", "BudgetName")
    if held:
        names = listing([each.text("BudgetName") for each in held])
        return refuted(f"there is a budget: {names}", held[0].seen)
    fix = "aws budgets create-budget with a notification at 80 % of what is planned"
    return true("there is no budget, so nobody was told", (_where(scene, call),), fix)


def _tags(scene: Scene) -> Link:
    running = _running(scene)
    if not running:
        return scene.open(_INSTANCES, "aws ec2 describe-instances")
    bare = [
        each.text("InstanceId")
        for each in running
        if not any(_says_whose(text(tag, "Key")) for tag in items(each.data, "Tags"))
    ]
    if not bare:
        return refuted(f"{len(running)} running instances, all with tags besides a name", running[0].seen)
    says = f"{len(bare)} of {len(running)} running instances have no tag that says whose they are"
    fix = "aws ec2 create-tags, then activate the tag for cost allocation"
    return true(says, (("instances", listing(bare)), *running[0].seen), fix)


def _says_whose(key: str) -> bool:
    """Whether a tag can say whose a resource is: not its name, nor what AWS writes itself."""
    return key not in {"", "Name"} and not key.startswith("aws:")


def _driver(scene: Scene) -> Link:
    """Which service's cost grew most between the first and the last period.

    AWS Cost Explorer API reference: "GetCostAndUsage", grouped by SERVICE.
    """
    answer = next((each for each in scene.each(_COSTS) if each.body is not None), None)
    settle = (
        "aws ce get-cost-and-usage --granularity MONTHLY --metrics UnblendedCost --group-by Type=DIMENSION,Key=SERVICE "
        "--time-period Start=…,End=…"
    )
    periods = [each for each in items(answer.body if answer else {}, "ResultsByTime") if "Groups" in each]
    if answer is None or len(periods) < 2:  # noqa: PLR2004  # a first and a last
        return scene.open(_COSTS, settle)
    first, last = _costs(periods[0]), _costs(periods[-1])
    grown = max(last, key=lambda name: last[name] - first.get(name, 0.0), default="")
    total, before = sum(last.values()), sum(first.values())
    told = (
        ("total", f"{figure(before)} to {figure(total)}"),
        (grown, f"{figure(first.get(grown, 0.0))} to {figure(last.get(grown, 0.0))}"),
        (SEEN, answer.source),
    )
    if before and total < before * _DRIVES:
        return refuted(f"the cost did not grow by {round(_DRIVES * 100 - 100)} %", told)
    return true(f"the cost of {grown or 'something unnamed'} grew most", told, "look at its usage types")


def _costs(period: object) -> dict[str, float]:
    found: dict[str, float] = {}
    for group in items(period, "Groups"):
        keys = group.get("Keys")
        name = str(keys[0]) if isinstance(keys, list) and keys else "other"
        amount = next((number(each, "Amount") for each in _metrics(group)), 0.0)
        found[name] = found.get(name, 0.0) + amount
    return found


def _metrics(group: object) -> Iterator[object]:
    metrics = group.get("Metrics") if isinstance(group, dict) else None
    yield from metrics.values() if isinstance(metrics, dict) else ()


def _where(scene: Scene, call: str) -> tuple[str, str]:
    return SEEN, next(scene.each(call)).source


_ADVISOR = "AWS Trusted Advisor user guide, Cost optimization"
IDLE = Hypothesis(
    "idle-instances",
    "instances run idle",
    Component.MANAGEMENT,
    4,
    _idle,
    f"{_ADVISOR}, Low Utilization Amazon EC2 Instances",
)
VOLUMES = Hypothesis(
    "unattached-volumes",
    "volumes are attached to nothing",
    Component.MANAGEMENT,
    3,
    _volumes,
    f"{_ADVISOR}, Underutilized Amazon EBS Volumes",
)
ADDRESSES = Hypothesis(
    "unused-addresses",
    "Elastic IP addresses belong to nothing",
    Component.MANAGEMENT,
    1,
    _addresses,
    f"{_ADVISOR}, Unassociated Elastic IP Addresses",
)
BUDGET = Hypothesis(
    "no-budget",
    "nobody is told when costs rise",
    Component.MANAGEMENT,
    3,
    _budget,
    "AWS Cost Management user guide, Managing your costs with AWS Budgets, "
    "https://docs.aws.amazon.com/cost-management/latest/userguide/budgets-managing-costs.html",
)
TAGS = Hypothesis(
    "untagged",
    "what runs does not say whose it is",
    Component.MANAGEMENT,
    2,
    _tags,
    "AWS Billing user guide, Organizing and tracking costs using AWS cost allocation tags, "
    "https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/cost-alloc-tags.html",
)
DRIVER = Hypothesis(
    "cost-driver",
    "one service drives the cost",
    Component.MANAGEMENT,
    4,
    _driver,
    "AWS Cost Explorer API reference, GetCostAndUsage",
)
