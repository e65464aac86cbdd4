from __future__ import annotations

import hashlib

from kos.domain.people.invitations import code_digest


def test_a_code_is_known_by_its_sha256_whatever_blanks_stand_around_it() -> None:
    assert code_digest(" aB3_\n") == hashlib.sha256(b"aB3_").hexdigest()
    assert code_digest("aB3_") != code_digest("ab3_")


def test_a_code_of_half_a_letter_has_a_digest_too() -> None:
    assert len(code_digest("\ud800")) == 64
