"""What runs on the instance: web server, SSH server, memory, disk, processor; and the targets behind a balancer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.audit.resources import facts, text
from clew.explain.operational.gauge import Gauge
from clew.explain.operational.scene import SEEN, Component, Hypothesis, refuted, true, unknown
from clew.explain.operational.series import CPU, CREDITS, DISK, MEMORY, alarms, series
from clew.explain.operational.signs import DISK_FULL, OUT_OF_MEMORY, ssh_server, web_server

if TYPE_CHECKING:
    from clew.explain.links import Link
    from clew.explain.operational.scene import Log, Scene
    from clew.explain.operational.signs import Sign

_HEALTH = "elbv2:DescribeTargetHealth"
_SPENT = 1.0

_MEMORY = Gauge(
    "memory",
    OUT_OF_MEMORY,
    MEMORY,
    95,
    80,
    "aws cloudwatch get-metric-statistics --namespace CWAgent --metric-name mem_used_percent (EC2 has no metric of "
    "memory of its own), or the system's log",
    "a larger instance type, or less memory for the application",
)
_DISK = Gauge(
    "the disk",
    DISK_FULL,
    DISK,
    95,
    85,
    "aws cloudwatch get-metric-statistics --namespace CWAgent --metric-name disk_used_percent, or `df -h` as text",
    "aws ec2 modify-volume, then grow the file system; and let logs rotate",
)
_PROCESSOR = Gauge(
    "the processor",
    None,
    CPU,
    95,
    80,
    "aws cloudwatch get-metric-statistics --namespace AWS/EC2 --metric-name CPUUtilization --period 300",
    "a larger instance type, or more instances behind a load balancer",
)


def _cpu(scene: Scene) -> Link:
    """Credits that are spent hold a burstable instance to its baseline, whatever the metric of its processor says.

    EC2 user guide: "Monitor your CPU credits for burstable instances".
    """
    for each in series(scene, CREDITS, scene.instance_id):
        if each.last[1] <= _SPENT and each.covers(scene.about.since):
            return true("its CPU credits are spent", each.facts, _PROCESSOR.fix)
    return _PROCESSOR.read(scene)


def _web_server(scene: Scene) -> Link:
    settle = "attach the output of `systemctl status httpd` (or nginx, apache2), or its error log"
    return _server(
        web_server(_logs(scene), scene.about),
        "web server",
        settle,
        "sudo systemctl start httpd (nginx, apache2), and read why it stopped",
    )


def _ssh_server(scene: Scene) -> Link:
    settle = "attach the console output (aws ec2 get-console-output), or `systemctl status sshd`"
    return _server(
        ssh_server(_logs(scene), scene.about), "SSH server", settle, "start sshd through Session Manager"
    )


def _logs(scene: Scene) -> tuple[Log, ...]:
    return tuple(log for log in scene.logs if log.about in {"", scene.instance_id})


def _server(told: tuple[bool, Sign] | None, what: str, settle: str, fix: str) -> Link:
    if told is None:
        return unknown(f"no line of a log says whether the {what} runs", settle)
    is_up, sign = told
    if is_up:
        return refuted(f"the {what} runs", sign.facts)
    return true(f"the {what} does not run", sign.facts, fix)


def _targets(scene: Scene) -> Link:
    """Elastic Load Balancing API reference: "TargetHealth"."""
    settle = "aws elbv2 describe-target-health --target-group-arn ARN"
    name = scene.instance_id
    newest: dict[tuple[str, str], object] = {}
    found = [
        each
        for each in scene.listed(_HEALTH, "TargetHealthDescriptions")
        if not name or each.text("Target.Id") == name
    ]
    found = [
        each
        for each in found
        if newest.setdefault((each.text("Target.Id"), each.text("Target.Port")), each) is each
    ]
    if not found:
        return scene.open(_HEALTH, settle)
    bad = [each for each in found if each.text("TargetHealth.State").startswith("unhealthy")]
    if bad:
        told = facts(bad[0].data, "Target.Id", "TargetHealth.Reason", "TargetHealth.Description")
        return true(
            f"{len(bad)} of {len(found)} targets are unhealthy",
            (*told, *bad[0].seen),
            "mend what the reason names: port, path and codes of the health check, the group that lets it in",
        )
    states = sorted({each.text("TargetHealth.State") for each in found})
    if states == ["healthy"]:
        return refuted(f"{len(found)} targets, all healthy", found[0].seen)
    return unknown(f"targets are {', '.join(states)}", settle, found[0].seen)


def _balancer_alarm(scene: Scene) -> Link:
    names = (
        "UnHealthyHostCount",
        "HTTPCode_ELB_5XX_Count",
        "HTTPCode_Target_5XX_Count",
        "TargetResponseTime",
    )
    told = list(alarms(scene, names))
    for alarm, answer in told:
        if text(alarm, "StateValue") == "ALARM":
            facts_ = (*facts(alarm, "AlarmName", "MetricName", "StateReason"), (SEEN, answer.source))
            return true(
                "an alarm on what the load balancer answers is in ALARM", facts_, "read the targets' own logs"
            )
    if told and all(text(alarm, "StateValue") == "OK" for alarm, _ in told):
        return refuted("the alarms on the load balancer are OK", ((SEEN, told[0][1].source),))
    return unknown("no alarm on a load balancer is at hand", "aws cloudwatch describe-alarms")


WEB_SERVER = Hypothesis(
    "web-server-down",
    "the web server does not run",
    Component.APPLICATION,
    4,
    _web_server,
    "Amazon Linux 2023 user guide, Tutorial: Install a LAMP server on AL2023, "
    "https://docs.aws.amazon.com/linux/al2023/ug/ec2-lamp-amazon-linux-2023.html",
)
SSH_SERVER = Hypothesis(
    "ssh-server-down",
    "the SSH server does not run",
    Component.APPLICATION,
    3,
    _ssh_server,
    "EC2 user guide, Troubleshoot issues connecting to your Amazon EC2 Linux instance, "
    "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/TroubleshootingInstancesConnecting.html",
)
OUT_OF_MEMORY_ = Hypothesis(
    "out-of-memory",
    "the server runs out of memory",
    Component.APPLICATION,
    4,
    _MEMORY.read,
    "CloudWatch user guide, Metrics collected by the CloudWatch agent, "
    "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/metrics-collected-by-CloudWatch-agent.html",
)
DISK_FULL_ = Hypothesis(
    "disk-full",
    "the disk is full",
    Component.STORAGE,
    4,
    _DISK.read,
    "CloudWatch user guide, Metrics collected by the CloudWatch agent, "
    "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/metrics-collected-by-CloudWatch-agent.html",
)
CPU_EXHAUSTED = Hypothesis(
    "cpu-exhausted",
    "the processor is busy all the time",
    Component.APPLICATION,
    3,
    _cpu,
    "EC2 user guide, CloudWatch metrics that are available for your instances, "
    "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/viewing_metrics_with_cloudwatch.html",
)
TARGETS = Hypothesis(
    "target-unhealthy",
    "the load balancer finds its targets unhealthy",
    Component.APPLICATION,
    4,
    _targets,
    "Elastic Load Balancing, Health checks for Application Load Balancer target groups, "
    "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html",
)
BALANCER = Hypothesis(
    "balancer-errors",
    "the load balancer answers with errors",
    Component.APPLICATION,
    3,
    _balancer_alarm,
    "Elastic Load Balancing, CloudWatch metrics for your Application Load Balancer, "
    "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html",
)
