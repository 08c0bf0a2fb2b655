"""Every ticketing profile, by the word that `fleetkeep export --profile` uses for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reports.ticketing import freshservice, generic, halo, jira, jsm_assets, servicenow, snipe_it, zendesk

if TYPE_CHECKING:
    from reports.ticketing._profile import AnyProfile

PROFILES: dict[str, AnyProfile] = {
    profile.name: profile
    for profile in (
        generic.PROFILE,
        servicenow.PROFILE,
        jira.PROFILE,
        jsm_assets.PROFILE,
        zendesk.PROFILE,
        freshservice.PROFILE,
        halo.PROFILE,
        snipe_it.PROFILE,
    )
}
