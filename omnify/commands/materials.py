"""A bill of materials: what is installed, from where one could get it, under which licence. CycloneDX 1.6, as plain JSON.

Licences are read from the packages' own metadata (PEP 639's expression, else classifiers, else the free text), and judged
against a list of families that may be part of a proprietary installation without its source having to be given away.
"""

import re
import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from importlib import metadata
from typing import Any

from omnify.commands.pins import canonical

# Family -> how packages spell it. LGPL and MPL are used as libraries, unchanged, which is what they ask for.
FAMILIES = {
    "MIT": r"\bMIT(-0|-CMU)?\b|^Expat|^MIT License",
    "BSD": r"\bBSD\b|^0BSD",
    "Apache-2.0": r"\bApache\b",
    "MPL-2.0": r"\bMPL\b|Mozilla Public License",
    "LGPL": r"\bLGPL|Lesser General Public",
    "PSF": r"\bPSF\b|\bPSFL\b|Python Software Foundation|^CNRI-Python|^Python-2\.0",
    "ISC": r"\bISC\b|ISCL",
    "Unlicense": r"\bUnlicense\b|Public Domain|CC0",
    "PostgreSQL": r"^PostgreSQL",
    "HPND": r"\bHPND\b",
    "Zlib": r"\bzlib\b",
}
# Whose metadata says nothing, or not enough: read by hand in the licence file of the package.
BY_HAND = {"axe-playwright-python": "MIT", "qrcode": "BSD-3-Clause"}
# Published by their makers without a word about a licence: a person must have agreed to use them (docs/security.md).
UNSTATED = frozenset({"vapi-server-sdk"})
NOTHING = frozenset({"OSI Approved", "DFSG approved"})


def licence(package: Any) -> str:
    """What a distribution's metadata says of its licence, in one line; "" when it says nothing."""
    if known := BY_HAND.get(canonical(package["Name"])):
        return known
    expression = package.get("License-Expression")
    if expression:
        return " ".join(str(expression).split())
    told = [each.rpartition(" :: ")[2] for each in package.get_all("Classifier") or () if each.startswith("License ::")]
    if told := sorted(set(told) - NOTHING):
        return " AND ".join(told)
    text = str(package.get("License") or "").strip()
    return text.splitlines()[0].strip()[:100] if text else ""


def allowed(words: str) -> bool:
    """Whether every part of a licence belongs to a family on the list; of alternatives (OR) one suffices."""
    alternatives = re.split(r"\bOR\b", words.strip("() "))
    return bool(words) and any(all(map(_family, re.split(r"\bAND\b", each))) for each in alternatives)


def _family(words: str) -> bool:
    words = words.strip("() ").partition(" WITH ")[0]
    return any(re.search(pattern, words, re.IGNORECASE) for pattern in FAMILIES.values())


def bill(
    installed: Mapping[str, metadata.Distribution], hashes: Mapping[str, Iterable[str]], now: datetime
) -> dict[str, Any]:
    """The CycloneDX document. `hashes`: canonical name -> those of its pinned files, kept as properties: one of them was installed."""
    components = []
    for name in sorted(installed):
        package = installed[name].metadata
        purl = f"pkg:pypi/{name}@{installed[name].version}"
        component: dict[str, Any] = {
            "type": "library", "bom-ref": purl, "name": package["Name"], "version": installed[name].version, "purl": purl,
        }  # fmt: skip
        if words := licence(package):
            spdx = "License-Expression" in package
            component["licenses"] = [{"expression": words}] if spdx else [{"license": {"name": words}}]
        if pinned := sorted(hashes.get(name, ())):
            component["properties"] = [{"name": "omnify:pinned-sha256", "value": each} for each in pinned]
        components.append(component)
    known = {each["bom-ref"] for each in components}
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid4()}",
        "version": 1,
        "metadata": {
            "timestamp": now.isoformat(timespec="seconds"),
            "component": {"type": "application", "bom-ref": "omnify", "name": "omnify", "licenses": [{"expression": "MIT"}]},
        },
        "components": components,
        "dependencies": [{"ref": "omnify", "dependsOn": sorted(known)}],
    }  # fmt: skip
