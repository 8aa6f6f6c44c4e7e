from __future__ import annotations

import msgspec
import pytest

from sleevenotes import errors
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


def test_a_name_of_no_source_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(errors.Unusable, match=r"sources: there is no 'napster'.*musicbrainz.*itunes") as refused:
        registry.check({"musicbrainz", "napster"})
    assert "deezer_images" not in str(refused.value)  # which is asked anyway


def test_every_source_may_be_named_as_one_of_the_only_ones() -> None:
    registry.check({source.name for source in EVERY})


def test_who_names_a_source_need_not_name_the_host_where_its_images_lie() -> None:
    only = {source.name for source in registry.usable(contract.Keys(), {"musicbrainz", "deezer"})}
    assert {"musicbrainz", "deezer", "deezer_images", "elsewhere"} <= only
    assert not only & {"itunes", "coverartarchive"}
