"""4-reliability §4 F4: what is installed is pinned by hash, counted, and under a licence that we may use."""

import json
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from packaging.requirements import Requirement
from packaging.version import Version

from omnify.commands import materials, pins
from omnify.commands.closure import USUAL, installed, needed
from tests.test_architecture import ROOT

USUAL_FILE, OPTIONAL_FILE = (ROOT / name for name in pins.FILES)


def pinned(*paths: Path) -> dict[str, tuple[str, list[str]]]:
    return {name: pin for path in paths for name, (_, pin) in pins.known(path).items()}


def test_every_pin_has_a_version_and_hashes() -> None:
    for name, (version, hashes) in pinned(USUAL_FILE, OPTIONAL_FILE).items():
        assert Version(version), name
        assert hashes, f"{name} has no hash: run `manage.py pins`"
        assert len(set(hashes)) == len(hashes), name


def test_whatever_any_machine_of_ours_needs_is_pinned_and_nothing_else() -> None:
    """Python 3.11 to 3.14, Linux and macOS: followed through the metadata of what is installed."""
    usual, optional = set(pinned(USUAL_FILE)), set(pinned(OPTIONAL_FILE))
    assert usual == set(needed(ROOT))
    followed = set(needed(ROOT, (*USUAL, *pins.OPTIONAL))) - usual
    assert followed <= optional
    # What `make` does not install has no metadata here: what it needs in turn is known only where it was installed by name.
    if followed <= set(installed()):
        assert optional == followed


def test_the_pins_of_what_is_not_installed_here_are_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("omnify.commands.closure.installed", dict)
    before = OPTIONAL_FILE.read_text()
    with pytest.raises(CommandError, match=r"channels-redis.*constraints-optional\.txt"):
        call_command("pins")
    assert OPTIONAL_FILE.read_text() == before


def test_pins_meet_what_was_asked_for_and_each_other() -> None:
    have = {name: Version(version) for name, (version, _) in pinned(USUAL_FILE, OPTIONAL_FILE).items()}
    here = installed()
    for name in sorted(set(have) & set(here)):
        for text in here[name].requires or ():
            asked = Requirement(text)
            other = pins.canonical(asked.name)
            if other in have and (asked.marker is None or asked.marker.evaluate({"extra": ""})):
                assert asked.specifier.contains(have[other], prereleases=True), f"{name} asks for {asked}"


def test_make_installs_by_hash_and_nothing_else() -> None:
    recipe = (ROOT / "Makefile").read_text()
    installs = [line for line in recipe.splitlines() if "pip install" in line]
    assert len(installs) == 2
    assert "--require-hashes -r constraints.txt" in installs[0]
    assert {"--no-deps", "--no-build-isolation", "--no-index"} <= set(installs[1].split())


