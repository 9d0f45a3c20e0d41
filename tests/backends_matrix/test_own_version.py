"""The version of a project that is used from its source, without an installation."""

import importlib.metadata

from backends_matrix.own_version import own_version


def test_the_installed_version_is_told():
    assert own_version() == importlib.metadata.version("portable-models")


def test_source_that_is_not_installed_has_no_version(monkeypatch):
    def missing(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    assert own_version() == "not installed"
