"""Event sources and the services behind them."""

from __future__ import annotations

from typing import Final

# Where the event source is not the service's name with `.amazonaws.com` (AWS: "CloudTrail record contents",
# eventSource; and the pages "Logging … API calls with CloudTrail" of the services themselves).
_NAMES: Final = {
    "access-analyzer": "IAM Access Analyzer",
    "acm": "Certificate Manager",
    "acm-pca": "Private Certificate Authority",
    "apigateway": "API Gateway",
    "application-autoscaling": "Application Auto Scaling",
    "athena": "Athena",
    "autoscaling": "EC2 Auto Scaling",
    "backup": "Backup",
    "batch": "Batch",
    "bedrock": "Bedrock",
    "billingconsole": "Billing console",
    "ce": "Cost Explorer",
    "cloudformation": "CloudFormation",
    "cloudfront": "CloudFront",
    "cloudshell": "CloudShell",
    "cloudtrail": "CloudTrail",
    "codebuild": "CodeBuild",
    "codecommit": "CodeCommit",
    "cognito-identity": "Cognito identity pools",
    "cognito-idp": "Cognito user pools",
    "config": "Config",
    "datapipeline": "Data Pipeline",
    "directconnect": "Direct Connect",
    "dms": "Database Migration Service",
    "ds": "Directory Service",
    "dynamodb": "DynamoDB",
    "ec2": "EC2",
    "ec2-instance-connect": "EC2 Instance Connect",
    "ecr": "Elastic Container Registry",
    "ecs": "Elastic Container Service",
    "eks": "Elastic Kubernetes Service",
    "elasticache": "ElastiCache",
    "elasticbeanstalk": "Elastic Beanstalk",
    "elasticfilesystem": "Elastic File System",
    "elasticloadbalancing": "Elastic Load Balancing",
    "elasticmapreduce": "EMR",
    "email": "SES",
    "es": "OpenSearch Service",
    "events": "EventBridge",
    "firehose": "Data Firehose",
    "glacier": "S3 Glacier",
    "glue": "Glue",
    "guardduty": "GuardDuty",
    "health": "Health",
    "iam": "IAM",
    "identitystore": "IAM Identity Center directory",
    "inspector": "Inspector Classic",
    "inspector2": "Inspector",
    "kinesis": "Kinesis Data Streams",
    "kms": "KMS",
    "lambda": "Lambda",
    "logs": "CloudWatch Logs",
    "macie": "Macie Classic",
    "macie2": "Macie",
    "monitoring": "CloudWatch",
    "network-firewall": "Network Firewall",
    "notifications": "User Notifications",
    "organizations": "Organizations",
    "ram": "Resource Access Manager",
    "rds": "RDS",
    "redshift": "Redshift",
    "resource-explorer-2": "Resource Explorer",
    "rolesanywhere": "IAM Roles Anywhere",
    "route53": "Route 53",
    "route53domains": "Route 53 Domains",
    "route53resolver": "Route 53 Resolver",
    "s3": "S3",
    "s3-outposts": "S3 on Outposts",
    "s3express": "S3 Express One Zone",
    "sagemaker": "SageMaker",
    "secretsmanager": "Secrets Manager",
    "securityhub": "Security Hub",
    "servicequotas": "Service Quotas",
    "ses": "SES",
    "signin": "Sign-In",
    "sns": "SNS",
    "sqs": "SQS",
    "ssm": "Systems Manager",
    "ssmmessages": "Session Manager",
    "sso": "IAM Identity Center",
    "sso-directory": "IAM Identity Center directory",
    "states": "Step Functions",
    "storagegateway": "Storage Gateway",
    "sts": "STS",
    "support": "Support",
    "swf": "Simple Workflow Service",
    "tagging": "Resource Groups Tagging",
    "trustedadvisor": "Trusted Advisor",
    "vpce": "VPC endpoints",
    "waf": "WAF Classic",
    "waf-regional": "WAF Classic Regional",
    "wafv2": "WAF",
    "workmail": "WorkMail",
    "xray": "X-Ray",
}
# IAM action prefixes that differ from the event source's first label.
_PREFIXES: Final = {
    "monitoring": "cloudwatch",
    "email": "ses",
    "tagging": "tag",
}
_SUFFIXES: Final = (".amazonaws.com.cn", ".amazonaws.com", ".amazonaws.eu", ".api.aws", ".amazon.com")


def service_label(event_source: str) -> str:
    """The first part of an event source: `monitoring` of `monitoring.amazonaws.com`.

    >>> service_label("s3.cn-north-1.amazonaws.com.cn"), service_label("aws:s3")
    ('s3', 'aws:s3')
    """
    for suffix in _SUFFIXES:
        if event_source.endswith(suffix):
            return event_source.removesuffix(suffix).split(".")[0]
    return event_source


def service_name(event_source: str) -> str:
    """The service's name as AWS writes it, without `Amazon` or `AWS`; the label itself where it is not known to us.

    >>> service_name("monitoring.amazonaws.com"), service_name("newservice.amazonaws.com"), service_name("")
    ('CloudWatch', 'newservice', 'unknown')
    """
    label = service_label(event_source)
    return _NAMES.get(label, label) or "unknown"


def action_prefix(event_source: str) -> str:
    """The prefix under which IAM names the service's actions.

    >>> action_prefix("monitoring.amazonaws.com"), action_prefix("ec2.amazonaws.com")
    ('cloudwatch', 'ec2')
    """
    label = service_label(event_source)
    return _PREFIXES.get(label, label)


def is_service_host(text: str) -> bool:
    """Whether the text is the host name of an AWS service, as in `sourceIPAddress` of calls that a service made.

    >>> is_service_host("cloudformation.amazonaws.com"), is_service_host("192.0.2.1"), is_service_host("AWS Internal")
    (True, False, True)
    """
    return text in {"AWS Internal", "aws-internal"} or text.endswith(_SUFFIXES)
