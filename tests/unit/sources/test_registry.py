from __future__ import annotations

import msgspec
import pytest

from sleevenotes.sources import contract, registry

EVERY = registry.every(contract.Keys())


def test_every_source_is_found_by_its_name() -> None:
    assert [registry.named(source.name).name for source in EVERY] == [source.name for source in EVERY]


def test_no_two_sources_share_a_name() -> None:
    assert len({source.name for source in EVERY}) == len(EVERY)


def test_a_source_that_does_not_exist_is_not_found() -> None:
    with pytest.raises(KeyError, match="napster"):
        registry.named("napster")


def test_every_kind_of_question_has_a_source() -> None:
    answered = {kind for source in EVERY for kind in source.policy.answers}
    assert answered >= {contract.FindRecording, contract.DescribeRecording, contract.FetchImage}


@pytest.mark.parametrize("source", EVERY, ids=lambda source: source.name)
def test_every_policy_is_a_pace(source: contract.Source) -> None:
    policy = source.policy
    assert policy.requests > 0
    assert policy.window > 0
    assert policy.parallel > 0
    assert policy.together > 0
    assert 0 < policy.timeout <= 60
    assert "." in policy.host or policy.apart  # a host, but for the lane that serves many
    assert isinstance(policy, msgspec.Struct)
