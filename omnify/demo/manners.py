"""How the demo's people behave at the simulator. Whoever it knows already keeps the manners they were given there."""

from pathlib import Path

from omnify.demo.people import PEOPLE, Person
from omnify.demo.workspace import SLUG
from omnify.simulator.accounts import Accounts
from omnify.simulator.client import SimulatorClient
from omnify.simulator.people import normal
from omnify.tenants.models import Tenant


def introduce(client: SimulatorClient) -> int:
    """Tells a running simulator; returns how many addresses were new to it. Raises httpx.HTTPError."""
    known = {each["address"] for each in client.people()}
    new = [(address, person) for address, person in addresses() if address not in known]
    for address, person in new:
        client.set_person(address, temperament=person.temperament, name=name_of(person))
    return len(new)


def keep_manners(path: Path) -> int:
    """The same for the configuration file of a simulator that is not running."""
    configuration = Accounts(path)
    new = [(address, person) for address, person in addresses() if address not in configuration.people]
    for address, person in new:
        configuration.people[address] = {"temperament": person.temperament, "name": name_of(person)}
    if new:
        configuration.save()
    return len(new)


def addresses() -> list[tuple[str, Person]]:
    """Every number and mailbox of the demo's people; none where no demo is loaded. Run as the system role."""
    if not Tenant.objects.filter(slug=SLUG).exists():
        return []
    return [(normal(address), person) for person in PEOPLE for address in (person.phone, person.email)]


def name_of(person: Person) -> str:
    return f"{person.first_name} {person.last_name}"
