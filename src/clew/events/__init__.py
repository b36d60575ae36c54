"""From bytes to events: CloudTrail, S3 server access logs, VPC flow logs."""
