"""The department's feed: files found, hashed, matched to a declared layout, read as text."""

from beatbook.feed.snapshot import FeedFile, Snapshot, take_snapshot

__all__ = ["FeedFile", "Snapshot", "take_snapshot"]
