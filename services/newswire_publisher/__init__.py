"""Fans each article out to feeds, webhooks and social queues."""
