"""Sending messages: SNS, mail, webhooks and Slack."""
