"""Reading JSON as clients write it, faulty escapes among it."""

from __future__ import annotations

import msgspec
import pytest

from sleevenotes.server import inputs

_ANY = msgspec.json.Decoder()


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (rb'"\ud800"', "\ufffd"),
        (rb'"\uDFFF!"', "\ufffd!"),
        (rb'"\ud83d\ud83d\ude00"', "\ufffd\N{GRINNING FACE}"),
        (rb'"\ude00\ud83d"', "\ufffd\ufffd"),
        (rb'"\ud83d\u0041"', "\ufffdA"),
        (rb'"\\ud800 \ud800"', "\\ud800 \ufffd"),  # behind an escaped backslash it is text
        (rb'"\\\ud800\""', '\\\ufffd"'),
        (rb'"\ud7ff\ue000"', "\ud7ff\ue000"),
    ],
)
def test_half_of_a_pair_of_escapes_is_read_as_the_sign_for_no_character(sent: bytes, read: str) -> None:
    assert inputs.decoded(_ANY, sent) == read


@pytest.mark.parametrize("sent", [b"", b'{"a":', rb'"\ud8"', rb'["\ud800"', b'"\\'])
def test_what_is_no_json_for_another_reason_stays_so(sent: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        inputs.decoded(_ANY, sent)


def test_what_has_another_shape_is_told_as_that() -> None:
    with pytest.raises(msgspec.ValidationError):
        inputs.decoded(msgspec.json.Decoder(list[int]), rb'["\ud83d\ude00"]')