def test_pip_refuses_a_file_whose_hash_is_another(tmp_path: Path) -> None:
    """The very options of the Makefile, with a wheel that was swapped after it was pinned."""
    import zipfile

    wheel = tmp_path / "swapped-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("swapped.py", "")
        archive.writestr("swapped-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: swapped\nVersion: 1.0\n")
        archive.writestr(
            "swapped-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr("swapped-1.0.dist-info/RECORD", "")
    listed = tmp_path / "constraints.txt"
    listed.write_text(pins.written({"swapped": ("1.0", ["0" * 64])}))
    said = subprocess.run(
        [
            sys.executable, "-m", "pip", "install", "--dry-run", "--quiet", "--disable-pip-version-check", "--no-index",
            "--find-links", str(tmp_path), "--require-hashes", "-r", str(listed),
        ],
        capture_output=True, text=True, check=False, env={"PATH": "/usr/bin:/bin", "PIP_CONFIG_FILE": "/dev/null"},
    )  # fmt: skip
    assert said.returncode != 0
    assert "HASHES" in said.stderr.upper()


@pytest.mark.parametrize(
    ("filename", "expected"),
    [
        ("a-1.0-py3-none-any.whl", True), ("a-1.0-py2.py3-none-any.whl", True), ("a-1.0.tar.gz", True), ("a-1.0.zip", True),
        ("a-1.0-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl", True),
        ("a-1.0-cp314-cp314-macosx_11_0_arm64.whl", True), ("a-1.0-cp313-cp313-musllinux_1_2_aarch64.whl", True),
        ("a-1.0-cp37-abi3-manylinux_2_28_x86_64.whl", True), ("a-1.0-cp39-cp39-manylinux_2_28_x86_64.whl", False),
        ("a-1.0-cp313-cp313t-manylinux_2_28_x86_64.whl", False), ("a-1.0-cp312-cp312-win_amd64.whl", False),
        ("a-1.0-pp311-pypy311_pp73-manylinux_2_28_x86_64.whl", False), ("a-1.0-py3-none-win32.whl", False),
        ("a-1.0-py3-none-manylinux1_x86_64.whl", True), ("a-1.0.exe", False), ("a-1.0-py3.egg", False),
        ("a-1.0-cp311-cp311-ios_13_0_arm64_iphoneos.whl", False),
    ],
)  # fmt: skip
def test_only_files_that_a_machine_of_ours_may_install_are_pinned(filename: str, expected: bool) -> None:
    assert pins.usable(filename) is expected


def test_what_is_written_is_what_is_read() -> None:
    some = {"b_b": ("2.0", ["f" * 64, "a" * 64]), "A": ("1.0rc1", ["b" * 64])}
    text = pins.written(some)
    assert pins.read(text) == {"A": ("1.0rc1", ["b" * 64]), "b_b": ("2.0", ["a" * 64, "f" * 64])}
    assert pins.written(pins.read(text)) == text
    assert pins.read("twilio==9.13.0\n") == {"twilio": ("9.13.0", [])}  # as somebody types one in by hand
    with pytest.raises(pins.Unpinned):
        pins.read("twilio>=9\n")


def test_hashes_are_those_of_the_pinned_version_and_none_is_a_failure() -> None:
    class Told:
        def files(self, name: str) -> list[tuple[str, str]]:
            return [
                ("a_b-1.0-py3-none-any.whl", "1" * 64), ("a_b-1.0.post1-py3-none-any.whl", "2" * 64), ("a-b-1.0.tar.gz", "3" * 64),
                ("a_b-1.0-cp312-cp312-win_amd64.whl", "4" * 64), ("nonsense", "5" * 64), ("a_b-1.0.zip", ""),
            ]  # fmt: skip

    assert pins.completed({"a-b": ("1.0", [])}, Told()) == {"a-b": ("1.0", ["1" * 64, "3" * 64])}  # type: ignore[arg-type]
    with pytest.raises(pins.Unpinned, match=r"a-b 2\.0"):
        pins.completed({"a-b": ("2.0", [])}, Told())  # type: ignore[arg-type]


def test_every_licence_is_one_we_may_use() -> None:
    wanted = set(needed(ROOT, (*USUAL, *pins.OPTIONAL)))
    refused = {
        name: materials.licence(each.metadata)
        for name, each in installed().items()
        if name in wanted and not materials.allowed(materials.licence(each.metadata))
    }
    assert set(refused) == materials.UNSTATED & set(installed()), refused


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("MIT", True), ("Apache-2.0 OR BSD-2-Clause", True), ("LGPL-3.0-only", True), ("MIT AND PSF-2.0", True),
        ("Apache-2.0 WITH LLVM-exception", True), ("GPL-3.0-only", False), ("AGPL-3.0-or-later", False),
        ("GNU General Public License v3 (GPLv3)", False), ("MIT AND GPL-2.0-only", False), ("GPL-2.0-only OR MIT", True),
        ("Other/Proprietary License", False), ("", False), ("BUSL-1.1", False), ("SSPL-1.0", False),
    ],
)  # fmt: skip
def test_licences_are_judged_by_every_part(words: str, expected: bool) -> None:
    assert materials.allowed(words) is expected


def test_the_bill_of_materials_names_everything_once(tmp_path: Path, capsys: Any) -> None:
    call_command("sbom", output=tmp_path / "sbom.json")
    told = json.loads((tmp_path / "sbom.json").read_text())
    assert (told["bomFormat"], told["specVersion"], told["version"]) == ("CycloneDX", "1.6", 1)
    assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", told["serialNumber"])
    assert datetime.fromisoformat(told["metadata"]["timestamp"]).tzinfo == UTC
    refs = [each["bom-ref"] for each in told["components"]]
    assert len(set(refs)) == len(refs)
    by_name = {pins.canonical(each["name"]): each for each in told["components"]}
    assert set(by_name) == set(installed())
    django = by_name["django"]
    assert django["purl"] == f"pkg:pypi/django@{django['version']}"
    assert django["licenses"] == [{"expression": "BSD-3-Clause"}]
    assert {each["value"] for each in django["properties"]} == set(pinned(USUAL_FILE)["django"][1])
    assert [each["ref"] for each in told["dependencies"]] == ["omnify"]
