"""django-q2's entry points. Three lines each; the row decides whether there is anything to do."""

from contacts import erasing, placing
from contacts.importing import passes, sweeping
from omnify.lib.clock import now

# Voice waits in the same cluster: a long list lets it through so often.
IMPORT_SLICE_SECONDS = 20.0


def run_import(tenant_id: int, job_id: int, after: int | None = None) -> bool:
    """Reviews or imports one file, or goes on with it, for a while. Cluster "slow"."""
    return passes.run(tenant_id, job_id, now=now(), seconds=IMPORT_SLICE_SECONDS, after=after)


def resume_imports() -> int:
    """Starts again what a killed worker left; a pass that is alive holds its lock, so a second start does nothing. Once a minute."""
    return sweeping.wake()


def discard_forgotten_imports() -> int:
    """Removes uploads nobody went on with. Once a day."""
    return sweeping.discard(now=now())


def place_contacts() -> int:
    """Works out where people may be whom an older release left unplaced. Once a minute; nothing to do costs one probe."""
    return placing.fill(now=now())


def sweep_forgotten() -> int:
    """Leaves hashes alone of what erased people had forbidden. Every ten minutes; nothing to do costs one probe."""
    return erasing.sweep()
