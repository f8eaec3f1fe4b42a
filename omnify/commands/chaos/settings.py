"""Omnify's settings for the kill test: everything as usual, and in haste."""

from omnify.lib import environment
from omnify.settings import *  # noqa: F403
from omnify.settings import INSTALLED_APPS as USUAL

INSTALLED_APPS = [*USUAL, "omnify.commands.chaos.haste.Haste"]
# Seconds after which a claim counts as abandoned. Longer than a worker may need to load a provider's SDK on a busy machine.
CHAOS_CLAIM_STALE = environment.integer("OMNIFY_CHAOS_CLAIM_STALE", 6)
CHAOS_GRACE = environment.integer("OMNIFY_CHAOS_GRACE", 10)
