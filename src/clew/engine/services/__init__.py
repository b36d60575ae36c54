"""What single services add to the common law: KMS, S3, STS, Lambda, IAM's PassRole."""
