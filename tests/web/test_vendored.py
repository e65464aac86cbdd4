"""What others wrote lies here unchanged, with its licence."""

from __future__ import annotations

import hashlib
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
SHA_256 = {
    "kos/web/static/vendor/uplot-1.6.32.min.css": "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04",
    "kos/web/static/vendor/uplot-1.6.32.min.js": "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f",
    "kos/web/static/vendor/uplot-LICENSE.txt": "8f989229699b4fe2f1a0432d0e9edc338a8a911e250e2d1b01ecd770a5f5b1bd",
    "tests/data/axe/LICENSE.txt": "af175b9d96ee93c21a036152e1b905b0b95304d4ae8c2c921c7609100ba8df7e",
    "tests/data/axe/axe-4.14.1.min.js": "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c",
}


def test_vendored_files_are_those_of_the_list_and_no_others() -> None:
    folders = ("kos/web/static/vendor", "tests/data/axe")
    found = {
        str(file.relative_to(REPOSITORY)): hashlib.sha256(file.read_bytes()).hexdigest()
        for folder in folders
        for file in (REPOSITORY / folder).iterdir()
    }
    assert found == SHA_256


def test_every_vendored_library_has_its_licence_beside_it() -> None:
    text = (REPOSITORY / "kos/web/static/vendor/uplot-LICENSE.txt").read_text("utf-8")
    assert "MIT License" in text
    assert (REPOSITORY / "tests/data/axe/LICENSE.txt").is_file()


def test_our_own_files_name_no_address_elsewhere() -> None:
    static = REPOSITORY / "kos" / "web" / "static"
    for file in (*static.glob("*.js"), *static.glob("*.css")):
        assert "http://" not in file.read_text("utf-8")
        assert "https://" not in file.read_text("utf-8").replace('startsWith("https://")', "")
