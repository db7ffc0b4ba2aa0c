"""What every service needs and no news: broker, hand-off, dead letters, schedule, HTTP, logging."""
