"""The pages for people: the front page, articles, the feed directory."""
