"""One ordered log per subscription, pushed as Standard Webhooks."""
