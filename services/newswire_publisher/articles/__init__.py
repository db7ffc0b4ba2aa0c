"""Renderings of an article that several outputs share."""
