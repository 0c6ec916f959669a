"""Membership structures, the noises of a memory, and their replays at 50 digits."""
