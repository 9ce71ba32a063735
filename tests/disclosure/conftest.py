"""Studies run once for all attacks on them."""

from functools import cache

import pytest
from disclosure_studies import EVERY, TRIALS, cluster_trial, field_trial, kind_of, other_study, plans


@pytest.fixture(scope="session")
def trials(root):
    return {study: field_trial(root, study) for study in TRIALS}


@pytest.fixture(scope="session")
def small(root):
    return {study: field_trial(root, study, every=EVERY[study]) for study in TRIALS}


@pytest.fixture(scope="session")
def trial(root):
    (study,) = (key for key, raw in plans(root).items() if kind_of(raw) == "cluster trial")
    return cluster_trial(root, study)


@pytest.fixture(scope="session")
def output_of(root, request):
    """The output of any study, by its key."""

    @cache
    def found(study):
        kind = kind_of(plans(root)[study])
        if kind == "other":
            return other_study(root, study)
        if kind == "cluster trial":
            return request.getfixturevalue("trial")[0]
        return request.getfixturevalue("trials")[study][0]

    return found


@pytest.fixture(scope="session")
def public_of(root, output_of):
    """What any study publishes, by its key."""
    return cache(lambda study: output_of(study).decided(root))
