"""What runs in AWS Lambda."""
